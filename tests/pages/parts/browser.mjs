// A browser whose every page is watched: an error in its console, a failed request or a call to another host is a defect.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const DESK = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };

export async function openBrowser(executablePath) {
  // Where the tests run as root, as in containers, Chromium has no sandbox of its own.
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

// One visitor: a context of its own, with no cookie yet.
export class Visitor {
  static async come(browser, options = {}) {
    const visitor = new Visitor();
    visitor.faults = [];
    visitor.context = await browser.newContext({ viewport: DESK, locale: "en-GB", reducedMotion: "reduce", ...options });
    visitor.context.setDefaultTimeout(15000);
    visitor.page = await visitor.context.newPage();
    const { page, faults } = visitor;
    page.on("console", (message) => message.type() === "error" && faults.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
    page.on("response", (reply) => reply.status() >= 400 && faults.push(`reply: ${reply.status()} ${reply.url()}`));
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (!["127.0.0.1"].includes(url.hostname) && url.protocol !== "data:") faults.push(`another host: ${request.url()}`);
    });
    return visitor;
  }

  // Ends the visit; `expected` are the faults that the test provoked on purpose.
  async leave(expected = []) {
    await this.context.close();
    const left = this.faults.filter((fault) => !expected.some((pattern) => pattern.test(fault)));
    assert.deepEqual(left, [], "the page did what it must not");
  }
}

// What axe finds serious, as lines.
export async function serious(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target.join(" ")} (${node.failureSummary.split("\n").slice(1).join("; ").trim()})`));
}

// By how many pixels a page can be scrolled sideways, and what sticks out.
export async function sideways(page) {
  return page.evaluate(() => {
    const wide = document.documentElement.scrollWidth - innerWidth;
    if (wide <= 0) return "";
    const out = [...document.querySelectorAll("body *")].filter((node) => node.getBoundingClientRect().right > innerWidth + 1);
    return `${wide} px too wide: ${out.slice(0, 4).map((node) => `${node.tagName}.${node.className}`).join(", ")}`;
  });
}

// Goes on by Tab until `selector` has the focus; answers what had it on the way, and fails where it comes round again.
export async function tabTo(page, selector) {
  const way = [];
  for (let step = 0; step < 120; step += 1) {
    await page.keyboard.press("Tab");
    const here = await page.evaluate((wanted) => {
      const node = document.activeElement;
      const box = node.getBoundingClientRect();
      return { found: node.matches(wanted), name: node.getAttribute("aria-label") ?? node.textContent.trim(), seen: box.width > 0 && box.height > 0 };
    }, selector);
    assert.ok(here.seen, `what has the focus is seen: ${here.name}`);
    way.push(here.name);
    if (here.found) return way;
  }
  throw new Error(`${selector} is not reached by Tab; the way was ${way.join(" > ")}`);
}

// Adds up the shifts of layout that nobody asked for, from now on.
export async function watchShifts(page) {
  await page.evaluate(() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(entry.value);
    }).observe({ type: "layout-shift" });
  });
  return () => page.evaluate(() => window.shifts.reduce((sum, value) => sum + value, 0));
}

export async function inDark(page) {
  return page.evaluate(() => {
    const [red, green, blue] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
    return red + green + blue < 3 * 80;
  });
}

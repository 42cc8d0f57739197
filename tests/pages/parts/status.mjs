// The live page, as an operator uses it.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PHONE, Visitor, inDark, serious, sideways, tabTo } from "./browser.mjs";
import { TOKEN, eventually } from "./fleet.mjs";

const DAY = 86400000;

async function look(stage, options) {
  const visitor = await Visitor.come(stage.browser, options);
  await visitor.page.goto(stage.fleet.status);
  await visitor.page.locator("#bot-rows tr").first().waitFor();
  return visitor;
}

// Everybody has had a tick, so that every bot has a wake-up far away.
async function rested(fleet) {
  const rests = async () => (await fleet.ask("/bots?limit=500")).items.every((bot) => bot.ticks > 0 && bot.status === "asleep");
  if (!(await rests())) await fleet.control("fleet", "wake");
  await eventually("everybody has come once", rests, 90);
}

const row = (page, id) => page.locator("#bot-rows tr", { hasText: new RegExp(`${id}(?!\\d)`) });

export const status = [
  ["the live page shows the bots with their reasons", async (stage) => {
    await rested(stage.fleet);
    const visitor = await look(stage, {});
    const { page } = visitor;
    assert.equal(await page.locator("#state-text").innerText(), "Running");
    assert.match(await page.locator("#range").innerText(), /^1 to 25 of 33$/);
    for (const why of await page.locator("#bot-rows .why").allInnerTexts()) assert.match(why, /^asked by its script to wait until 20\d\d-/);
    await page.locator("#later").click();
    await page.locator("#range", { hasText: "26 to 33 of 33" }).waitFor();
    await page.locator("#earlier").click();
    await page.locator("#range", { hasText: "1 to 25 of 33" }).waitFor();
    assert.equal(await page.locator("#tile-bots").innerText(), "33");
    await stage.shoot(page, "status-1280");
    await visitor.leave();
  }],

  ["the latest activities are there at load, and new ones come live", async (stage) => {
    await rested(stage.fleet);
    const { items } = await stage.fleet.ask("/activities?limit=1");
    const visitor = await look(stage, {});
    const { page } = visitor;
    const lines = page.locator("#stream li");
    await eventually("the stream is filled", async () => (await lines.count()) > 10);
    assert.match(await lines.first().innerText(), new RegExp(items[0].bot ?? items[0].persona ?? "fleet"));
    await eventually("it is live", async () => (await page.locator("#stream-state").innerText()) === "live");
    await stage.fleet.wake("painter-1");
    const title = (await stage.fleet.shared("painter"))[0].text;
    const fresh = page.locator("#stream li", { hasText: new RegExp(`${title}\\s*$`) }).filter({ hasText: "share" });
    await fresh.waitFor();
    assert.equal(await fresh.count(), 1, "nothing comes twice");
    await page.locator("#hold").click();
    const top = await lines.first().innerText();
    await stage.fleet.wake("painter-1");
    const held = (await stage.fleet.shared("painter"))[0].text;
    assert.equal((await lines.first().innerText()).split("\n")[0], top.split("\n")[0], "what is held stays");
    await page.locator("#hold").click();
    await page.locator("#stream li", { hasText: new RegExp(`${held}\\s*$`) }).first().waitFor();
    await visitor.leave();
  }],

  ["times are told by the bots' clock, whatever the browser's says", async (stage) => {
    await rested(stage.fleet);
    const visitor = await Visitor.come(stage.browser, {});
    const { page } = visitor;
    // This browser's clock is ten days behind.
    await page.addInitScript((behind) => {
      const real = Date;
      window.Date = class extends real {
        constructor(...given) {
          super(...(given.length ? given : [real.now() - behind]));
        }
        static now() {
          return real.now() - behind;
        }
      };
    }, 10 * DAY);
    await page.goto(stage.fleet.status);
    await row(page, "clerk-1").waitFor();
    const [{ now }, bot] = [await stage.fleet.ask("/status"), await stage.fleet.ask("/bots/clerk-1")];
    const days = (Date.parse(bot.next_wake) - Date.parse(now)) / DAY;
    const told = await row(page, "clerk-1").locator("time").innerText();
    const shown = Number(/^in (\d+) days?$/.exec(told)?.[1]);
    assert.ok(Math.abs(shown - days) <= 1.1, `the wake-up is ${days.toFixed(2)} days off, the page says “${told}”`);
    const ran = await page.locator("#program").innerText();
    assert.match(ran, /running for \d+ (s|min)$/, "how long it runs is told by its own clock too");
    await visitor.leave();
  }],

  ["filters find bots", async (stage) => {
    const visitor = await look(stage, {});
    const { page } = visitor;
    await page.locator("#filters [name=persona]").selectOption("critic");
    await page.locator("#range", { hasText: "1 to 1 of 1" }).waitFor();
    assert.equal(await page.locator("#bot-rows tr").count(), 1);
    await page.locator("#filters [name=persona]").selectOption("");
    await page.locator("#filters [name=search]").fill("clerk-31");
    await page.locator("#range", { hasText: "1 to 1 of 1" }).waitFor();
    await page.locator("#filters [name=search]").fill("nobody of this name");
    await page.locator("#no-bots").waitFor();
    await page.locator("#filters [name=search]").fill("");
    await page.locator("#filters [name=status]").selectOption("quarantined");
    await page.locator("#no-bots").waitFor();
    await page.locator("#filters [name=status]").selectOption("");
    await page.locator("#range", { hasText: "of 33" }).waitFor();
    await visitor.leave();
  }],

  ["a bot opens in full, by mouse, keyboard and address", async (stage) => {
    await rested(stage.fleet);
    const visitor = await look(stage, {});
    const { page } = visitor;
    await page.locator("#filters [name=search]").fill("critic");
    await row(page, "critic-1").click();
    const detail = page.locator("#detail");
    await detail.locator("dt", { hasText: "Persona" }).waitFor();
    assert.equal(await page.locator("#detail-name").innerText(), "Cleo <i>Critic</i>");
    for (const words of ["Limits used", "Last activities", "State", "an agent in the gallery", "Asia/Tokyo"]) {
      assert.ok((await detail.innerText()).includes(words), words);
    }
    await eventually("it is still", async () => (await page.locator("#detail .acts-list li").count()) > 0);
    await stage.shoot(page, "detail-1280");
    assert.deepEqual(await serious(page), []);
    await page.keyboard.press("Escape");
    await detail.waitFor({ state: "hidden" });
    assert.equal(new URL(page.url()).hash, "");
    await tabTo(page, "#bot-rows button");
    await page.keyboard.press("Enter");
    await detail.waitFor();
    await page.goto(`${stage.fleet.status}/#bot=clerk-2`);
    await page.locator("#detail-who", { hasText: "clerk-2" }).waitFor();
    await visitor.leave();
  }],

  ["a broken persona is told loudly with its line, and mending it ends that", async (stage) => {
    await rested(stage.fleet);
    const visitor = await look(stage, {});
    const { page } = visitor;
    const file = join(stage.fleet.scripts, "personas/clerk.luau");
    const right = readFileSync(file, "utf8");
    const line = right.split("\n").findIndex((text) => text.includes("on_tick")) + 1;
    try {
      writeFileSync(file, right.replace("on_tick = function(bot: Bot): number", "on_tick = = function(bot: Bot): number"));
      const box = page.locator("#refusals");
      await box.waitFor({ timeout: 10000 });
      assert.match(await box.locator("h2").innerText(), /^1 script refused$/);
      assert.match(await box.locator(".place").first().innerText(), new RegExp(`personas/clerk\\.luau:${line}$`));
      assert.match(await box.innerText(), /The bots of clerk go on with version [0-9a-f]{8}/);
      await page.evaluate(() => scrollTo(0, 0));
      await stage.shoot(page, "refused-1280");
      assert.deepEqual(await serious(page), []);
      writeFileSync(file, right);
      await box.waitFor({ state: "hidden", timeout: 10000 });
    } finally {
      writeFileSync(file, right);
    }
    await visitor.leave();
  }],

  ["a wrong token is refused with words, and the right one pauses", async (stage) => {
    await rested(stage.fleet);
    const visitor = await look(stage, {});
    const { page } = visitor;
    await row(page, "clerk-1").click();
    await page.locator("#detail .acts button", { hasText: "Pause" }).click();
    await page.locator("#pause-reason").fill("<b>lunch</b>");
    await page.locator("#ask-pause button.main").click();
    await page.locator("#token").fill("wrong");
    await stage.shoot(page, "token-1280");
    await page.keyboard.press("Enter");
    await page.locator("#token-wrong", { hasText: "this is not the fleet's admin token" }).waitFor();
    assert.deepEqual(await serious(page), []);
    assert.notEqual((await stage.fleet.ask("/bots/clerk-1")).status, "paused");
    await page.locator("#token").fill(TOKEN);
    await page.keyboard.press("Enter");
    await page.locator("#notice", { hasText: /paused 1 bot/i }).waitFor();
    await page.locator("#detail dd", { hasText: "paused by operator: <b>lunch</b>" }).waitFor();
    await page.keyboard.press("Escape");
    await row(page, "clerk-1").locator(".why", { hasText: "paused by operator" }).waitFor();
    await stage.shoot(page, "paused-1280");
    await row(page, "clerk-1").click();
    await page.locator("#detail .acts button", { hasText: "Resume" }).click();
    await eventually("it is resumed", async () => (await stage.fleet.ask("/bots/clerk-1")).status !== "paused");
    // After a pause a bot is due again at its old time or sooner; the other tests find it at rest.
    await rested(stage.fleet);
    await visitor.leave([/401/]);
  }],

  ["the whole fleet pauses and goes on", async (stage) => {
    await rested(stage.fleet);
    const visitor = await look(stage, {});
    const { page } = visitor;
    try {
      await page.locator("[data-do=pause]").click();
      await page.locator("#ask-pause button.main").click();
      await page.locator("#token").fill(TOKEN);
      await page.keyboard.press("Enter");
      await page.locator("#state[data-state=stopped]").waitFor();
      assert.equal(await page.locator("#state-text").innerText(), "Paused by operator");
      await page.locator("[data-do=resume]").click();
      await page.locator("#state[data-state=running]").waitFor();
    } finally {
      await stage.fleet.control("fleet", "resume");
    }
    await visitor.leave();
  }],

  ["on a phone nothing of the live page sticks out sideways", async (stage) => {
    await rested(stage.fleet);
    const visitor = await look(stage, { viewport: PHONE, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
    const { page } = visitor;
    await eventually("the stream is filled", async () => (await page.locator("#stream li").count()) > 10);
    assert.equal(await sideways(page), "");
    await stage.shoot(page, "status-390");
    await page.evaluate(() => document.getElementById("bots").scrollIntoView());
    await stage.shoot(page, "status-bots-390");
    await row(page, "clerk-1").locator("button").click();
    await page.locator("#detail dt", { hasText: "Persona" }).waitFor();
    assert.equal(await sideways(page), "");
    assert.ok(await page.locator("#detail").evaluate((node) => node.scrollWidth <= node.clientWidth), "nor its drawer");
    await stage.shoot(page, "detail-390");
    await visitor.leave();
  }],

  ["axe finds nothing serious on the live page, light or dark", async (stage) => {
    await rested(stage.fleet);
    for (const colorScheme of ["light", "dark"]) {
      const visitor = await look(stage, { colorScheme });
      const { page } = visitor;
      await eventually("the stream is filled", async () => (await page.locator("#stream li").count()) > 10);
      assert.equal(await inDark(page), colorScheme === "dark");
      assert.deepEqual(await serious(page), [], colorScheme);
      await stage.shoot(page, `status-${colorScheme}-1280`);
      await visitor.leave();
    }
  }],
];

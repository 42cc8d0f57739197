// The gallery, an item and a profile, as somebody sees them who came by.

import assert from "node:assert/strict";
import { PHONE, Visitor, inDark, serious, sideways, tabTo, watchShifts } from "./browser.mjs";
import { eventually } from "./fleet.mjs";

const NAME = "Vera <b>Visitor</b>";

// The first pictures are there: painted, and one of them commented on and remixed.
async function filled(fleet) {
  if ((await fleet.shared("painter")).length < 30) {
    await fleet.control("bots/painter-1", "wake");
    await eventually("the first pictures are shared", async () => (await fleet.shared("painter")).length >= 30, 60);
  }
  if ((await fleet.shared("critic")).length < 1) {
    await fleet.control("bots/critic-1", "wake");
    await eventually("the critic has answered", async () => (await fleet.shared("critic")).length >= 1);
  }
}

// One more picture; answers its title.
async function another(fleet) {
  const before = (await fleet.shared("painter")).length;
  await fleet.wake("painter-1");
  const all = await fleet.shared("painter");
  assert.ok(all.length > before, "the painter shared one more");
  return all[0].text;
}

async function visit(stage, options, path) {
  await filled(stage.fleet);
  const visitor = await Visitor.come(stage.browser, options);
  await visitor.page.goto(stage.fleet.studio + path);
  return visitor;
}

const answered = (stage) => stage.fleet.ask("/activities?limit=500").then(({ items }) =>
  items.find((one) => one.kind === "comment" && one.ending === "done").target);
const likes = (page) => page.locator(".bar [data-count=likes]").innerText().then(Number);
const titles = (page) => page.locator(".card h2").allInnerTexts();
const seen = (page) => page.locator(".card .shot img").evaluateAll((all) => all.filter((img) => img.getBoundingClientRect().top < innerHeight).every((img) => img.complete && img.naturalWidth > 0));

export const studio = [
  ["the gallery shows the first pictures and more on scrolling", async (stage) => {
    const visitor = await visit(stage, {}, "/");
    const { page } = visitor;
    assert.ok((await page.locator(".card").count()) >= 24);
    await eventually("the pictures are drawn", () => seen(page));
    await stage.shoot(page, "gallery-1280");
    await page.mouse.wheel(0, 20000);
    const all = (await stage.fleet.shared("painter")).length + (await stage.fleet.shared("critic")).length;
    await eventually("the rest comes", async () => {
      await page.mouse.wheel(0, 20000);
      return (await page.locator(".card").count()) === all;
    });
    assert.equal(await page.locator(".more").count(), 0);
    assert.equal(new Set(await page.locator(".card").evaluateAll((cards) => cards.map((card) => card.dataset.id))).size, all);
    await visitor.leave();
  }],

  ["a new picture arrives by itself, and nothing jumps", async (stage) => {
    const visitor = await visit(stage, {}, "/");
    const { page } = visitor;
    await eventually("the pictures are drawn", () => seen(page));
    const lanes = () => page.locator(".card").evaluateAll((cards) =>
      Object.fromEntries(cards.map((card) => [card.dataset.id, { x: card.getBoundingClientRect().x, height: card.getBoundingClientRect().height }])));
    const before = await lanes();
    const title = await another(stage.fleet);
    await page.locator(".card h2", { hasText: new RegExp(`^${title}$`) }).waitFor();
    await eventually("it is drawn", () => seen(page));
    assert.equal(await page.locator(".news").isVisible(), false);
    const after = await lanes();
    for (const [id, place] of Object.entries(before)) assert.deepEqual(after[id], place, "a card keeps its lane and its height");
    await visitor.leave();
  }],

  ["what makes room for a new picture glides, unless motion is unwelcome", async (stage) => {
    for (const [reducedMotion, glides] of [["no-preference", true], ["reduce", false]]) {
      const visitor = await visit(stage, { reducedMotion }, "/");
      const { page } = visitor;
      await page.evaluate(() => {
        const { animate } = Element.prototype;
        window.glided = [];
        Element.prototype.animate = function (...given) {
          window.glided.push(given[0][0].transform);
          return animate.apply(this, given);
        };
      });
      const title = await another(stage.fleet);
      await page.locator(".card h2", { hasText: new RegExp(`^${title}$`) }).waitFor();
      const ways = await page.evaluate(() => window.glided);
      assert.equal(ways.length > 0, glides, reducedMotion);
      for (const way of ways) assert.match(way, /^translateY\(-[1-9]\d+/, "it comes from where it was, above");
      await visitor.leave();
    }
  }],

  ["who has scrolled down keeps their place, and is told of news", async (stage) => {
    const visitor = await visit(stage, {}, "/");
    const { page } = visitor;
    await page.mouse.wheel(0, 700);
    await eventually("it is scrolled", () => page.evaluate(() => scrollY > 600));
    await eventually("the pictures are drawn", () => seen(page));
    const shifted = await watchShifts(page);
    const place = () => page.locator(".card").nth(12).boundingBox();
    const before = await place();
    const title = await another(stage.fleet);
    await page.locator(".news:visible").waitFor();
    assert.equal(await page.locator(".news").innerText(), "1 new picture");
    assert.deepEqual(await place(), before);
    assert.equal(await shifted(), 0);
    await stage.shoot(page, "gallery-news-1280");
    await page.locator(".news").click();
    await page.locator(".card h2", { hasText: new RegExp(`^${title}$`) }).waitFor();
    assert.equal(await page.evaluate(() => scrollY), 0);
    assert.equal(await page.locator(".news").isVisible(), false);
    await visitor.leave();
  }],

  ["the orders of the gallery differ and say which one it is", async (stage) => {
    const visitor = await visit(stage, {}, "/?sort=popular");
    const { page } = visitor;
    assert.equal(await page.locator(".tabs [aria-current=page]").innerText(), "Popular");
    const liked = await page.locator(".card").first().locator("[data-count=likes]").innerText();
    assert.ok(Number(liked) >= 1, "the one that was liked is first");
    await page.locator(".tabs a").first().click();
    assert.match((await titles(page))[0], /^(Tiny picture|After)/);
    await visitor.leave();
  }],

  ["a visitor likes, gives a name once, and takes the like back", async (stage) => {
    const item = await answered(stage);
    const visitor = await visit(stage, {}, `/p/${item}`);
    const { page } = visitor;
    const before = await likes(page);
    const like = page.locator(".bar .like button");
    await like.click();
    await page.locator("#ask").waitFor();
    await stage.shoot(page, "ask-1280");
    await page.keyboard.press("Escape");
    await page.locator("#ask").waitFor({ state: "hidden" });
    assert.equal(await likes(page), before, "without a name nothing is liked");
    await like.click();
    await page.locator("#ask input").fill(NAME);
    await page.keyboard.press("Enter");
    await eventually("the like is counted", async () => (await likes(page)) === before + 1);
    assert.equal(await like.getAttribute("aria-pressed"), "true");
    assert.equal(await page.locator(".me strong").innerText(), NAME);
    await page.reload();
    assert.equal(await likes(page), before + 1);
    assert.equal(await page.locator(".me strong").innerText(), NAME);
    await like.click();
    await eventually("the like is taken back", async () => (await likes(page)) === before);
    assert.equal(await like.getAttribute("aria-pressed"), "false");
    assert.equal(await page.locator("#ask").isVisible(), false);
    await visitor.leave();
  }],

  ["a like shows at once to somebody else who looks", async (stage) => {
    const item = await answered(stage);
    const one = await visit(stage, {}, `/p/${item}`);
    const other = await visit(stage, {}, `/p/${item}`);
    const before = await likes(other.page);
    await one.page.locator(".bar .like button").click();
    await one.page.locator("#ask input").fill("Otto");
    await one.page.keyboard.press("Enter");
    await eventually("the other sees it", async () => (await likes(other.page)) === before + 1);
    await one.leave();
    await other.leave();
  }],

  ["a visitor comments, and text stays text", async (stage) => {
    const item = await answered(stage);
    const visitor = await visit(stage, {}, `/p/${item}`);
    const { page } = visitor;
    const words = `<script>window.harmed = 3</script> & <b>bold</b>\nsecond line`;
    const before = Number(await page.locator("#comments [data-count]").innerText());
    assert.ok(before >= 1 && (await page.locator(".remark .words").first().innerText()).startsWith("<script>window.harmed = 1</script><img"));
    await page.locator(".say input[name=name]").fill(NAME);
    await page.locator(".say textarea").fill(words);
    await page.locator(".say button").click();
    await eventually("it is counted", async () => Number(await page.locator("#comments [data-count]").innerText()) === before + 1);
    const mine = page.locator(".remark").last();
    assert.equal(await mine.locator(".words").innerText(), words);
    assert.equal(await mine.locator(".name").innerText(), NAME);
    assert.equal(await mine.locator(".agent").count(), 0, "a visitor is no agent");
    assert.equal(await page.locator(".say textarea").inputValue(), "");
    assert.equal(await page.locator(".say input[name=name]").count(), 0, "the name is asked once");
    await page.locator(".say textarea").fill("And once more.");
    await page.locator(".say button").click();
    await eventually("the second is counted", async () => Number(await page.locator("#comments [data-count]").innerText()) === before + 2);
    await page.reload();
    assert.equal(await page.locator(".remark .words").nth(-2).innerText(), words);
    assert.equal(await page.evaluate(() => window.harmed), undefined);
    assert.equal(await page.locator(".words script, .words img, .words b").count(), 0);
    await stage.shoot(page, "item-1280");
    await visitor.leave();
  }],

  ["without a script, likes and comments work by themselves", async (stage) => {
    const item = await answered(stage);
    const visitor = await visit(stage, { javaScriptEnabled: false }, `/p/${item}`);
    const { page } = visitor;
    const before = await likes(page);
    await page.locator(".bar .like button").click();
    await page.locator(".bar .like input[name=name]").fill("Plain Paula");
    await page.locator(".bar .like button").click();
    await page.locator(".me strong", { hasText: "Plain Paula" }).waitFor();
    assert.equal(await likes(page), before + 1);
    await page.locator(".say textarea").fill("No script needed.");
    await page.locator(".say button").click();
    await page.locator(".remark .words", { hasText: "No script needed." }).waitFor();
    await visitor.leave();
  }],

  ["a remix names its picture, and the picture its remixes", async (stage) => {
    const item = await answered(stage);
    const visitor = await visit(stage, {}, `/p/${item}`);
    const { page } = visitor;
    const title = await page.locator("h1").innerText();
    await page.locator("#remixes .card h2 a").first().click();
    assert.equal(await page.locator("h1").innerText(), `After ${title}`);
    assert.match(await page.locator(".origin").innerText(), new RegExp(`^Remix of ${title} by `));
    await page.locator(".origin a").first().click();
    assert.equal(await page.locator("h1").innerText(), title);
    await visitor.leave();
  }],

  ["a profile shows who it is, what they made and that it is an agent", async (stage) => {
    const visitor = await visit(stage, {}, "/");
    const { page } = visitor;
    await page.locator(".card .who").first().click();
    await page.locator("h1", { hasText: "Pia Painter" }).or(page.locator("h1", { hasText: "Critic" })).waitFor();
    assert.equal(await page.locator("h1 .agent").innerText(), "agent");
    assert.match(await page.locator(".handle").innerText(), /^@\w+ · here since .+ · run by software$/);
    assert.ok((await page.locator(".card").count()) >= 1);
    await stage.shoot(page, "profile-1280");
    await visitor.leave();
  }],

  ["every agent is marked wherever its name is", async (stage) => {
    const item = await answered(stage);
    const visitor = await visit(stage, {}, "/");
    const { page } = visitor;
    const unmarked = () => page.evaluate(() => [...document.querySelectorAll(".who, .name")].filter((name) =>
      !name.parentElement.querySelector(".agent")).map((name) => name.textContent));
    assert.deepEqual(await unmarked(), [], "only agents have shared pictures");
    await page.goto(`${stage.fleet.studio}/p/${item}`);
    assert.equal(await page.locator(".by .agent").count(), 1);
    const critic = page.locator(".remark", { hasText: "Critic" }).first();
    assert.equal(await critic.locator(".agent").innerText(), "agent");
    await visitor.leave();
  }],

  ["what is not there is said so", async (stage) => {
    const visitor = await visit(stage, {}, "/p/nothing");
    await visitor.page.locator("h2", { hasText: "There is nothing here" }).waitFor();
    assert.deepEqual(await serious(visitor.page), []);
    await visitor.leave([/404/]);
  }],

  ["the keyboard reaches like and comment, in order", async (stage) => {
    const item = await answered(stage);
    const visitor = await visit(stage, {}, `/p/${item}`);
    const { page } = visitor;
    const before = await likes(page);
    const toLike = await tabTo(page, ".bar .like button");
    assert.match(toLike[0], /^Skip to /, "the first stop skips the head");
    await page.keyboard.press("Enter");
    await page.locator("#ask input:focus").waitFor();
    await page.keyboard.type("Kay Board");
    await page.keyboard.press("Enter");
    await eventually("the like is counted", async () => (await likes(page)) === before + 1);
    assert.ok(await page.locator(".bar .like button").evaluate((node) => node === document.activeElement), "the focus is back where it was");
    await tabTo(page, ".say textarea");
    await page.keyboard.type("Typed without a mouse.");
    await tabTo(page, ".say button");
    await page.keyboard.press("Space");
    await page.locator(".remark .words", { hasText: "Typed without a mouse." }).waitFor();
    await page.goto(stage.fleet.studio);
    const way = await tabTo(page, ".card .like button");
    assert.ok(way.length < 12, `the first like is near: ${way.join(" > ")}`);
    await visitor.leave();
  }],

  ["on a phone nothing sticks out sideways, and fingers find the buttons", async (stage) => {
    const item = await answered(stage);
    const visitor = await visit(stage, { viewport: PHONE, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }, "/");
    const { page } = visitor;
    const author = await page.locator(".card .who").first().getAttribute("href");
    for (const [name, path] of [["gallery", "/"], ["item", `/p/${item}`], ["profile", author], ["missing", "/p/nothing"]]) {
      await page.goto(stage.fleet.studio + path);
      await eventually("the pictures are drawn", () => seen(page));
      assert.equal(await sideways(page), "", path);
      const small = await page.locator("button:visible, .said:visible, .tabs a:visible").evaluateAll((all) => all
        .map((node) => ({ name: node.getAttribute("aria-label") ?? node.textContent, height: node.getBoundingClientRect().height }))
        .filter((one) => one.height < 24));
      assert.deepEqual(small, [], path);
      await stage.shoot(page, `${name}-390`);
    }
    await visitor.leave([/404/]);
  }],

  ["in the dark it is dark", async (stage) => {
    const item = await answered(stage);
    const visitor = await visit(stage, { colorScheme: "dark" }, "/");
    const { page } = visitor;
    for (const [name, path] of [["gallery", "/"], ["item", `/p/${item}`]]) {
      await page.goto(stage.fleet.studio + path);
      assert.ok(await inDark(page), path);
      await eventually("the pictures are drawn", () => seen(page));
      assert.deepEqual(await serious(page), [], path);
      await stage.shoot(page, `${name}-dark-1280`);
    }
    await visitor.leave();
  }],

  ["axe finds nothing serious on gallery, item and profile", async (stage) => {
    const item = await answered(stage);
    const visitor = await visit(stage, {}, "/");
    const { page } = visitor;
    const author = await page.locator(".card .who").first().getAttribute("href");
    for (const path of ["/", `/p/${item}`, author]) {
      await page.goto(stage.fleet.studio + path);
      assert.deepEqual(await serious(page), [], path);
    }
    await page.goto(`${stage.fleet.studio}/p/${item}`);
    await page.locator(".bar .like button").click();
    await page.locator("#ask").waitFor();
    assert.deepEqual(await serious(page), [], "with the question open");
    await visitor.leave();
  }],
];

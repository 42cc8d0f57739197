// The live page. Texts from the fleet are only ever put in as text, never as HTML.

const $ = (id) => document.getElementById(id);
const API = "/api/v1";
const PAGE = 25;
const LINES = 80;

function make(tag, options = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (name === "text") node.textContent = value;
    else if (name === "on") for (const [event, handler] of Object.entries(value)) node.addEventListener(event, handler);
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const count = new Intl.NumberFormat("en");
const words = (word) => word.replaceAll("_", " ");
const plural = (n, one, many = `${one}s`) => `${count.format(n)} ${n === 1 ? one : many}`;

// ---------------------------------------------------------------------------------------------------------- time

// Bots' time may run faster than ours: it is told by what the fleet said last and by how long ago that was.
// The wall's time is the server's too: nobody knows how this browser's clock is set.
const clock = { now: Date.now(), speed: 1, heard: performance.now(), wall: Date.now() };
const botsNow = () => clock.now + (performance.now() - clock.heard) * clock.speed;

function span(millis) {
  const seconds = Math.round(Math.abs(millis) / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return plural(Math.floor(seconds / 86400), "day");
}

function relative(at) {
  const left = at - botsNow();
  if (Math.abs(left) < 1500) return "now";
  return left > 0 ? `in ${span(left)}` : `${span(left)} ago`;
}

function time(at, zone) {
  const node = make("time");
  setTime(node, at, zone);
  return node;
}

function setTime(node, at, zone) {
  if (!at) {
    node.removeAttribute("datetime");
    node.removeAttribute("title");
    setText(node, "–");
    return;
  }
  if (node.getAttribute("datetime") !== at) {
    node.setAttribute("datetime", at);
    let local = "";
    try {
      local = zone ? new Date(at).toLocaleString("en-GB", { timeZone: zone, dateStyle: "medium", timeStyle: "short" }) : "";
    } catch {
      // The browser does not know the zone; UTC says enough.
    }
    node.title = local ? `${local} ${zone} (${at})` : at;
  }
  setText(node, relative(Date.parse(at)));
}

function retell() {
  for (const node of document.querySelectorAll("time[datetime]")) setText(node, relative(Date.parse(node.getAttribute("datetime"))));
}

// ------------------------------------------------------------------------------------------------------- requests

class Refused extends Error {
  constructor(status, body) {
    super(body?.error ?? `the fleet answered with status ${status}`);
    this.status = status;
    this.hint = body?.hint;
  }
}

async function request(path, options) {
  const response = await fetch(API + path, { ...options, signal: AbortSignal.timeout(options?.method ? 65000 : 12000) });
  clock.wall = Date.parse(response.headers.get("Date")) || Date.now();
  const body = await response.json().catch(() => null);
  if (!response.ok || body === null) throw new Refused(response.status, body);
  return body;
}

let noticeTimer;
function notice(text, bad = false) {
  const node = $("notice");
  // What is behind an open dialog is neither seen nor read aloud.
  ($("detail").open ? $("detail") : document.body).append(node);
  node.textContent = text;
  node.classList.add("is-shown");
  node.classList.toggle("is-bad", bad);
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => node.classList.remove("is-shown"), bad ? 15000 : 8000);
}

// Shows a dialog and tells whether it was confirmed.
function ask(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue === "go"), { once: true }));
}

const KEPT = "floimg-fleet admin token";

async function token(wrong) {
  const kept = sessionStorage.getItem(KEPT);
  if (kept && !wrong) return kept;
  sessionStorage.removeItem(KEPT);
  $("token-wrong").textContent = wrong ?? "";
  $("token").value = "";
  if (!(await ask($("ask-token")))) return null;
  const given = $("token").value.trim();
  $("token").value = "";
  sessionStorage.setItem(KEPT, given);
  return given;
}

// Does one of pause, resume, wake and reload to `target`: "fleet", "personas/…", "bots/…" or "plugins/…".
async function control(verb, target, name) {
  let body = {};
  if (verb === "pause") {
    $("pause-title").textContent = `Pause ${name}`;
    $("pause-reason").value = "";
    $("pause-for").value = "";
    // A plugin has no time of its own to wake at.
    $("pause-length").hidden = target.startsWith("plugins/");
    if (!(await ask($("ask-pause")))) return;
    const [reason, seconds] = [$("pause-reason").value.trim(), $("pause-for").value];
    if (reason) body.reason = reason;
    if (seconds) body.for_secs = Number(seconds);
  }
  let secret = await token();
  while (secret !== null) {
    try {
      const headers = { "Authorization": `Bearer ${secret}`, "Content-Type": "application/json" };
      const done = await request(`/${target}/${verb}`, { method: "POST", headers, body: JSON.stringify(body) });
      const errors = done.errors ?? [];
      notice(verb === "reload" ? `Scripts: ${done.message}` : done.message, errors.length > 0);
      look(true);
      return;
    } catch (problem) {
      if (problem.status !== 401) {
        notice([problem.message, problem.hint].filter(Boolean).join(". "), true);
        return;
      }
      secret = await token(problem.message);
    }
  }
}

// --------------------------------------------------------------------------------------------------------- status

const COUNTED = {
  share: ["post"], remix: ["remix", "remixes"], comment: ["comment"], upvote: ["upvote"], generate: ["picture"],
};

function showStatus(status) {
  clock.now = Date.parse(status.now);
  clock.speed = status.speed;
  clock.heard = performance.now();
  // What was shown before the first answer was told by this browser's clock.
  retell();

  const stopped = status.stopped_because;
  $("state").dataset.state = status.state;
  setText($("state-text"), stopped ? capital(/^(paused|stopped)/i.test(stopped) ? stopped : `Paused: ${stopped}`) : "Running");
  document.title = `${stopped ? "Paused" : "Running"} · floimg-fleet`;
  const now = new Date(status.now).toLocaleString("en-GB", { timeZone: "UTC", dateStyle: "medium", timeStyle: "short" });
  const speed = status.speed === 1 ? "" : `, which runs ${count.format(status.speed)} times as fast as the wall's`;
  const trouble = signals(status.signals);
  setText($("since"), `Bots' time is ${now} UTC${speed}${trouble}`);

  setText($("tile-bots"), count.format(status.bots));
  const order = ["acting", "asleep", "paused", "backoff", "quarantined"];
  const rank = (word) => (order.indexOf(word) + order.length) % order.length;
  const statuses = Object.entries(status.by_status).filter(([, n]) => n > 0).sort(([a], [b]) => rank(a) - rank(b));
  setText($("tile-bots-more"), statuses.map(([word, n]) => `${count.format(n)} ${word}`).join(", "));

  const acts = Object.keys(COUNTED);
  const done = Object.fromEntries(acts.map((kind) => [kind, 0]));
  let refused = 0;
  for (const { kind, ending, count: n } of status.actions) {
    if (!(kind in done)) continue;
    if (ending === "done") done[kind] += n;
    else refused += n;
  }
  const total = Object.values(done).reduce((sum, n) => sum + n, 0);
  setText($("tile-actions"), count.format(total));
  const parts = acts.filter((kind) => done[kind] > 0).map((kind) => plural(done[kind], ...COUNTED[kind]));
  if (refused) parts.push(`${count.format(refused)} not done`);
  setText($("tile-actions-more"), parts.join(", "));

  setText($("tile-ticks"), count.format(status.ticks));
  setText($("tile-ticks-more"), status.failed_ticks ? `${count.format(status.failed_ticks)} went wrong` : "none went wrong");
  const lag = (millis) => (millis < 1000 ? `${millis} ms` : `${(millis / 1000).toFixed(1)} s`);
  setText($("tile-lag"), lag(status.lag.p50_millis));
  setText($("tile-lag-more"), `99 of 100 within ${lag(status.lag.p99_millis)}`);
  setText($("tile-vms"), count.format(status.vms));
  setText($("tile-vms-more"), status.next_wake ? `next bot wakes ${relative(Date.parse(status.next_wake))}` : "no bot will wake");

  const gallery = $("gallery");
  if (/^https?:\/\//.test(status.gallery_url)) {
    gallery.href = status.gallery_url;
    gallery.hidden = false;
  }
  setText($("program"), `Version ${status.program}, running for ${span(clock.wall - Date.parse(status.started_at))}`);
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function signals(now) {
  const said = [];
  if (now.platform_paused) said.push("the platform has paused all fleets");
  if (now.budget_until) said.push(`the platform's budget is used up until ${now.budget_until}`);
  if (now.api !== "closed") said.push("the gallery does not answer");
  if (now.workflows !== "closed") said.push("the workflow server does not answer");
  return said.map((text) => `; ${text}`).join("");
}

// -------------------------------------------------------------------------------------------------------- scripts

let scriptsShown = "";

async function loadScripts() {
  showScripts((await request("/scripts")).items);
}

function showScripts(scripts) {
  const text = JSON.stringify(scripts);
  if (text === scriptsShown) return;
  scriptsShown = text;

  const refused = scripts.filter((script) => script.errors.length > 0);
  const box = $("refusals");
  box.hidden = refused.length === 0;
  box.replaceChildren(
    make("h2", { text: `${plural(refused.length, "script")} refused` }),
    ...refused.flatMap((script) => [
      make("p", {
        class: "quiet",
        text: script.version
          ? `The bots of ${script.persona} go on with version ${script.version}.`
          : `The bots of ${script.persona} wait until its files are right.`,
      }),
      ...script.errors.map(diagnostic),
    ]),
  );

  const select = $("filters").elements.persona;
  const chosen = select.value;
  select.replaceChildren(make("option", { value: "", text: "Every persona" }));
  for (const script of scripts) select.append(make("option", { value: script.persona, text: script.persona }));
  select.value = chosen;

  const focused = document.activeElement?.closest?.("#personas button")?.dataset.key;
  $("personas").replaceChildren(...scripts.map(persona));
  if (focused) document.querySelector(`#personas [data-key="${CSS.escape(focused)}"]`)?.focus();
}

// The frame is what `fleet check` and the log show: place, line, marks, values and advice.
function diagnostic(problem) {
  const place = problem.line ? `${problem.file}:${problem.line}` : problem.file;
  return make("article", {},
    make("p", { class: "place" }, make("code", { text: place })),
    make("pre", { class: "frame", text: problem.frame }),
  );
}

function persona(script) {
  const act = (verb) => make("button", {
    type: "button", class: "small", text: capital(verb), "data-key": `${script.persona} ${verb}`,
    "aria-label": `${capital(verb)} all bots of ${script.persona}`,
    on: { click: () => control(verb, `personas/${script.persona}`, `all of ${script.persona}`) },
  });
  const badges = [];
  if (script.errors.length) badges.push(make("span", { class: "badge is-bad", text: "refused" }));
  if (script.warnings.length) {
    const all = script.warnings.map((warning) => `${warning.file}:${warning.line ?? 1}: ${warning.message}`).join("\n");
    badges.push(make("span", { class: "badge is-warn", title: all, text: plural(script.warnings.length, "warning") }));
  }
  if (script.pinned) {
    const waits = script.newest !== script.version ? `; ${script.newest} waits` : "";
    badges.push(make("span", { class: "badge is-warn", title: `pinned to ${script.version}${waits}`, text: "pinned" }));
  }
  if (script.held_back) {
    badges.push(make("span", { class: "badge is-warn", title: script.verdict ?? "", text: `${script.held_back} rolled back` }));
  }
  if (script.canary) {
    const { version: tried, bots, fares, wanted_ticks: wanted } = script.canary;
    const title = `${tried} is tried on ${plural(bots, "bot")}: ${fares.ticks} of ${wanted} ticks, ${fares.errors} raised`;
    badges.push(make("span", { class: "badge", title, text: `canary ${Math.min(100, Math.floor((100 * fares.ticks) / wanted))} %` }));
  }
  const isTried = (version) => script.canary?.version === version;
  const behind = Object.entries(script.ran).reduce((sum, [version, n]) => sum + (version === script.version || isTried(version) ? 0 : n), 0);
  const version = script.version ?? "no version";
  return make("li", {},
    make("div", { class: "what" },
      make("span", { class: "line" },
        make("button", {
          type: "button", class: "link", text: script.title || script.persona, "data-key": `${script.persona} show`,
          title: `Show the bots of ${script.persona}`, on: { click: () => only(script.persona) },
        }), ...badges),
      make("span", { class: "quiet", text: script.file })),
    make("div", { class: "facts" },
      make("div", { text: plural(script.bots, "bot") }),
      make("div", { class: "quiet", text: behind ? `${version}, ${count.format(behind)} yet to take it` : version })),
    make("div", { class: "acts" }, act("pause"), act("resume"), act("wake")));
}

// -------------------------------------------------------------------------------------------------------- plugins

let pluginsShown = "";

async function loadPlugins() {
  showPlugins(await request("/plugins"));
}

function showPlugins({ items: plugins, problems }) {
  const text = JSON.stringify([plugins, problems]);
  if (text === pluginsShown) return;
  pluginsShown = text;

  const refused = plugins.filter((plugin) => plugin.errors.length > 0);
  const box = $("plugin-refusals");
  box.hidden = refused.length + problems.length === 0;
  const title = refused.length ? `${plural(refused.length, "plugin")} refused` : "What is said to no plugin";
  box.replaceChildren(
    make("h2", { text: title }),
    ...refused.flatMap((plugin) => [
      make("p", { class: "quiet", text: plugin.version ? `${plugin.name} goes on with version ${plugin.version}.` : `${plugin.name} never ran.` }),
      ...plugin.errors.map(diagnostic),
    ]),
    ...problems.map(diagnostic),
  );

  $("plugins-section").hidden = plugins.length === 0;
  const focused = document.activeElement?.closest?.("#plugins button")?.dataset.key;
  $("plugins").replaceChildren(...plugins.map(plugin));
  if (focused) document.querySelector(`#plugins [data-key="${CSS.escape(focused)}"]`)?.focus();
}

function plugin(shown) {
  const act = (verb) => make("button", {
    type: "button", class: "small", text: capital(verb), "data-key": `${shown.name} ${verb}`,
    "aria-label": `${capital(verb)} the plugin ${shown.name}`,
    on: { click: () => control(verb, `plugins/${shown.name}`, `the plugin ${shown.name}`) },
  });
  const badges = [];
  if (shown.status !== "running") {
    const bad = ["quarantined", "refused"].includes(shown.status);
    badges.push(make("span", { class: bad ? "badge is-bad" : "badge is-warn", title: shown.reason, text: shown.status }));
  }
  if (shown.errors.length && shown.status !== "refused") badges.push(make("span", { class: "badge is-bad", text: "newest refused" }));
  if (shown.warnings.length) {
    const all = shown.warnings.map((warning) => `${warning.file}:${warning.line ?? 1}: ${warning.message}`).join("\n");
    badges.push(make("span", { class: "badge is-warn", title: all, text: plural(shown.warnings.length, "warning") }));
  }
  if (shown.fault) {
    badges.push(make("span", { class: "badge is-warn", title: shown.fault.frame, text: plural(shown.faults, "fault") }));
  }
  const asked = shown.calls.find((calls) => calls.function === "before_action");
  const facts = asked
    ? `${count.format(asked.calls)} asked, ${count.format(asked.denied)} denied, ${count.format(asked.changed)} changed`
    : shown.hooks.map(words).join(", ") || "no hooks";
  const under = [shown.version ?? "no version", asked && `half within ${asked.p50_millis} ms`].filter(Boolean).join(", ");
  return make("li", {},
    make("div", { class: "what" },
      make("span", { class: "line" }, make("strong", { text: shown.title || shown.name }), ...badges),
      make("span", { class: "quiet", text: shown.status === "running" ? shown.description || shown.file : shown.reason })),
    make("div", { class: "facts" }, make("div", { text: facts }), make("div", { class: "quiet", text: under })),
    make("div", { class: "acts" }, act("pause"), act("resume")),
    ...(shown.fault ? [make("details", {}, make("summary", { text: "Last fault" }), diagnostic(shown.fault))] : []));
}

function only(name) {
  $("filters").elements.persona.value = name;
  offset = 0;
  loadBots();
  $("bots").scrollIntoView({ block: "start" });
}

// ----------------------------------------------------------------------------------------------------------- bots

let offset = 0;
const rows = new Map();
let asked = 0;

async function loadBots() {
  const mine = ++asked;
  const fields = $("filters").elements;
  const query = new URLSearchParams({ limit: PAGE, offset });
  for (const name of ["search", "persona", "status"]) if (fields[name].value.trim()) query.set(name, fields[name].value.trim());
  let page;
  try {
    page = await request(`/bots?${query}`);
  } catch (problem) {
    if (mine === asked && problem instanceof Refused && problem.status === 400) notice(problem.message, true);
    return;
  }
  // A later question has overtaken this one.
  if (mine !== asked) return;
  if (page.items.length === 0 && page.total > 0 && offset > 0) {
    offset = Math.floor((page.total - 1) / PAGE) * PAGE;
    return loadBots();
  }
  const shown = page.items.map((bot) => {
    const row = rows.get(bot.id) ?? newRow(bot.id);
    row.show(bot);
    return row.node;
  });
  const body = $("bot-rows");
  if (shown.length !== body.children.length || shown.some((node, i) => body.children[i] !== node)) body.replaceChildren(...shown);
  const ids = new Set(page.items.map((bot) => bot.id));
  for (const id of rows.keys()) if (!ids.has(id)) rows.delete(id);
  $("no-bots").hidden = page.total > 0;
  const last = page.offset + page.items.length;
  setText($("range"), page.total ? `${count.format(page.offset + 1)} to ${count.format(last)} of ${count.format(page.total)}` : "\u00a0");
  $("earlier").disabled = page.offset === 0;
  $("later").disabled = last >= page.total;
}

function newRow(id) {
  const name = make("button", { type: "button", class: "link" });
  const under = make("span", { class: "quiet" });
  const word = make("span");
  const status = make("span", { class: "status" }, make("span", { class: "dot", "aria-hidden": "true" }), word);
  const why = make("span", { class: "why" });
  const wake = time(null);
  const ticks = make("td", { role: "cell", class: "number" });
  const cell = (...children) => make("td", { role: "cell" }, ...children);
  const node = make("tr", { role: "row", on: { click: () => open(id) } },
    cell(name, under), cell(status), cell(why), cell(wake), ticks);
  const row = {
    node,
    show(bot) {
      setText(name, bot.name);
      setText(under, bot.has_account ? bot.id : `${bot.id}, no account yet`);
      node.dataset.status = bot.status;
      setText(word, bot.status);
      setText(why, bot.reason);
      why.title = bot.reason;
      setTime(wake, bot.next_wake, bot.zone);
      setText(ticks, count.format(bot.ticks));
    },
  };
  rows.set(id, row);
  return row;
}

// --------------------------------------------------------------------------------------------------------- detail

let openBot = null;
let openAsked = 0;

function open(id) {
  if (openBot !== id) {
    setText($("detail-name"), id);
    setText($("detail-who"), "\u00a0");
    $("detail-body").replaceChildren();
    shownDetail = "";
  }
  openBot = id;
  if (location.hash !== `#bot=${id}`) history.replaceState(null, "", `#bot=${id}`);
  if (!$("detail").open) $("detail").showModal();
  loadDetail();
}

let shownDetail = "";

async function loadDetail() {
  const id = openBot;
  const mine = ++openAsked;
  if (!id) return;
  try {
    const bot = await request(`/bots/${encodeURIComponent(id)}`);
    const text = JSON.stringify(bot);
    if (mine !== openAsked || openBot !== id || text === shownDetail) return;
    shownDetail = text;
    showDetail(bot);
  } catch (problem) {
    if (mine === openAsked && openBot === id) $("detail-body").replaceChildren(make("p", { class: "empty", text: problem.message }));
  }
}

function showDetail(bot) {
  setText($("detail-name"), bot.name);
  setText($("detail-who"), `@${bot.username}, ${bot.id}`);
  const fact = (name, ...values) => [make("dt", { text: name }), make("dd", {}, ...values)];
  const act = (verb) => make("button", {
    type: "button", class: "small", text: capital(verb), "data-key": verb,
    on: { click: () => control(verb, `bots/${bot.id}`, bot.name) },
  });
  const of = (used, most) => make("td", {
    class: most !== null && used >= most ? "number is-full" : "number",
    text: most === null ? count.format(used) : `${count.format(used)} of ${count.format(most)}`,
  });
  const head = (text, number) => make("th", { scope: "col", class: number && "number", text });
  const limits = make("table", {},
    make("thead", {}, make("tr", {}, head("Action"), head("Last hour", true), head("Last day", true))),
    make("tbody", {}, ...bot.limits.map((limit) =>
      make("tr", {}, make("td", { text: capital(words(limit.kind)) }), of(limit.hour, limit.per_hour), of(limit.day, limit.per_day)))));
  const status = make("span", { class: "status", "data-status": bot.status },
    make("span", { class: "dot", "aria-hidden": "true" }), make("span", { text: bot.status }));
  const focused = document.activeElement?.closest?.("#detail-body button")?.dataset.key;
  const scrolled = $("detail").scrollTop;
  $("detail-body").replaceChildren(
    make("div", { class: "acts" }, act("pause"), act("resume"), act("wake")),
    make("dl", { class: "facts-list" },
      ...fact("Status", status), ...fact("Why", bot.reason || "–"), ...fact("Next wake", time(bot.next_wake, bot.zone)),
      ...fact("Persona", bot.persona), ...fact("Zone", bot.zone), ...fact("Ticks", count.format(bot.ticks)),
      ...fact("Version", bot.version ?? "none yet"), ...fact("Account", bot.has_account ? "an agent in the gallery" : "not made yet"),
      ...fact("Bio", bot.bio || "–")),
    ...(bot.error ? [make("h3", { text: "Last error" }), make("pre", { class: "frame is-bad", text: bot.diagnostic?.frame ?? bot.error })] : []),
    make("h3", { text: "Limits used" }), limits,
    make("h3", { text: "Last activities" }),
    bot.activities.length
      ? make("ol", { class: "acts-list" }, ...bot.activities.map((activity) => line(activity, false)))
      : make("p", { class: "quiet", text: "Nothing yet." }),
    make("h3", { text: "State" }),
    make("pre", { text: bot.state === null ? "nothing yet" : JSON.stringify(bot.state, null, 2) }),
  );
  $("detail").scrollTop = scrolled;
  if (focused) document.querySelector(`#detail-body [data-key="${CSS.escape(focused)}"]`)?.focus();
}

// --------------------------------------------------------------------------------------------------------- stream

const stream = { source: null, newest: null, waiting: [], held: false, tries: 0, timer: 0, drawing: 0, opening: 0 };

function line(activity, named) {
  const bad = activity.ending !== "done";
  const who = activity.bot ?? activity.persona ?? "fleet";
  return make("li", { class: bad && "is-bad" },
    make("div", { class: "line" },
      named && (activity.bot
        ? make("button", { type: "button", class: "link", text: who, on: { click: () => open(activity.bot) } })
        : make("strong", { text: who })),
      make("span", { class: bad ? "badge is-bad" : "badge", text: bad && !activity.kind.endsWith(activity.ending) ? `${words(activity.kind)} ${activity.ending}` : words(activity.kind) }),
      time(activity.at)),
    activity.text && make("div", { class: "words", text: activity.text }));
}

function draw(fresh) {
  stream.drawing = 0;
  if (stream.held || stream.waiting.length === 0) return;
  const list = $("stream");
  const scrolled = list.scrollTop;
  const before = list.scrollHeight;
  const nodes = stream.waiting.splice(0).slice(-LINES).reverse().map((activity) => line(activity, true));
  if (fresh) nodes.forEach((node) => node.classList.add("is-new"));
  list.prepend(...nodes);
  // Whoever has scrolled down to read keeps what they read in its place.
  if (scrolled > 0) list.scrollTop = scrolled + list.scrollHeight - before;
  while (list.children.length > LINES) list.lastChild.remove();
}

function take(activity, fresh) {
  if (stream.newest !== null && activity.id <= stream.newest) return;
  stream.newest = activity.id;
  stream.waiting.push(activity);
  if (stream.waiting.length > LINES) stream.waiting.shift();
  if (!stream.drawing) stream.drawing = setTimeout(() => draw(fresh), 250);
}

async function connect() {
  clearTimeout(stream.timer);
  disconnect();
  const mine = ++stream.opening;
  const first = stream.newest === null;
  try {
    const latest = (await request(`/activities?limit=${LINES}`)).items;
    if (mine !== stream.opening || document.hidden) return;
    // Numbers that began anew are another database's.
    if (!first && (latest[0]?.id ?? 0) < stream.newest) {
      stream.newest = null;
      $("stream").replaceChildren();
    }
    latest.reverse().forEach((activity) => take(activity, !first));
  } catch {
    if (mine === stream.opening) again();
    return;
  }
  const source = new EventSource(`${API}/events?last_event_id=${stream.newest ?? 0}`);
  stream.source = source;
  source.addEventListener("open", () => {
    stream.tries = 0;
    setText($("stream-state"), stream.held ? "held" : "live");
  });
  source.addEventListener("activity", (event) => {
    const activity = JSON.parse(event.data);
    take(activity, true);
    // A save shows at once, right or wrong.
    if (activity.kind.startsWith("reload")) loadScripts().catch(() => {});
    if (activity.kind.startsWith("plugin")) loadPlugins().catch(() => {});
  });
  source.addEventListener("error", () => {
    // Connecting anew looks at the latest activities first, so that nothing is missed and nothing comes twice.
    if (stream.source === source) again();
  });
}

function again() {
  disconnect();
  setText($("stream-state"), "reconnecting");
  stream.timer = setTimeout(connect, Math.min(1000 * 2 ** stream.tries++, 15000));
}

function disconnect() {
  stream.source?.close();
  stream.source = null;
}

// ----------------------------------------------------------------------------------------------------- everything

let turn = 0;
let looking = false;

// Asks how things are; the status each time, the rest less often.
async function look(all) {
  if (looking && !all) return;
  looking = true;
  turn += 1;
  const work = [request("/status").then(showStatus)];
  if (all || turn % 2 === 0) work.push(loadBots());
  if (all || turn % 2 === 1) work.push(loadScripts(), loadPlugins());
  if (openBot && (all || turn % 2 === 0)) work.push(loadDetail());
  const [status] = await Promise.allSettled(work);
  looking = false;
  document.querySelector("main").classList.remove("is-empty");
  if (status.status === "rejected") {
    $("state").dataset.state = "lost";
    setText($("state-text"), "No answer");
    document.title = "No answer · floimg-fleet";
    const problem = status.reason;
    setText($("since"), problem instanceof Refused ? capital(problem.message) : "The fleet does not answer; this page keeps trying");
  }
}

let poll = 0;
let ticker = 0;

function begin() {
  clearInterval(poll);
  clearInterval(ticker);
  look(true);
  connect();
  poll = setInterval(() => look(false), 2000);
  ticker = setInterval(retell, 1000);
}

function rest() {
  clearInterval(poll);
  clearInterval(ticker);
  clearTimeout(stream.timer);
  stream.opening += 1;
  disconnect();
  setText($("stream-state"), "resting");
}

document.addEventListener("visibilitychange", () => (document.hidden ? rest() : begin()));

for (const button of document.querySelectorAll("[data-do]")) {
  button.addEventListener("click", () => control(button.dataset.do, "fleet", "every bot"));
}
for (const button of document.querySelectorAll("[data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}
let typing;
$("filters").addEventListener("input", () => {
  offset = 0;
  clearTimeout(typing);
  typing = setTimeout(loadBots, 180);
});
$("filters").addEventListener("submit", (event) => event.preventDefault());
$("earlier").addEventListener("click", () => {
  offset = Math.max(0, offset - PAGE);
  loadBots();
});
$("later").addEventListener("click", () => {
  offset += PAGE;
  loadBots();
});
$("hold").addEventListener("click", () => {
  stream.held = !stream.held;
  $("hold").setAttribute("aria-pressed", String(stream.held));
  setText($("hold"), stream.held ? "Go on" : "Hold");
  setText($("stream-state"), stream.held ? "held" : "live");
  draw(true);
});
$("detail-close").addEventListener("click", () => $("detail").close());
$("detail").addEventListener("click", (event) => {
  const box = $("detail").getBoundingClientRect();
  if (event.target === $("detail") && event.clientX < box.left) $("detail").close();
});
$("detail").addEventListener("close", () => {
  openBot = null;
  history.replaceState(null, "", location.pathname);
});

function openFromAddress() {
  const id = /^#bot=([a-z0-9_]+-\d+)$/.exec(location.hash)?.[1];
  if (id) open(id);
}
window.addEventListener("hashchange", openFromAddress);
if (!document.hidden) begin();
openFromAddress();

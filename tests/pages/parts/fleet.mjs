// A fleet of the tests' own: the real program, with its scripts, its data and its ports in a temporary place.

import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const TOKEN = "a-token-that-only-the-tests-know";
const SPEED = 60;

const CONFIG = `
seed = "pages"
[clock]
speed = ${SPEED}.0
[floimg]
reads_per_sec = 1000.0
writes_per_sec = 1000.0
[limits]
actions_per_hour = 10000
actions_per_day = 10000
posts_per_day = 10000
comments_per_hour = 10000
comments_per_day = 10000
upvotes_per_hour = 10000
upvotes_per_day = 10000
generations_per_day = 10000
duplicate_days = 0
typing_chars_per_sec = 1000.0
[[bots]]
persona = "painter"
count = 1
[[bots]]
persona = "critic"
count = 1
[[bots]]
persona = "clerk"
count = 31
`;

function freePort() {
  return new Promise((done, failed) => {
    const server = createServer();
    server.once("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

// Asks again until `look` answers something, or throws what it last said after `seconds`.
export async function eventually(what, look, seconds = 30) {
  const end = performance.now() + seconds * 1000;
  let last;
  for (;;) {
    try {
      const found = await look();
      if (found) return found;
    } catch (problem) {
      last = problem;
    }
    if (performance.now() > end) throw new Error(`${what}: not within ${seconds} s`, { cause: last });
    await new Promise((done) => setTimeout(done, 50));
  }
}

export class Fleet {
  static async start(binary, scripts, config = CONFIG) {
    const fleet = new Fleet();
    fleet.folder = mkdtempSync(join(tmpdir(), "fleet-pages-"));
    fleet.scripts = join(fleet.folder, "scripts");
    cpSync(scripts, fleet.scripts, { recursive: true });
    writeFileSync(join(fleet.folder, "config.toml"), config);
    fleet.status = `http://127.0.0.1:${await freePort()}`;
    fleet.studio = `http://127.0.0.1:${await freePort()}`;
    fleet.log = "";
    const listen = (key, url) => ["--set", `${key}=${new URL(url).host}`];
    fleet.child = spawn(binary, ["run", ...listen("http.listen", fleet.status), ...listen("studio.listen", fleet.studio)], {
      cwd: fleet.folder,
      env: { FLEET_ADMIN_TOKEN: TOKEN },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const keep = (text) => (fleet.log = (fleet.log + text).slice(-20000));
    fleet.child.stdout.on("data", keep);
    fleet.child.stderr.on("data", keep);
    fleet.ended = new Promise((done) => fleet.child.once("close", done));
    fleet.child.once("error", (problem) => keep(`could not start ${binary}: ${problem.message}`));
    try {
      await eventually("the fleet is ready", () => {
        if (fleet.child.exitCode !== null || fleet.child.pid === undefined) return true;
        return fetch(`${fleet.status}/readyz`).then((reply) => reply.ok);
      });
      if (fleet.child.exitCode !== null || fleet.child.pid === undefined) throw new Error("the fleet ended at once");
    } catch (problem) {
      await fleet.stop();
      throw new Error(`${problem.message}; it said:\n${fleet.log}`, { cause: problem });
    }
    return fleet;
  }

  // Also a fleet that hangs is gone afterwards, and its folder with it.
  async stop() {
    if (this.child.pid !== undefined && this.child.exitCode === null) {
      this.child.kill("SIGTERM");
      const late = setTimeout(() => this.child.kill("SIGKILL"), 15000);
      await this.ended;
      clearTimeout(late);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  async ask(path) {
    const reply = await fetch(`${this.status}/api/v1${path}`);
    if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
    return reply.json();
  }

  async control(target, verb, body = {}) {
    const headers = { "Authorization": `Bearer ${TOKEN}`, "Content-Type": "application/json" };
    const reply = await fetch(`${this.status}/api/v1/${target}/${verb}`, { method: "POST", headers, body: JSON.stringify(body) });
    if (!reply.ok) throw new Error(`${verb} ${target}: ${reply.status} ${await reply.text()}`);
    return reply.json();
  }

  // What is done and shown in the gallery, newest first.
  async shared(persona) {
    const { items } = await this.ask("/activities?limit=500");
    return items.filter((one) => ["share", "remix"].includes(one.kind) && one.ending === "done" && one.persona === persona);
  }

  // Wakes a bot, and waits until it rests again after at least one more tick.
  async wake(id) {
    const before = (await this.ask(`/bots/${id}`)).ticks;
    await this.control(`bots/${id}`, "wake");
    await eventually(`${id} ticks`, async () => {
      const bot = await this.ask(`/bots/${id}`);
      return bot.ticks > before && bot.status === "asleep";
    });
  }
}

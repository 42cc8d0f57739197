// The pages of a running fleet in a real browser, as a visitor and as an operator use them.
//
// Run by tests/run, which says where the browser, the program and the repository are. FLEET_TEST_SHOTS names a folder
// for screenshots; FLEET_TEST_ONLY runs only the tests whose names hold that text.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openBrowser } from "./parts/browser.mjs";
import { Fleet } from "./parts/fleet.mjs";
import { status } from "./parts/status.mjs";
import { studio } from "./parts/studio.mjs";

function needed(name) {
  if (!process.env[name]) throw new Error(`${name} is not set; start the page tests with tests/run`);
  return process.env[name];
}

const root = needed("FLEET_TEST_ROOT");
const only = process.env.FLEET_TEST_ONLY ?? "";
const shots = process.env.FLEET_TEST_SHOTS;
if (shots) mkdirSync(shots, { recursive: true });
const browser = await openBrowser(needed("FLEET_TEST_BROWSER"));
let fleet;
let passed = 0;
let failed = 0;

async function end() {
  await browser.close();
  await fleet?.stop();
}
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => end().finally(() => process.exit(1)));

try {
  fleet = await Fleet.start(needed("FLEET_TEST_BINARY"), join(root, "tests/pages/scripts"));
  const shoot = async (page, name) => shots && page.screenshot({ path: join(shots, `${name}.png`) });
  for (const [name, test] of [...studio, ...status].filter(([name]) => name.includes(only))) {
    const began = performance.now();
    try {
      await test({ fleet, browser, shoot });
      passed += 1;
      console.log(`ok      ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
    } catch (problem) {
      failed += 1;
      console.log(`FAILED  ${name}\n${problem.stack}${problem.cause ? `\nbecause: ${problem.cause.stack}` : ""}\n`);
    }
  }
  if (failed) console.log(`the fleet said:\n${fleet.log.split("\n").slice(-30).join("\n")}`);
} catch (problem) {
  failed += 1;
  console.log(`FAILED  the fleet starts\n${problem.stack}`);
} finally {
  await end();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed || !passed ? 1 : 0;

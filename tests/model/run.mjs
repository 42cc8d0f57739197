// A persona that writes with a real language model: a real server, a real small model, the real program.
//
// Run by tests/run, which says where the program, the repository and the model are.

import { join } from "node:path";
import { eventually, Fleet } from "./fleet.mjs";
import { serve } from "./serve.mjs";

function needed(name) {
  if (!process.env[name]) throw new Error(`${name} is not set; start this test with tests/run`);
  return process.env[name];
}

function check(holds, what) {
  if (!holds) throw new Error(what);
  console.log(`ok      ${what}`);
}

const calls = [];
const server = await serve(needed("FLEET_TEST_MODEL"), (call) => calls.push(call));
let fleet;
try {
  const config = `
[llm]
provider = "models"
fallback = "fail"
timeout_secs = 240.0
attempt_timeout_secs = 120.0
[llm.roles]
small = "smollm"
[llm.providers.local]
base_url = "http://127.0.0.1:${server.port}/v1"
[llm.models.smollm]
provider = "local"
model = "smollm2-135m"
price = "free"
json_schema = true
seed = true
temperature = 0.8
[[bots]]
persona = "speaker"
count = 1
`;
  const scripts = join(needed("FLEET_TEST_ROOT"), "tests/model/scripts");
  fleet = await Fleet.start(needed("FLEET_TEST_BINARY"), scripts, config);
  const [post] = await eventually("the speaker shares a picture", async () => {
    const shared = await fleet.shared("speaker");
    return shared.length > 0 && shared;
  }, 240);
  const [title, judged] = calls;
  const said = title.answered.choices[0].message.content;
  const asked = title.asked.messages.map((message) => message.content).join("\n");
  check(calls.length === 2, "one call for the title, one for the table");
  check(asked.includes("Plain and warm") && asked.includes("red circle"), "the model is told the voice and what is wanted");
  check(title.asked.max_tokens <= 60 && Number.isInteger(title.asked.seed), "the answer is bounded and repeatable");
  check(title.answered.usage.completion_tokens > 0, "the model counts its tokens");
  const words = (text) => text.toLowerCase().split(/[^\p{L}]+/u).filter(Boolean);
  const shared = words(post.text);
  check(shared.length > 0 && shared.every((word) => words(said).includes(word)), `the post's title is what the model said: ${post.text}`);
  const calm = JSON.parse(judged.answered.choices[0].message.content).calm;
  check(typeof calm === "number", `the model keeps to the schema: calm = ${calm}`);
} catch (problem) {
  console.log(`FAILED  ${problem.stack}${problem.cause ? `\nbecause: ${problem.cause.stack}` : ""}`);
  console.log(`the model was asked:\n${JSON.stringify(calls, null, 1).slice(-4000)}`);
  console.log(`the fleet said:\n${fleet?.log.split("\n").slice(-30).join("\n")}`);
  process.exitCode = 1;
} finally {
  await fleet?.stop();
  await server.close();
}

// A server that answers /v1/chat/completions with a small model on the CPU, as llama.cpp's own server does.
//
// Repeatable with a seed; it counts its tokens, and keeps to a JSON schema.

import { createServer } from "node:http";
import { getLlama, LlamaChatSession } from "node-llama-cpp";

/** Loads the model and listens on a free port. */
export async function serve(modelPath, said) {
  // Nothing is built or fetched: the prebuilt program for this processor must do.
  const llama = await getLlama({ gpu: false, build: "never", usePrebuiltBinaries: true, skipDownload: true });
  const model = await llama.loadModel({ modelPath });
  // One thread: several wait for each other in a loop, and take minutes for a sentence while the machine is busy.
  const context = await model.createContext({ contextSize: 2048, threads: 1 });
  let line = Promise.resolve();

  async function complete(body) {
    const of = (role) => body.messages.filter((message) => message.role === role);
    const text = ({ content }) => (typeof content === "string" ? content : content.map((part) => part.text ?? "").join(""));
    const sequence = context.getSequence();
    try {
      const session = new LlamaChatSession({ contextSequence: sequence, systemPrompt: of("system").map(text).join("\n") });
      const schema = body.response_format?.json_schema?.schema;
      const grammar = schema && (await llama.createGrammarForJsonSchema(schema));
      const { responseText, stopReason } = await session.promptWithMeta(of("user").map(text).join("\n\n"), {
        maxTokens: body.max_tokens ?? body.max_completion_tokens,
        temperature: body.temperature,
        seed: body.seed,
        customStopTriggers: body.stop,
        grammar,
      });
      const { usedInputTokens: prompt_tokens, usedOutputTokens: completion_tokens } = sequence.tokenMeter;
      return {
        id: "chatcmpl-local",
        object: "chat.completion",
        created: Math.floor(Date.now() / 1000),
        model: body.model,
        choices: [{
          index: 0,
          finish_reason: stopReason === "maxTokens" ? "length" : "stop",
          message: { role: "assistant", content: responseText },
        }],
        usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
      };
    } finally {
      sequence.dispose();
    }
  }

  const server = createServer(async (request, response) => {
    const answer = (status, body) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    try {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      if (request.method !== "POST" || request.url !== "/v1/chat/completions") {
        return answer(404, { error: { message: `no ${request.method} ${request.url} here` } });
      }
      const body = JSON.parse(Buffer.concat(chunks).toString());
      // One at a time: there is one context.
      const turn = line.then(() => complete(body));
      line = turn.catch(() => {});
      const reply = await turn;
      said({ asked: body, answered: reply });
      answer(200, reply);
    } catch (problem) {
      answer(500, { error: { message: String(problem) } });
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: server.address().port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await llama.dispose();
    },
  };
}

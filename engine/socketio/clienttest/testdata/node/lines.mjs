// Requests and answers as lines of JSON: {"id":1,"cmd":"name",...} on standard input, {"id":1,"ok":true,"result":...}
// or {"id":1,"error":"..."} on standard output. Many requests may be under way at once; answers come in any order.
// The process ends when its standard input does, so it never outlives the test that started it.
import { createInterface } from "node:readline";

// serve answers every line with commands[cmd](request). `end` runs before the process leaves.
export function serve(commands, end = () => {}) {
  const answer = (body) => process.stdout.write(JSON.stringify(body) + "\n");
  const input = createInterface({ input: process.stdin, crlfDelay: Infinity });

  input.on("line", async (line) => {
    const request = JSON.parse(line);
    try {
      const command = commands[request.cmd];
      if (!command) throw new Error(`unknown command ${request.cmd}`);
      answer({ id: request.id, ok: true, result: (await command(request)) ?? null });
    } catch (fault) {
      answer({ id: request.id, error: fault?.message || String(fault) });
    }
  });
  input.on("close", async () => {
    await end();
    process.exit(0);
  });
}

// within rejects when `promise` takes longer than `ms`; `what` is called for the words of the error.
export function within(promise, ms, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms: ${what()}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

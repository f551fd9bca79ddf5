// Calls from the test, one JSON object a line: {"call": name, "given": {...}}. Each is answered with one
// line, {"gave": ...} or {"threw": {"name": ..., "message": ...}}. What libraries log goes to standard error.
import { createInterface } from "node:readline";

console.log = console.info = console.debug = console.error;

export async function answerLines(calls) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { call, given } = JSON.parse(line);
    process.stdout.write(`${JSON.stringify(await answer(calls[call], given))}\n`);
  }
}

async function answer(call, given) {
  try {
    return { gave: (await call(given)) ?? null };
  } catch (error) {
    const name = error.name === "Error" ? error.constructor.name : error.name; // some say it in one place only
    return { threw: { name, message: error.message } };
  }
}

// Runs a statement again and again and says what it cost, as loop.py beside this folder does for Python.
import { createInterface } from "node:readline";

const [setup, statement] = process.argv.slice(2);
const AsyncFunction = (async () => {}).constructor;
const repeat = await new AsyncFunction(
  `${setup}\nreturn async (count) => { for (let i = 0; i < count; i++) { ${statement} } };`,
)();
for await (const line of createInterface({ input: process.stdin })) {
  const wall = performance.now();
  const cpu = process.cpuUsage();
  await repeat(Number(line));
  const { user, system } = process.cpuUsage(cpu);
  console.log((user + system) / 1e6, (performance.now() - wall) / 1e3);
}

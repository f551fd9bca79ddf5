// The peer cognito-srp: reads tasks as JSON from standard input, writes what the package's server half makes of them.
// Rule of this file: the package computes.

"use strict";

const { readFileSync } = require("node:fs");
const { ServerPasswordChallenge, UserPool } = require("cognito-srp");
const { multiplierParameter } = require("cognito-srp/dist/lib/constants");

async function signIn(task) {
  const pool = new UserPool(task.group);
  const user = await pool.createUser({ username: task.name, password: task.password }, task.salt);
  const challenge = new ServerPasswordChallenge(task.group, user, task.b);
  const srpB = challenge.calculateB().toString("hex");
  const session = challenge.getSession(task.srp_a);
  return {
    function: "UserPool.createUser and ServerPasswordChallenge.getSession",
    verifier: user.verifier,
    srp_b: srpB,
    u: session.scramblingParameter.toString("hex"),
    s: session.key.toString("hex"),
    key: session.getHkdf(),
    signature: session.calculateSignature(task.secret_block, task.timestamp),
  };
}

async function multiplier() {
  return { function: "constants.multiplierParameter", k: multiplierParameter.toString(16) };
}

const KINDS = { user: signIn, device: signIn, multiplier };
const tasks = JSON.parse(readFileSync(0, "utf8"));
Promise.all(tasks.map((task) => KINDS[task.kind]?.(task) ?? null)).then((results) => {
  process.stdout.write(JSON.stringify({ version: require("cognito-srp/package.json").version, results }));
});

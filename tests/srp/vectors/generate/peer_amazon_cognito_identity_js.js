// The peer amazon-cognito-identity-js: reads tasks as JSON from standard input, writes what the package makes of them.
// Rule of this file: the package computes; only its dice, its clock and its network are replaced.

"use strict";

const { readFileSync } = require("node:fs");
const {
  AuthenticationDetails,
  AuthenticationHelper,
  CognitoUser,
  CognitoUserPool,
  DateHelper,
  WordArray,
} = require("amazon-cognito-identity-js");
const BigInteger = require("amazon-cognito-identity-js/lib/BigInteger").default;

const RealDate = Date;

function setClock(moment) {
  globalThis.Date = class extends RealDate {
    constructor(...values) {
      super(...(values.length ? values : [moment]));
    }
  };
}

function setExponent(a) {
  AuthenticationHelper.prototype.generateRandomSmallA = () => new BigInteger(a, 16);
}

// S and u go into computehkdf as they are hashed, and nowhere else can they be seen both.
const computehkdf = AuthenticationHelper.prototype.computehkdf;
let derived;
AuthenticationHelper.prototype.computehkdf = function (ikm, salt) {
  const key = computehkdf.call(this, ikm, salt);
  derived = {
    s: ikm.toString("hex"),
    u: salt.toString("hex"),
    key: Buffer.from(key).toString("hex"),
  };
  return key;
};

function isDevice(task) {
  return task.kind === "device";
}

function cognitoUser(task, challenge, sent) {
  const storage = { getItem: () => null, setItem() {}, removeItem() {} };
  const pool = new CognitoUserPool({
    UserPoolId: `eu-west-1_${isDevice(task) ? "pool" : task.group}`,
    ClientId: "client",
    Storage: storage,
  });
  pool.client = {
    request(operation, parameters, answer) {
      sent.push(parameters.ChallengeResponses ?? parameters.AuthParameters);
      if (sent.length === 1) answer(null, { ChallengeParameters: challenge });
    },
  };
  return new CognitoUser({ Username: task.name, Pool: pool, Storage: storage });
}

function signIn(task) {
  setClock(task.moment);
  setExponent(task.a);
  const sent = [];
  const challenge = {
    USERNAME: task.name,
    USER_ID_FOR_SRP: task.name,
    SALT: task.salt,
    SRP_B: task.srp_b,
    SECRET_BLOCK: task.secret_block,
  };
  const user = cognitoUser(task, challenge, sent);
  const callbacks = {
    onFailure(error) {
      throw error;
    },
  };
  if (isDevice(task)) {
    Object.assign(user, { deviceGroupKey: task.group, deviceKey: task.name, randomPassword: task.password });
    user.getDeviceResponse(callbacks);
  } else {
    const details = new AuthenticationDetails({ Username: task.name, Password: task.password });
    user.authenticateUser(details, callbacks);
  }
  const [first, second] = sent;
  return {
    function: isDevice(task) ? "CognitoUser.getDeviceResponse" : "CognitoUser.authenticateUser",
    srp_a: first.SRP_A,
    timestamp: second.TIMESTAMP,
    signature: second.PASSWORD_CLAIM_SIGNATURE,
    ...derived,
  };
}

function deviceVerifier(task) {
  setExponent("2");
  const helper = new AuthenticationHelper(task.group);
  helper.generateRandomString = () => task.password;
  const random = WordArray.prototype.random;
  WordArray.prototype.random = () => ({ toString: () => task.salt });
  helper.generateHashDevice(task.group, task.name, (error) => {
    if (error) throw error;
  });
  WordArray.prototype.random = random;
  const base64 = (hex) => Buffer.from(hex, "hex").toString("base64");
  return {
    function: "AuthenticationHelper.generateHashDevice",
    password_verifier: base64(helper.getVerifierDevices()),
    padded_salt: base64(helper.getSaltDevices()),
  };
}

function pad(task) {
  setExponent("2");
  const helper = new AuthenticationHelper("pool");
  return { function: "AuthenticationHelper.padHex", padded: helper.padHex(new BigInteger(task.number, 16)) };
}

function multiplier() {
  setExponent("2");
  return { function: "AuthenticationHelper", k: new AuthenticationHelper("pool").k.toString(16) };
}

function timestamp(task) {
  setClock(task.moment);
  return { function: "DateHelper.getNowString", timestamp: new DateHelper().getNowString() };
}

const KINDS = { user: signIn, device: signIn, device_verifier: deviceVerifier, pad, multiplier, timestamp };
const tasks = JSON.parse(readFileSync(0, "utf8"));
const results = tasks.map((task) => KINDS[task.kind]?.(task) ?? null);
process.stdout.write(
  JSON.stringify({ version: require("amazon-cognito-identity-js/package.json").version, results }),
);

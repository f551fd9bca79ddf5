// amazon-cognito-identity-js: one CognitoUser, whose callbacks become the answers.
import { AuthenticationDetails, CookieStorage, CognitoUser, CognitoUserPool } from "amazon-cognito-identity-js";
import { cookieJar } from "./cookies.mjs";
import { answerLines } from "./lines.mjs";
import { verified } from "./verified.mjs";

const kept = new Map(); // the client's storage: tokens and what it knows of its device
let storage = {
  setItem: (key, value) => kept.set(key, value),
  getItem: (key) => kept.get(key),
  removeItem: (key) => kept.delete(key),
  clear: () => kept.clear(),
};
let app, user;

function outcome(begin) {
  return new Promise((resolve, reject) => {
    const asked =
      (callback) =>
      (...parameters) =>
        resolve({ asked: callback, parameters });
    begin({
      onSuccess: (session, confirmationNecessary) =>
        signedIn(session, confirmationNecessary).then(resolve, reject),
      onFailure: reject,
      associateSecretCode: (secretCode) => resolve({ secretCode }),
      customChallenge: asked("customChallenge"),
      mfaRequired: asked("mfaRequired"),
      mfaSetup: asked("mfaSetup"),
      newPasswordRequired: asked("newPasswordRequired"),
      selectMFAType: asked("selectMFAType"),
      totpRequired: asked("totpRequired"),
    });
  });
}

async function signedIn(session, confirmationNecessary = false) {
  const tokens = { access: session.getAccessToken().getJwtToken(), id: session.getIdToken().getJwtToken() };
  return { claims: await verified(app, tokens), confirmationNecessary, deviceKey: user.deviceKey ?? null };
}

function result(begin) {
  return new Promise((resolve, reject) => begin((error, value) => (error ? reject(error) : resolve(value))));
}

await answerLines({
  open: (given) => void (app = given),
  user({ username, flow = "USER_SRP_AUTH" }) {
    const { endpoint, poolId, clientId } = app;
    const pool = new CognitoUserPool({ UserPoolId: poolId, ClientId: clientId, endpoint, Storage: storage });
    user = new CognitoUser({ Username: username, Pool: pool, Storage: storage });
    user.setAuthenticationFlowType(flow);
  },
  signIn: ({ username, password }) =>
    outcome((callbacks) =>
      user.authenticateUser(new AuthenticationDetails({ Username: username, Password: password }), callbacks),
    ),
  signInWithoutPassword: ({ username }) =>
    outcome((callbacks) => user.initiateAuth(new AuthenticationDetails({ Username: username }), callbacks)),
  completeNewPassword: ({ password, attributes = {} }) =>
    outcome((callbacks) => user.completeNewPasswordChallenge(password, attributes, callbacks)),
  sendMfaCode: ({ code, factor }) => outcome((callbacks) => user.sendMFACode(code, callbacks, factor)),
  selectFactor: ({ factor }) => outcome((callbacks) => user.sendMFASelectionAnswer(factor, callbacks)),
  associateSoftwareToken: () => outcome((callbacks) => user.associateSoftwareToken(callbacks)),
  verifySoftwareToken: ({ code }) =>
    outcome((callbacks) => user.verifySoftwareToken(code, "phone", callbacks)),
  sendCustomAnswer: ({ answer }) => outcome((callbacks) => user.sendCustomChallengeAnswer(answer, callbacks)),
  refresh: async () =>
    signedIn(
      await result((callback) => user.refreshSession(user.signInUserSession.getRefreshToken(), callback)),
    ),
  rememberDevice: () =>
    new Promise((onSuccess, onFailure) => user.setDeviceStatusRemembered({ onSuccess, onFailure })),
  forgetDevice: () => new Promise((onSuccess, onFailure) => user.forgetDevice({ onSuccess, onFailure })),
  // The user whom the storage has, as a page finds them when it is loaded.
  async resume() {
    const { endpoint, poolId, clientId } = app;
    const pool = new CognitoUserPool({ UserPoolId: poolId, ClientId: clientId, endpoint, Storage: storage });
    user = pool.getCurrentUser();
    return user && signedIn(await result((callback) => user.getSession(callback)));
  },
  load: ({ entries }) => Object.entries(entries).forEach(([key, value]) => kept.set(key, value)),
  kept: () => Object.fromEntries(kept),
  useCookies({ cookies }) {
    globalThis.document = cookieJar(cookies);
    storage = new CookieStorage({});
  },
  cookies: () => document.cookie,
  signOut: () => user.signOut(),
  spoilDevice() {
    for (const key of kept.keys()) if (key.endsWith(".randomPasswordKey")) kept.set(key, "another");
  },
  session: () => user.Session,
  useSession: ({ session }) => void (user.Session = session),
});

// aws-amplify: its signIn and confirmSignIn, whose next steps become the answers.
import { cookieJar } from "./cookies.mjs";
import { answerLines } from "./lines.mjs";
import { verified } from "./verified.mjs";

globalThis.navigator ??= { userAgent: "node" }; // Node 21 has it; the client asks it for its own headers

const { Amplify } = await import("aws-amplify");
const auth = await import("aws-amplify/auth");
const { cognitoUserPoolsTokenProvider } = await import("aws-amplify/auth/cognito");
const { CookieStorage } = await import("aws-amplify/utils");

const kept = new Map(); // the client's storage: tokens and what it knows of its device
const storage = {
  setItem: async (key, value) => void kept.set(key, value),
  getItem: async (key) => kept.get(key) ?? null,
  removeItem: async (key) => void kept.delete(key),
  clear: async () => kept.clear(),
};
let app;

async function outcome({ isSignedIn, nextStep }) {
  return isSignedIn ? signedIn(await auth.fetchAuthSession()) : nextStep;
}

async function signedIn({ tokens }) {
  if (!tokens) return { claims: null }; // a session of nobody, as the client has it after a refused refresh
  return {
    claims: await verified(app, { access: tokens.accessToken.toString(), id: tokens.idToken.toString() }),
  };
}

await answerLines({
  open(given) {
    app = given;
    const { endpoint, poolId, clientId } = given;
    Amplify.configure({
      Auth: { Cognito: { userPoolId: poolId, userPoolClientId: clientId, userPoolEndpoint: endpoint } },
    });
    cognitoUserPoolsTokenProvider.setKeyValueStorage(storage); // configure sets another
  },
  signIn: async ({ username, password, flow, preferred }) =>
    outcome(
      await auth.signIn({
        username,
        password,
        options: { authFlowType: flow, preferredChallenge: preferred },
      }),
    ),
  answer: async ({ answer }) => outcome(await auth.confirmSignIn({ challengeResponse: answer })),
  refresh: async () => signedIn(await auth.fetchAuthSession({ forceRefresh: true })),
  signOut: () => auth.signOut(),
  devices: async () => (await auth.fetchDevices()).map(({ id }) => id),
  rememberDevice: () => auth.rememberDevice(),
  forgetDevice: () => auth.forgetDevice(),
  attributes: () => auth.fetchUserAttributes(),
  currentUser: () => auth.getCurrentUser(),
  session: async () => signedIn(await auth.fetchAuthSession()),
  load: ({ entries }) => Object.entries(entries).forEach(([key, value]) => kept.set(key, value)),
  kept: () => Object.fromEntries(kept),
  useCookies({ cookies }) {
    globalThis.document = cookieJar(cookies);
    cognitoUserPoolsTokenProvider.setKeyValueStorage(new CookieStorage());
  },
  cookies: () => document.cookie,
  spoilDevice() {
    for (const key of kept.keys()) if (key.endsWith(".randomPasswordKey")) kept.set(key, "another");
  },
});

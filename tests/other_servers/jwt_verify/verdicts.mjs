// What aws-jwt-verify says of tokens: standard input holds the questions as JSON, standard output gets the answers.
// It fetches key sets by https only, so a fetcher of our own has them from the question.
import { CognitoJwtVerifier } from "aws-jwt-verify";
import { SimpleJwksCache } from "aws-jwt-verify/jwk";
import { text } from "node:stream/consumers";

const { userPoolId, clientId, graceSeconds, jwks, tokens } = JSON.parse(await text(process.stdin));
const fetcher = { fetch: async () => new TextEncoder().encode(JSON.stringify(jwks)) };
// An unknown key is not to keep others from being looked for.
const penaltyBox = { wait: async () => {}, registerFailedAttempt: () => {}, registerSuccessfulAttempt: () => {} };

const verdicts = [];
for (const { tokenUse, token } of tokens) {
  const jwksCache = new SimpleJwksCache({ fetcher, penaltyBox });
  const verifier = CognitoJwtVerifier.create({ userPoolId, clientId, graceSeconds, tokenUse }, { jwksCache });
  verdicts.push(
    await verifier.verify(token).then(
      ({ sub }) => ({ sub }),
      (error) => ({ refused: error.constructor.name }),
    ),
  );
}
process.stdout.write(JSON.stringify(verdicts));

// @aws-sdk/client-cognito-identity-provider: any of its commands, by the operation's name.
import * as sdk from "@aws-sdk/client-cognito-identity-provider";
import { answerLines } from "./lines.mjs";
import { verified } from "./verified.mjs";

let app, client;

await answerLines({
  open(given) {
    app = given;
    client = new sdk.CognitoIdentityProviderClient({
      endpoint: given.endpoint,
      region: given.poolId.split("_")[0],
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
      maxAttempts: 1,
    });
  },
  async send({ operation, input }) {
    const { $metadata, ...output } = await client.send(new sdk[`${operation}Command`](input));
    const tokens = output.AuthenticationResult;
    if (tokens) output.claims = await verified(app, { access: tokens.AccessToken, id: tokens.IdToken });
    return output;
  },
});

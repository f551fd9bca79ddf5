// The claims of tokens that aws-jwt-verify has accepted: signature, issuer, expiry, token_use, app client.
// It fetches key sets by https only, so a fetcher of our own gets the pool's from the endpoint.
import { CognitoJwtVerifier } from "aws-jwt-verify";
import { SimpleJwksCache } from "aws-jwt-verify/jwk";

export async function verified({ endpoint, poolId, clientId }, tokens) {
  const fetcher = { fetch: () => fetchBytes(`${endpoint}/${poolId}/.well-known/jwks.json`) };
  const jwksCache = new SimpleJwksCache({ fetcher });
  const verify = (tokenUse) =>
    CognitoJwtVerifier.create({ userPoolId: poolId, clientId, tokenUse }, { jwksCache }).verify(
      tokens[tokenUse],
    );
  return { access: await verify("access"), id: await verify("id") };
}

async function fetchBytes(url) {
  return (await fetch(url)).arrayBuffer();
}

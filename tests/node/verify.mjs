// Verifies access tokens with jose, by the keys that the server publishes, as a
// resource server does which stays up while keys change.
//
//     node verify.mjs JWKS_URL ISSUER ALGORITHM
//
// Each line of input is {"token", "audience", "keys"}: `keys` is "kept" for a set that
// is fetched once and then as jose decides, with its defaults, or "fresh" for a new
// one. Each line of output is {"claims", "fetched"} or {"code", "fetched"}.

import { createInterface } from "node:readline";
import { createRemoteJWKSet, customFetch, jwtVerify } from "jose";

const [url, issuer, algorithm] = process.argv.slice(2);
let fetched = 0;
const keySet = () =>
  createRemoteJWKSet(new URL(url), {
    [customFetch]: (...request) => {
      fetched += 1;
      return fetch(...request);
    },
  });
const kept = keySet();

for await (const line of createInterface({ input: process.stdin })) {
  const { token, audience, keys } = JSON.parse(line);
  fetched = 0;
  let answer;
  try {
    const options = { issuer, audience, typ: "at+jwt", algorithms: [algorithm], clockTolerance: 5 };
    const { payload } = await jwtVerify(token, keys === "kept" ? kept : keySet(), options);
    answer = { claims: payload, fetched };
  } catch (error) {
    answer = { code: error.code ?? String(error), claim: error.claim, fetched };
  }
  console.log(JSON.stringify(answer));
}

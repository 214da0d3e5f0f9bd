// Uses the server by openid-client alone: it finds everything by the metadata of
// RFC 8414, and then signs in, asks about tokens (RFC 7662) and ends them (RFC 7009).
//
//     node resource_server.mjs ISSUER
//
// Each line of input is {"do", …}, each line of output what came of it.

import { createInterface } from "node:readline";
import * as client from "openid-client";

const issuer = new URL(process.argv[2]);
const options = { algorithm: "oauth2", execute: [client.allowInsecureRequests] };
const discover = (id, authentication) => client.discovery(issuer, id, undefined, authentication, options);

const actions = {
  async metadata() {
    return (await discover("anybody", client.None())).serverMetadata();
  },
  async signIn({ username, password, scope }) {
    const config = await discover("app", client.None());
    return client.genericGrantRequest(config, "password", { username, password, scope });
  },
  async renew({ refresh_token }) {
    return client.refreshTokenGrant(await discover("app", client.None()), refresh_token);
  },
  async introspect({ token, key, by }) {
    const how = by === "post" ? client.ClientSecretPost(key) : client.ClientSecretBasic(key);
    return client.tokenIntrospection(await discover("shop", how), token);
  },
  async revoke({ token }) {
    await client.tokenRevocation(await discover("app", client.None()), token);
    return { revoked: true };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: action, ...given } = JSON.parse(line);
  let answer;
  try {
    answer = await actions[action](given);
  } catch (error) {
    answer = { failed: error.error ?? error.cause?.error ?? error.code ?? String(error), status: error.status };
  }
  console.log(JSON.stringify(answer));
}

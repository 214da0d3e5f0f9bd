// An OpenID Connect issuer on loopback: `node oidc_provider.mjs PORT REDIRECT_URI [OPTIONS]`.
//
// It prints `listening http://127.0.0.1:PORT` when it can be asked, and ends with its standard
// input. The client is `countersign` with the secret `countersign-secret`. OPTIONS is JSON:
//   algorithm   what ID tokens are signed with: RS256 (the default), ES256, PS256 or EdDSA
//   verified    what `email_verified` says, of any type; true if nothing is said
//   userinfo    true: the address is told by the userinfo endpoint alone
//
// A person signs in without a page: follow /auth to its interaction, POST there
// `prompt=login&login=NAME&password=x`, follow, POST `prompt=consent`, follow to REDIRECT_URI.
// NAME is the subject, and NAME@people.example the address.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import { Provider } from 'oidc-provider';

const [port, redirectUri, more = '{}'] = process.argv.slice(2);
if (!/^\d+$/.test(port ?? '') || !redirectUri) {
  console.error('usage: node oidc_provider.mjs PORT REDIRECT_URI [OPTIONS]');
  process.exit(2);
}
const { algorithm = 'RS256', verified = true, userinfo = false } = JSON.parse(more);
const issuer = `http://127.0.0.1:${port}`;

function key() {
  const kinds = {
    RS256: ['rsa', { modulusLength: 2048 }],
    PS256: ['rsa', { modulusLength: 2048 }],
    ES256: ['ec', { namedCurve: 'P-256' }],
    EdDSA: ['ed25519', {}],
  };
  const { privateKey } = generateKeyPairSync(...kinds[algorithm]);
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: algorithm };
}

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'countersign',
      client_secret: 'countersign-secret',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: algorithm,
    },
  ],
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['name', 'locale'],
  },
  conformIdTokenClaims: userinfo,
  cookies: { keys: [randomBytes(16).toString('hex')] },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
  features: { devInteractions: { enabled: true } },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      email: `${id}@people.example`,
      email_verified: verified,
      name: id,
      locale: 'ko-KR',
    }),
  }),
  jwks: { keys: [key()] },
  pkce: { required: () => true },
  ttl: { AuthorizationCode: 60, IdToken: 3600 },
});

createServer(provider.callback()).listen(Number(port), '127.0.0.1', () => {
  console.log(`listening ${issuer}`);
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));

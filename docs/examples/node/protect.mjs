// A service that only people who are signed in can use: it asks Countersign about
// each access token, and answers as RFC 6750 says.
//
//     GET /me        anybody who is signed in
//     GET /profile   whose token has the scope `profile`

import { answer, connect, options, reason, serve } from "./connection.mjs";

const SCOPES = { "/me": [], "/profile": ["profile"] };
const given = options(8090);
const countersign = connect(given);

async function handle(request, response) {
  const scopes = SCOPES[request.url];
  if (request.method !== "GET" || !scopes) return answer(response, 404, { error: "not_found" });
  const [, token] = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? "") ?? [];
  // Nothing was shown, so nothing is said to be wrong with it.
  if (!token) return challenge(response, 401, 'Bearer realm="example"', "ACCESS_TOKEN_MISSING");
  let verdict;
  try {
    verdict = await countersign.ValidateToken({ access_token: token, required_scopes: scopes });
  } catch (error) {
    // Nobody could tell: that is no "no". The client keeps its token and asks again.
    console.error("ValidateToken:", error.code, reason(error));
    return answer(response, 503, { error: "unavailable" }, { "retry-after": "1" });
  }
  if (verdict.verdict === "valid") {
    const who = verdict.valid;
    return answer(response, 200, { user_id: who.subject, group_id: who.group_id, scopes: who.scopes });
  }
  const why = verdict.rejected.reason.replace("REJECTION_REASON_", "");
  if (why === "INSUFFICIENT_SCOPE") {
    return challenge(response, 403, `Bearer error="insufficient_scope", scope="${scopes.join(" ")}"`, why);
  }
  // Expired, revoked, altered, of another audience or issuer, no token at all.
  challenge(response, 401, 'Bearer error="invalid_token"', why);
}

function challenge(response, status, how, why) {
  answer(response, status, { error: why }, { "www-authenticate": how });
}

serve(given.port, handle);

// A gateway for browsers: it signs a person in, keeps the tokens to itself, renews
// them, and calls a service with them. The browser has a cookie that says nothing.
//
//     POST /login    {"email": …, "password": …}
//     GET  /…        the answer of the protected service, see protect.mjs
//     POST /logout

import { randomBytes } from "node:crypto";
import { answer, connect, options, reason, serve } from "./connection.mjs";

// What a reason means for the browser. Any other error is "could not tell": 503, and
// nobody is signed out by it.
const REFUSALS = {
  FIELD_INVALID: 400,
  SIGN_IN_REFUSED: 401,
  USER_SUSPENDED: 403,
  USER_WITHDRAWN: 403,
  TOO_MANY_ATTEMPTS: 429,
  REFRESH_TOKEN_INVALID: 401,
  REFRESH_TOKEN_REUSED: 401,
  SESSION_ENDED: 401,
};
// The tokens of each cookie. A real gateway keeps them where a restart does not lose them.
const sessions = new Map();
const given = options(8091);
const countersign = connect(given);

async function handle(request, response) {
  const routes = { "POST /login": signIn, "POST /logout": signOut };
  const route = request.method === "GET" ? forward : routes[`${request.method} ${request.url}`];
  if (!route || !request.url.startsWith("/")) return answer(response, 404, { error: "not_found" });
  // Another site's form cannot send this type, and SameSite keeps its scripts out.
  if (request.method === "POST" && !/^application\/json\b/.test(request.headers["content-type"] ?? "")) {
    return answer(response, 415, { error: "send application/json" });
  }
  try {
    await route(request, response);
  } catch (error) {
    if (error.code === undefined || !error.metadata) throw error; // no error of a call
    const why = reason(error);
    const status = REFUSALS[why] ?? 503;
    if (status === 503) {
      console.error("Countersign:", error.code, why);
      return answer(response, 503, { error: "unavailable" }, { "retry-after": "1" });
    }
    if (status === 401 && route === forward) sessions.delete(cookieOf(request));
    answer(response, status, { error: why });
  }
}

async function signIn(request, response) {
  const { email, password } = await json(request);
  if (typeof email !== "string" || typeof password !== "string") {
    return answer(response, 400, { error: "email and password are needed" });
  }
  const issued = await countersign.IssueTokens({
    password: { identifier: { email }, password },
    scopes: ["profile"],
    client_context: context(request),
  });
  // Ask for a code, and give it to SessionService.ValidateMfaSession.
  if (issued.outcome === "mfa_required") return answer(response, 403, { error: "MFA_REQUIRED" });
  const cookie = randomBytes(32).toString("base64url");
  sessions.set(cookie, issued.tokens);
  // `Secure`, too, as soon as it is served over HTTPS.
  const header = `session=${cookie}; Path=/; HttpOnly; SameSite=Strict`;
  answer(response, 200, { user_id: issued.tokens.user_id }, { "set-cookie": header });
}

async function signOut(request, response) {
  const cookie = cookieOf(request);
  if (sessions.has(cookie)) {
    await countersign.RevokeToken({ token: sessions.get(cookie).refresh_token });
    sessions.delete(cookie);
  }
  answer(response, 200, {}, { "set-cookie": "session=; Path=/; Max-Age=0" });
}

async function forward(request, response) {
  const cookie = cookieOf(request);
  let tokens = sessions.get(cookie);
  if (!tokens) return answer(response, 401, { error: "sign in" });
  if (tokens.access_token_expire_time.seconds <= Date.now() / 1000 + 5) {
    // Two requests may do this at once: both get the same new tokens.
    const { refresh_token } = tokens;
    ({ tokens } = await countersign.RefreshTokens({ refresh_token, client_context: context(request) }));
    sessions.set(cookie, tokens);
  }
  const headers = { authorization: `Bearer ${tokens.access_token}` };
  const signal = AbortSignal.timeout(10_000);
  try {
    const service = await fetch(`http://${given.service}${request.url}`, { headers, signal });
    answer(response, service.status, await service.json());
  } catch {
    answer(response, 502, { error: "the service does not answer" });
  }
}

async function json(request) {
  let text = "";
  for await (const part of request.setEncoding("utf8")) text += part;
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

function cookieOf(request) {
  return /(?:^|; *)session=([^;]*)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
}

// For whom the gateway calls: attempts are counted by the address.
function context(request) {
  const user_agent = (request.headers["user-agent"] ?? "").slice(0, 512);
  return { ip_address: request.socket.remoteAddress, user_agent };
}

serve(given.port, handle);

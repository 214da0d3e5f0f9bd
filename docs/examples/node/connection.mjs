// A client of Countersign's AuthService, and what its errors say.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";
import protobuf from "protobufjs";

const PROTO = fileURLToPath(new URL("../../../proto", import.meta.url));
const definition = protoLoader.loadSync("countersign/v1/auth.proto", {
  includeDirs: [PROTO],
  keepCase: true,
  enums: String,
  longs: Number,
  defaults: true,
  oneofs: true,
});
const { AuthService } = grpc.loadPackageDefinition(definition).countersign.v1;

// google.rpc.Status and ErrorInfo, which come with each error.
const details = protobuf.parse(`syntax = "proto3";
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message ErrorInfo { string reason = 1; string domain = 2; }`, { keepCase: true }).root;

// The arguments of a program, with the port where it listens.
export function options(port) {
  const text = (value) => ({ type: "string", default: value });
  return parseArgs({
    options: {
      countersign: text("127.0.0.1:50051"),
      ca: { type: "string" }, // the certificate of the authority, if it serves TLS
      port: text(String(port)),
      service: text("127.0.0.1:8090"),
    },
  }).values;
}

// Functions by the names of the RPCs, which send the key of this caller, if it has one.
export function connect({ countersign, ca }) {
  const credentials = ca
    ? grpc.credentials.createSsl(readFileSync(ca))
    : grpc.credentials.createInsecure();
  // After a restart of the server a channel is back within a second.
  const client = new AuthService(countersign, credentials, {
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1000,
  });
  const metadata = new grpc.Metadata();
  const key = process.env.COUNTERSIGN_API_KEY;
  if (key) metadata.set("authorization", `Bearer ${key}`);
  const call = (rpc) => (request) =>
    new Promise((resolve, reject) => {
      const deadline = Date.now() + 5000;
      client[rpc](request, metadata, { deadline }, (error, answer) => (error ? reject(error) : resolve(answer)));
    });
  const rpcs = ["IssueTokens", "RefreshTokens", "ValidateToken", "RevokeToken"];
  return Object.fromEntries(rpcs.map((rpc) => [rpc, call(rpc)]));
}

// The reason of an error, a name from error_reason.proto; empty if it is not of Countersign.
export function reason(error) {
  const [status] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (!status) return "";
  for (const { type_url, value } of details.lookupType("Status").decode(status).details) {
    if (!type_url.endsWith("/google.rpc.ErrorInfo")) continue;
    const info = details.lookupType("ErrorInfo").decode(value);
    if (info.domain === "countersign") return info.reason;
  }
  return "";
}

export function answer(response, status, body, headers = {}) {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store", ...headers });
  response.end(JSON.stringify(body));
}

// Serves until it is stopped.
export function serve(port, handler) {
  const server = createServer((request, response) => {
    handler(request, response).catch((error) => {
      console.error(error);
      if (!response.headersSent) answer(response, 500, { error: "internal" });
    });
  });
  server.listen(Number(port), "127.0.0.1", () => {
    console.log(`listening on http://127.0.0.1:${server.address().port}`);
  });
}

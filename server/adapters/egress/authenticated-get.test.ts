import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type GitServer, makeCertificate, serveRepositories } from "../git/source.fixture.ts";
import { bearerProbe } from "./authenticated-get.ts";
import { createEgress } from "./egress.ts";

const TOKEN = "token-of-the-page";
const scratch = mkdtempSync(join(tmpdir(), "countersign-get-"));
let server: GitServer;
let caFile: string;
before(async () => {
  const certificate = makeCertificate(scratch);
  caFile = certificate.caFile;
  server = await serveRepositories(scratch, certificate, { token: TOKEN });
});
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true, force: true });
});

const allowed = createEgress({ allow: ["localhost", "127.0.0.1"] });

function get(path: string, { token = TOKEN, egress = allowed, trusting = true, host = "localhost" } = {}) {
  const url = `https://${host}:${server.port}${path}`;
  return bearerProbe(
    egress,
    trusting ? caFile : undefined,
  )({ url, token: Buffer.from(token), signal: AbortSignal.timeout(10_000) });
}

test("the token is sent, and the status told", async () => {
  assert.equal(await get("/api?x=1"), 204);
  assert.equal(await get("/api", { host: "127.0.0.1" }), 204);
  assert.equal(await get("/api", { token: "another-token" }), 401);
});

test("a redirect is told and not followed", async () => {
  const before = server.requests.length;
  assert.equal(await get(`/redirect/${encodeURIComponent("https://evil.test/")}`), 302);
  assert.equal(server.requests.length, before + 1);
});

test("neither a private host nor a certificate that nobody vouches for gets it", async () => {
  const before = server.authorizations.length;
  await assert.rejects(get("/api", { egress: createEgress({ allow: [] }) }), { code: "EGRESS_REFUSED" });
  await assert.rejects(get("/api", { trusting: false }), (error: { code: string }) =>
    /CERT|SIGNATURE|ISSUER/.test(error.code),
  );
  assert.equal(server.authorizations.length, before);
  assert.equal(await get("/api"), 204);
});

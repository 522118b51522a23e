import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { refuseUnfitSecret } from "./secret-shape.ts";

/** Every system that has ssh has it. */
const KEYGEN = "ssh-keygen";

const scratch = mkdtempSync(join(tmpdir(), "countersign-ssh-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

function sshKey(type: string, passphrase: string): string {
  const file = join(mkdtempSync(join(scratch, "key-")), "id");
  execFileSync(KEYGEN, ["-q", "-t", type, "-N", passphrase, "-f", file]);
  return readFileSync(file, "utf8");
}

const unfit = (secret: string) => (error: { code: string; message: string; path: string }) => {
  assert.equal(error.code, "INPUT_INVALID");
  assert.equal(error.path, "secret");
  assert.ok(!error.message.includes(secret.slice(0, 12)), "it is not repeated");
  return true;
};

test("private keys are taken as ssh-keygen and OpenSSL write them, without a passphrase", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const fit = [
    sshKey("ed25519", ""),
    sshKey("ecdsa", ""),
    sshKey("ed25519", "").trimEnd(),
    String(rsa.export({ type: "pkcs8", format: "pem" })),
    String(rsa.export({ type: "pkcs1", format: "pem" })),
  ];
  for (const secret of fit) refuseUnfitSecret("ssh-key", secret);
  const locked = { cipher: "aes-256-cbc", passphrase: "a passphrase" };
  for (const secret of [
    sshKey("ed25519", "a passphrase"),
    String(rsa.export({ type: "pkcs8", format: "pem", ...locked })),
    String(rsa.export({ type: "pkcs1", format: "pem", ...locked })),
    fit[0]?.split("\n").slice(0, -3).join("\n") ?? "",
    fit[0]?.replace(/\n[A-Za-z0-9]{20}/, "\nAAAAAAAAAAAAAAAAAAAA") ?? "",
    "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----\n",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 a public key",
  ])
    assert.throws(() => refuseUnfitSecret("ssh-key", secret), unfit(secret));
});

test("passwords and tokens are one line", () => {
  for (const secret of ["correct horse battery", "ghp_0123456789", "pässwörter-é", "a"])
    refuseUnfitSecret("git-https", secret);
  for (const secret of [
    "two lines\nof a secret",
    " padded-in-front",
    "padded-behind ",
    "NUL in the\0middle",
    "line\u2028separator in it",
  ])
    assert.throws(() => refuseUnfitSecret("git-https", secret), unfit(secret));
  refuseUnfitSecret("bearer-token", "eyJhbGciOi.abc-_~+/=");
  for (const secret of ["a token with spaces", "pässwörter-as-token", "injected\r\nHost: evil"])
    assert.throws(() => refuseUnfitSecret("bearer-token", secret), unfit(secret));
});

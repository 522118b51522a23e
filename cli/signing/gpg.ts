import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { HubError } from "../../server/errors.ts";

/** The user's own `gpg`: it finds the key, asks for its passphrase or card, and nothing secret comes here. */

/** A detached binary signature over `bytes`, by the signing key that gpg chooses for that primary key. */
export async function gpgSign(fingerprint: string, bytes: Uint8Array): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-sign-"));
  try {
    const [file, signature] = [join(folder, "statement"), join(folder, "statement.sig")];
    writeFileSync(file, bytes, { mode: 0o600 });
    // what the user's gpg.conf may ask for is put right: armour and text signatures are refused
    const form = ["--no-armor", "--no-textmode", "--yes", "--output", signature];
    await run([...form, "--local-user", fingerprint, "--detach-sign", "--", file]);
    return readFileSync(signature);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The certificate, armoured, without what others say about it. Throws NOT_FOUND where gpg has no such key. */
export async function gpgExport(fingerprint: string): Promise<string> {
  const armoured = await run(["--armor", "--export-options", "export-minimal", "--export", "--", fingerprint]);
  if (armoured.length > 0) return armoured.toString();
  throw new HubError("NOT_FOUND", `gpg has no key ${fingerprint}: gpg --list-keys --with-subkey-fingerprints`);
}

/** Standard input and errors are the terminal's, where gpg or its agent may ask. */
async function run(args: readonly string[]): Promise<Buffer> {
  const child = spawn("gpg", args, { stdio: ["inherit", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  try {
    const [output, code] = await Promise.all([buffer(child.stdout), ended]);
    if (code === 0) return output;
    throw new HubError("CONFIG_INVALID", `gpg could not do it (exit code ${code}); what it says is above.`);
  } catch (cause) {
    if (cause instanceof HubError) throw cause;
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    const what = missing ? "There is no gpg on the PATH; install GnuPG" : "gpg could not be started";
    throw new HubError(
      "CONFIG_INVALID",
      `${what}, or sign elsewhere: --print-statement <file>, then --signature <file>.`,
      { cause },
    );
  }
}

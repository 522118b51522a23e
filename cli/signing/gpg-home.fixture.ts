import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whether this machine has GnuPG. */
export const hasGpg = spawnSync("gpg", ["--version"]).status === 0;

/** Somebody's own gpg, with keys that no passphrase guards and an agent that ends with it. */
export class GpgHome implements Disposable {
  // sockets have short paths
  readonly path = mkdtempSync(join(tmpdir(), "cs-gpg-"));

  /** With this, commands find these keys. */
  get env(): NodeJS.ProcessEnv {
    return { GNUPGHOME: this.path };
  }

  run(...args: readonly string[]): Buffer {
    const unattended = ["--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""];
    const { status, stdout, stderr } = spawnSync("gpg", [...unattended, ...args], {
      env: { ...process.env, ...this.env },
    });
    if (status !== 0) throw new Error(`gpg ${args.join(" ")}: ${stderr.toString()}`);
    return stdout;
  }

  /**
   * A key that certifies, with a subkey that signs; answers with the primary key's fingerprint.
   * @param expires as gpg takes it: `2y`, `seconds=60`
   * @param at as of when, `20260101T000000`
   */
  key(name: string, expires = "2y", at?: string): string {
    const then = at === undefined ? [] : ["--faked-system-time", at];
    this.run(...then, "--quick-generate-key", name, "ed25519", "cert", expires);
    const fingerprint = this.fingerprint(name);
    this.run(...then, "--quick-add-key", fingerprint, "ed25519", "sign", expires);
    return fingerprint;
  }

  fingerprint(name: string): string {
    const listed = this.run("--with-colons", "--list-keys", name).toString();
    return /^fpr:+([0-9A-F]{40}):/m.exec(listed)?.[1] ?? "";
  }

  [Symbol.dispose](): void {
    spawnSync("gpgconf", ["--homedir", this.path, "--kill", "all"]);
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5 });
  }
}

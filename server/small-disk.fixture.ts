import { execFileSync } from "node:child_process";
import { chmodSync, closeSync, fstatSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CHUNK = Buffer.alloc(64 << 10, 1);

/** A file system of so many megabytes, which a test can fill to the last byte. Mounting one takes root on Linux. */
export class SmallDisk implements Disposable {
  readonly folder: string;

  constructor(megabytes: number) {
    this.folder = mkdtempSync(join(tmpdir(), "countersign-disk-"));
    try {
      const size = `size=${megabytes}m,mode=0711`; // root's PostgreSQL is another user, which must be able to walk through
      execFileSync("mount", ["-t", "tmpfs", "-o", size, "countersign-test", this.folder], { stdio: "pipe" });
    } catch (error) {
      rmSync(this.folder, { recursive: true });
      throw error;
    }
    chmodSync(this.folder, 0o711);
  }

  /** Why a test has to be skipped here; false where it can run. */
  static get missing(): string | false {
    try {
      using _ = new SmallDisk(1);
      return false;
    } catch {
      return "NOT PROVEN HERE: what a full disk does takes a file system of its own, and this user may mount none (run as root on Linux)";
    }
  }

  /** Takes whatever is left, but for so many bytes. */
  fill(left = 0): void {
    const file = openSync(this.#filler, "a");
    try {
      // page by page at the end, so that nothing is left for a small file either
      for (const piece of [CHUNK, CHUNK.subarray(0, 4096), CHUNK.subarray(0, 1)]) writeUntilFull(file, piece);
      ftruncateSync(file, fstatSync(file).size - left);
    } finally {
      closeSync(file);
    }
  }

  /** Gives back what was taken. */
  free(): void {
    rmSync(this.#filler);
  }

  get #filler(): string {
    return join(this.folder, "filler");
  }

  [Symbol.dispose](): void {
    execFileSync("umount", ["--lazy", this.folder], { stdio: "pipe" });
    rmSync(this.folder, { recursive: true });
  }
}

function writeUntilFull(file: number, piece: Buffer): void {
  for (;;) {
    try {
      writeSync(file, piece);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOSPC") return;
      throw error;
    }
  }
}

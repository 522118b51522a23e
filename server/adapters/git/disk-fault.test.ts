import assert from "node:assert/strict";
import { test } from "node:test";
import { diskFault } from "./disk-fault.ts";
import { GitFailure } from "./run-git.ts";

const git = (stderr: string) => new GitFailure(128, stderr);

const faults: Readonly<Record<"accept" | "reject", readonly unknown[]>> = {
  accept: [
    Object.assign(new Error("write"), { code: "ENOSPC" }),
    Object.assign(new Error("mkdir"), { code: "EROFS" }),
    Object.assign(new Error("database or disk is full"), { errcode: 13 }),
    git("fatal: write error: No space left on device\nfatal: fetch-pack: invalid index-pack output"),
    git("remote: Counting objects: 4, done.\nfatal: unable to create temporary file: Disk quota exceeded"),
  ],
  reject: [
    Object.assign(new Error("open"), { code: "EACCES" }),
    Object.assign(new Error("database is locked"), { errcode: 5 }),
    git("remote: fatal: write error: No space left on device\nfatal: the remote end hung up unexpectedly"),
    git("fatal: repository 'https://code.example/No-space' not found"),
    undefined,
  ],
};

test("a disk that takes nothing more is told from everything else", () => {
  for (const error of faults.accept) assert.equal(diskFault(error)?.code, "DATA_FOLDER_UNUSABLE", String(error));
  for (const error of faults.reject) assert.equal(diskFault(error), undefined, String(error));
});

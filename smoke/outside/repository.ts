import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { devNull } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** Nothing of the machine's or the user's own configuration has a say. */
const ENV = {
  PATH: process.env["PATH"] ?? "",
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: devNull,
  GIT_AUTHOR_NAME: "Grace",
  GIT_AUTHOR_EMAIL: "grace@example.com",
  GIT_COMMITTER_NAME: "Grace",
  GIT_COMMITTER_EMAIL: "grace@example.com",
};

/** A Git repository on this machine that Grace commits to, with the system's git. */
export class OutsideRepository {
  readonly folder: string;
  readonly url: string;

  constructor(folder: string) {
    this.folder = folder;
    this.url = pathToFileURL(folder).href;
    mkdirSync(folder, { recursive: true });
    this.#git("init", "--quiet", "--initial-branch", "main");
  }

  /** Writes files (null removes one) and commits; answers with the commit's id. */
  commit(files: Readonly<Record<string, string | null>>, subject: string): string {
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.folder, path);
      mkdirSync(dirname(file), { recursive: true });
      if (content === null) rmSync(file);
      else writeFileSync(file, content);
    }
    this.#git("add", "--all");
    this.#git("commit", "--quiet", "--message", subject);
    return this.head();
  }

  /** Puts another commit in the place of the last one, as a force-push does; answers with its id. */
  rewrite(subject: string): string {
    this.#git("commit", "--quiet", "--amend", "--allow-empty", "--message", subject);
    return this.head();
  }

  head(): string {
    return this.#git("rev-parse", "HEAD").trim();
  }

  #git(...args: string[]): string {
    return execFileSync("git", args, {
      cwd: this.folder,
      env: ENV,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  }
}

import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { devNull } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { inheritedEnv } from "../../server/config/env.ts";
import { HubError } from "../../server/errors.ts";
import type { Narrator } from "./narrator.ts";

const run = promisify(execFile);

/** Somebody who commits to a repository with the system's git, in a working copy, and pushes. */
export class Committer {
  readonly name: string;
  /** Where it is pushed to: the file address of a bare repository. */
  readonly url: string;
  readonly #origin: string;
  readonly #copy: string;
  readonly #tell: Narrator;
  readonly #signal: AbortSignal;

  constructor(name: string, folder: string, tell: Narrator, signal: AbortSignal) {
    this.name = name;
    this.#origin = join(folder, "shop.git");
    this.#copy = join(folder, `${name}s-copy`);
    this.url = pathToFileURL(this.#origin).href;
    this.#tell = tell;
    this.#signal = signal;
  }

  /** Makes both repositories, without a word. */
  async begin(): Promise<void> {
    for (const folder of [this.#origin, this.#copy]) mkdirSync(folder, { recursive: true });
    await this.#git("init", "--quiet", "--bare", "--initial-branch=main", this.#origin);
    await this.#git("init", "--quiet", "--initial-branch=main");
    await this.#git("remote", "add", "origin", this.#origin);
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.#copy, file), text);
  }

  /** Git commands, told as one line of a shell. */
  async does(...commands: readonly (readonly string[])[]): Promise<void> {
    const answer: string[] = [];
    for (const args of commands) answer.push(await this.#git(...args));
    const call = commands.map((args) => `git ${args.map(quoted).join(" ")}`).join(" && ");
    this.#tell.exchange({ who: this.name, call, answer });
  }

  /** Throws CONFIG_INVALID where there is no git, INTERNAL where it fails. */
  async #git(...args: readonly string[]): Promise<string> {
    this.#signal.throwIfAborted();
    try {
      const { stdout, stderr } = await run("git", args, { cwd: this.#copy, env: environment(this.name) });
      return `${stdout}${stderr}`;
    } catch (cause) {
      const { code, stderr } = cause as { code?: unknown; stderr?: string };
      if (code === "ENOENT")
        throw new HubError("CONFIG_INVALID", "This demo commits to a repository, and git is not installed.");
      throw new HubError("INTERNAL", `git ${args.join(" ")} failed: ${stderr}`, { cause });
    }
  }
}

/** Nothing of the machine's or the user's own configuration has a say. */
function environment(name: string): NodeJS.ProcessEnv {
  const person = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
  return {
    PATH: inheritedEnv()["PATH"],
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: devNull,
    GIT_TERMINAL_PROMPT: "0",
    GIT_AUTHOR_NAME: person,
    GIT_AUTHOR_EMAIL: `${name}@example.com`,
    GIT_COMMITTER_NAME: person,
    GIT_COMMITTER_EMAIL: `${name}@example.com`,
  };
}

const quoted = (text: string) => (/^[\w@%+=:,./^~-]+$/.test(text) ? text : `"${text}"`);

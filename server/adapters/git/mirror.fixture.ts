/** For tests: a mirror of repositories in a temporary folder, and short ways to use it. */
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ScratchRepository } from "../../../scripts/scratch-repository.ts";
import type { FetchOptions, GitMirror } from "../../domain/gitops/git-mirror.ts";
import { createEgress } from "../egress/egress.ts";
import { type GitMirrorOptions, openGitMirror } from "./git-mirror.ts";

export const MB = 1024 * 1024;
export const ID = "0190a000-0000-7000-8000-000000000001";
/** A limit that a test reaches in no time. */
export const LIMIT = 5 * MB;

export class MirrorFixture {
  readonly scratch = realpathSync(mkdtempSync(join(tmpdir(), "countersign-git-")));
  readonly folder = join(this.scratch, "git");
  /** The one folder that is listed. */
  readonly root = join(this.scratch, "root");
  readonly progress: string[] = [];
  #mirror: GitMirror | undefined;
  #sources = 0;

  constructor() {
    mkdirSync(this.root);
  }

  async open(options: Partial<GitMirrorOptions> = {}): Promise<GitMirror> {
    this.#mirror = await openGitMirror({
      folder: this.folder,
      fileRoots: [this.root],
      maxBytes: LIMIT,
      egress: createEgress({ allow: [] }),
      ...options,
    });
    return this.#mirror;
  }

  get mirror(): GitMirror {
    if (!this.#mirror) throw new Error("the mirror is not open");
    return this.#mirror;
  }

  /** An empty repository of its own among those listed. */
  source(branch = "main"): ScratchRepository {
    return new ScratchRepository(join(this.root, `source${++this.#sources}`), branch);
  }

  options(signal = new AbortController().signal): FetchOptions {
    return { signal, progress: (sentence) => this.progress.push(sentence) };
  }

  fetch(url: string, { id = ID, branch = "main" } = {}) {
    return this.mirror.fetch({ repositoryId: id, url, branch }, this.options());
  }

  /** Texts by path. */
  async read(commit: string, path: string, includes: readonly string[] = [], id = ID): Promise<Record<string, string>> {
    const files = await this.mirror.readFiles(id, commit, path, () => includes);
    return Object.fromEntries(files.map(({ path, text }) => [path, text]));
  }

  /** What jobs left in the data folder. */
  leftovers(): string[] {
    return readdirSync(this.folder).filter((name) => name.includes(".fetch-"));
  }

  remove(): void {
    rmSync(this.scratch, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** For tests: a process of its own that fetches once. Its one argument is JSON; it writes the head's id, or a code. */
import { HubError } from "../../errors.ts";
import { createEgress } from "../egress/egress.ts";
import { openGitMirror } from "./git-mirror.ts";

export interface FetchProcess {
  readonly folder: string;
  readonly root: string;
  readonly url: string;
  readonly id: string;
  readonly allow: readonly string[];
  readonly caFile?: string;
}

const { folder, root, url, id, allow, caFile }: FetchProcess = JSON.parse(process.argv[2] ?? "");
const egress = createEgress({ allow });
const mirror = await openGitMirror({ folder, fileRoots: [root], maxBytes: 50_000_000, egress, caFile });
try {
  const options = { signal: new AbortController().signal, progress: () => {} };
  process.stdout.write((await mirror.fetch({ repositoryId: id, url, branch: "main" }, options)).id);
} catch (error) {
  process.stdout.write(error instanceof HubError ? error.code : String(error));
}

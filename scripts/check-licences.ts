/** Holds the licence of every locked package against what an Apache-2.0 product may carry. */
import { fileURLToPath } from "node:url";
import { type Lockfile, nameOf, readLockfile } from "./lockfile.ts";

const ALLOWED = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC0-1.0",
  "ISC",
  "MIT",
  "Python-2.0",
  "Unlicense",
  "Zlib",
]);

/** Packages looked at one by one, by the licence that was found then: another one is looked at anew. */
const LOOKED_AT: Readonly<Record<string, { licence: string; because: string }>> = {
  argparse: {
    licence: "PSF-2.0",
    because: "permissive, the sibling of Python-2.0; it comes with fastmcp, in tests alone",
  },
  elkjs: { licence: "EPL-2.0", because: "unchanged file-level copyleft, inside Prisma's development studio alone" },
  "human-readable-ids": { licence: "Apache2", because: "Apache-2.0 in other letters; it comes with mcp-proxy" },
  openpgp: {
    licence: "LGPL-3.0+",
    because: "unchanged, as a package of its own that anybody can exchange; the product's scope names it",
  },
  pipenet: { licence: "none stated", because: "its LICENSE file is MIT's text; it comes with mcp-proxy" },
  "seq-queue": { licence: "none stated", because: "its LICENSE file is MIT's text; it comes with Prisma's tools" },
  tv4: {
    licence: "Public Domain OR MIT",
    because: "its LICENSE file gives both, of which MIT is taken; it comes with node-vault",
  },
  "uri-templates": {
    licence: "http://geraintluff.github.io/tv4/LICENSE.txt",
    because: "public domain, says its README; it comes with fastmcp",
  },
};

/** One sentence for each package whose licence is not allowed. */
export function licenceProblems(lock: Lockfile): string[] {
  const problems: string[] = [];
  for (const [place, entry] of Object.entries(lock.packages)) {
    if (place === "") continue;
    const name = nameOf(place);
    const licence = statedBy(entry.license);
    if (isAllowed(licence) || LOOKED_AT[name]?.licence === licence) continue;
    problems.push(
      `${name}@${entry.version} has the licence ${licence}, which scripts/check-licences.ts does not allow`,
    );
  }
  return problems;
}

/** Old packages say it as an object, or as a list of them, of which any may be chosen. */
function statedBy(licence: unknown): string {
  if (typeof licence === "string") return licence;
  const said = [licence].flat().map((one) => (one as { type?: string } | undefined)?.type ?? "none stated");
  return said.find(isAllowed) ?? said.join(" OR ");
}

/** Reads an SPDX expression of AND, OR and parentheses; a word it does not know, WITH included, is not allowed. */
export function isAllowed(expression: string): boolean {
  const words = expression.match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const isWord = (word: string) => words[at]?.toUpperCase() === word;

  function either(): boolean {
    let result = both();
    while (isWord("OR")) {
      at++;
      result = both() || result;
    }
    return result;
  }
  function both(): boolean {
    let result = one();
    while (isWord("AND")) {
      at++;
      result = one() && result;
    }
    return result;
  }
  function one(): boolean {
    const word = words[at++];
    if (word !== "(") return ALLOWED.has(word ?? "");
    const inner = either();
    return words[at++] === ")" && inner;
  }

  const result = either();
  return result && at === words.length;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = licenceProblems(readLockfile());
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

/** docs/MCP_API_REFERENCE.md: every tool for people, from the registry and from calls that were made. */
import { ERROR_WORDS, type ErrorScope } from "../../contracts/errors/error-words.ts";
import { createRegistry, type RegisteredAction } from "../../server/action/registry.ts";
import { actions } from "../../tools/index.ts";
import { policyFields } from "./actions/policy-fields.ts";
import { recordedExamples } from "./examples/record.ts";
import type { Generator } from "./generator.ts";
import { toolSection } from "./reference/tool-section.ts";

const PAGE = "docs/MCP_API_REFERENCE.md";

const INTRODUCTION = `<!-- Written by \`npm run gen\` from tools/ and docs/examples/. -->
# The tools of Countersign

Every tool is called by its name: over MCP (\`tools/call\`), over HTTP (\`POST /v1/actions/<name>\` with the input as body
and \`Authorization: Bearer cs_...\`) or on the command line (\`npx countersign call <name> '<input as JSON>'\`). All doors
lead through one gate: the caller is identified, the input is parsed strictly (an unknown field is an error), the
account's policies decide, people are asked where the risk or the policy wants it, and every call leaves a signed receipt.

An answer has a \`status\`. \`done\` carries the \`output\`, a \`summary\` in words and the \`receipt\`, whose \`salt\` opens the
commitments in it. \`pending\` names a request that people have to approve first; nothing has happened yet, and
\`system_approval_get_request\` tells how it went on. Everything else is an error with a stable code ([all of
them](#errors)), a sentence, and the path of the bad field. A change that is sent again with the same
\`Idempotency-Key\` is not carried out again.

In the tables, \`a.b\` is the field \`b\` of the object \`a\`, \`a[].b\` that of each entry of a list, \`a.*.b\` that of each value of
a map, and \`a(Kind).b\` is there for that kind alone.

In an account with the profile \`solo\`, the one person's own signature takes the place of every approval, and the receipts
say so.

Ids, times, digests, keys and secrets in the examples are placeholders; everything else was answered by a hub. The
whole texts are in [docs/examples](examples).
`;

const AREAS: Readonly<Record<string, string>> = {
  identity: "Identity",
  approval: "Approvals",
  fleet: "Fleet",
  gitops: "GitOps",
  credentials: "Credentials",
  vault: "Vault",
  backup: "Backups",
  operations: "Operations",
  policy: "Policy",
  journal: "Journal",
  events: "Events",
};

const SCOPES: Readonly<Record<ErrorScope, string>> = {
  call: "Any call may be answered with these",
  action: "Tools answer with these where they say so",
  elsewhere: "Met when starting a hub, on the command line or when reading evidence",
};

/** Names that were given otherwise than `system_<area>_...`. */
const AREA_OF: Readonly<Record<string, string>> = { system_rotate_vault_transit_pepper: "vault" };

const areaOf = ({ action: { name } }: RegisteredAction): string => AREA_OF[name] ?? name.split("_")[1] ?? "";

async function page(): Promise<string> {
  const examples = await recordedExamples();
  const areas = Map.groupBy(createRegistry(actions).list(), areaOf);
  const known = [...areas.keys()].sort((a, b) => Object.keys(AREAS).indexOf(a) - Object.keys(AREAS).indexOf(b));
  const headings = known.map((area) => {
    if (AREAS[area] === undefined) throw new TypeError(`the reference has no heading for the area ${area}`);
    return { heading: AREAS[area], entries: areas.get(area) ?? [] };
  });
  return [
    INTRODUCTION,
    "## Contents",
    "",
    ...headings.flatMap(({ heading, entries }) => [
      `- [${heading}](#${heading.toLowerCase()})`,
      ...entries.map(({ action: { name, title } }) => `  - [${name}](#${name}): ${title}`),
    ]),
    "- [Errors](#errors)",
    "",
    ...headings.flatMap(({ heading, entries }) => [`## ${heading}`, "", ...entries.flatMap(section)]),
    ...errors(),
  ].join("\n");

  function section(entry: RegisteredAction): string[] {
    const example = examples.get(entry.action.name);
    if (!example && !entry.action.channels.includes("job"))
      throw new TypeError(`${entry.action.name} is not in the walk that examples are recorded from`);
    return toolSection(entry, policyFields(entry.action), example);
  }
}

function errors(): string[] {
  const codes = Object.entries(ERROR_WORDS);
  return [
    "## Errors",
    "",
    ...Object.entries(SCOPES).flatMap(([scope, heading]) => [
      `${heading}:`,
      "",
      "| Code | What it means |",
      "|---|---|",
      ...codes.filter(([, words]) => words.scope === scope).map(([code, { means }]) => `| \`${code}\` | ${means} |`),
      "",
    ]),
  ];
}

export const generator: Generator = { files: [PAGE], generate: async () => new Map([[PAGE, await page()]]) };

import type { RegisteredAction } from "../../../server/action/registry.ts";
import type { Risk } from "../../../server/action/risk.ts";
import type { Example } from "../examples/walk.ts";
import { type FieldRow, fieldRows } from "./field-rows.ts";

const LONGEST_TEXT = 160;

const EFFECTS: Readonly<Record<Risk["effect"], string>> = {
  read: "reads, and changes nothing",
  write: "changes something that can be changed again",
  destructive: "ends, replaces or deletes something",
  external: "acts on a system outside of the hub",
};

const APPROVALS: Readonly<Record<Risk["approval"], string>> = {
  none: "it runs at once",
  confirm: "the caller confirms first",
  approve: "one other person approves first",
  "two-person": "two people approve first, neither of them who asks",
};

const DOORS: Readonly<Record<string, string>> = { mcp: "MCP", http: "HTTP", cli: "command line", job: "jobs" };

/** One tool's part of the reference, in Markdown; what no door offers has no example. `fields` are what policies may read of its input. */
export function toolSection(entry: RegisteredAction, fields: readonly string[], example?: Example): string[] {
  const { action } = entry;
  return [
    `### ${action.name}`,
    "",
    `**${action.title}.** ${action.description}`,
    "",
    `- Permission: \`${action.permission}\``,
    `- Risk: ${riskInWords(action.risk)}`,
    `- Doors: ${action.channels.map((channel) => DOORS[channel]).join(", ")}`,
    ...(fields.length > 0 ? [`- Policies may read of its input: ${fields.map(code).join(", ")}`] : []),
    `- Time limit: ${action.timeLimitMs / 1000} s`,
    ...(action.secretInput
      ? [`- Secret: ${action.secretInput.map(code).join(", ")}. Part of no digest, and never kept in the clear`]
      : []),
    ...(action.secretOutput ? ["- The answer holds a secret: it is shown once, and never kept or repeated"] : []),
    "",
    ...table("Input", fieldRows(entry.inputSchema), true),
    ...table("Output", fieldRows(entry.outputSchema), false),
    `Errors of its own: ${action.errors.length > 0 ? action.errors.toSorted(byText).map(code).join(", ") : "none"}. [What they mean](#errors)`,
    "",
    ...(example ? exampleLines(example) : []),
  ];
}

function riskInWords({ effect, approval, loosens, raises = {} }: Risk): string {
  const more = Object.entries(raises).map(
    ([field, raised]) => ` With \`${field}\`: ${raised} (${APPROVALS[raised]}), whatever the policy says.`,
  );
  const less = loosens
    ? "The account's policy may ask for less"
    : "The account's policy may ask for more, not for less";
  return `${effect} (${EFFECTS[effect]}); approval ${approval} (${APPROVALS[approval]}). ${less}.${more.join("")}`;
}

function table(heading: string, rows: readonly FieldRow[], withLimits: boolean): string[] {
  if (rows.length === 0) return [`${heading}: nothing.`, ""];
  const columns = withLimits
    ? ["Field", "Type", "Required", "Limits", "What it is"]
    : ["Field", "Type", "Always there", "What it is"];
  return [
    `${heading}:`,
    "",
    `| ${columns.join(" | ")} |`,
    `|${"---|".repeat(columns.length)}`,
    ...rows.map(({ field, type, required, limits, description }) => {
      const cells = [code(field), type, required ? "yes" : "no", ...(withLimits ? [limits] : []), cell(description)];
      return `| ${cells.join(" | ")} |`;
    }),
    "",
  ];
}

function exampleLines({ caller, input, status, answer, afterApproval }: Example): string[] {
  const who = { operator: "an operator", agent: "an agent", invitee: "an invited person" }[caller];
  return [
    "<details>",
    `<summary>Example: a call by ${who} that was made</summary>`,
    "",
    "Input:",
    ...json(input),
    `Answer (HTTP ${status}):`,
    ...json(answer),
    ...(afterApproval
      ? [
          "After the approval, `system_approval_get_request` answers who asked with this result:",
          ...json(afterApproval),
        ]
      : []),
    "</details>",
    "",
  ];
}

/** Long texts are cut: they are whole in docs/examples/. */
function json(value: unknown): string[] {
  const shorten = (_: string, item: unknown) =>
    typeof item === "string" && item.length > LONGEST_TEXT ? `${item.slice(0, LONGEST_TEXT)}…` : item;
  return ["", "```json", JSON.stringify(value, shorten, 2), "```", ""];
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const code = (text: string): string => `\`${cell(text)}\``;
const byText = (a: string, b: string) => (a < b ? -1 : 1);

/** The environment variables as data and as a reference page, from server/config/env.ts. */
import { type Variable, type VariableGroup, variables } from "../../server/config/env.ts";
import { type Generator, jsonText } from "./generator.ts";

const DATA = "contracts/config/env-vars.v1.json";
const PAGE = "docs/CONFIGURATION.md";

const HEADINGS: Readonly<Record<VariableGroup, string>> = {
  folders: "Folders",
  database: "Database",
  server: "Server",
  keys: "Keys",
  "outgoing connections": "Outgoing connections",
  git: "Git",
  logs: "Logs",
  "command line": "Command line",
  system: "Taken from the system",
  test: "For the project's own tests",
};

const declared: readonly (readonly [name: string, variable: Variable])[] = Object.entries(variables);

function data(): string {
  const list = declared.map(([name, { group, type, description, secret, default: fallback }]) => ({
    name,
    group,
    type,
    description,
    secret,
    default: typeof fallback === "string" ? fallback : null,
    ...(typeof fallback === "object" && { defaultRule: fallback.text }),
  }));
  return jsonText({ version: 1, variables: list });
}

function page(): string {
  const sections = Object.entries(HEADINGS).map(([group, heading]) => {
    const rows = declared.filter(([, variable]) => variable.group === group).map(row);
    return [`## ${heading}`, "", "| Variable | Type | Default | What it is for |", "|---|---|---|---|", ...rows, ""];
  });
  return [
    "<!-- Written by `npm run gen` from server/config/env.ts. -->",
    "# Configuration",
    "",
    "The hub and its command line are configured by environment variables alone. A variable that is empty counts as",
    "unset. An unknown `COUNTERSIGN_*` variable or a bad value stops the start with one message that names all problems.",
    "Secret values are never logged and never part of an error.",
    "",
    ...sections.flat(),
  ].join("\n");
}

function row([name, { type, description, secret, default: fallback }]: (typeof declared)[number]): string {
  const shown = typeof fallback === "string" ? `\`${fallback}\`` : (fallback?.text ?? "");
  return `| \`${name}\` | ${type}${secret ? ", secret" : ""} | ${shown} | ${description} |`;
}

export const generator: Generator = {
  files: [DATA, PAGE],
  generate: async () =>
    new Map([
      [DATA, data()],
      [PAGE, page()],
    ]),
};

import { readFileSync } from "node:fs";
import * as z from "zod";

/** What a runbook has to know of a tool before it calls one. */
const toolShape = z.object({
  name: z.string(),
  title: z.string(),
  risk: z.object({
    effect: z.enum(["read", "write", "destructive", "external"]),
    approval: z.enum(["none", "confirm", "approve", "two-person"]),
  }),
  channels: z.array(z.string()),
  secretOutput: z.boolean(),
  secretInput: z.boolean().default(false),
  input: z.record(z.string(), z.unknown()),
  output: z.record(z.string(), z.unknown()),
});
export type ToolFacts = z.output<typeof toolShape>;

export interface ToolCatalogue {
  tool(name: string): ToolFacts | undefined;
  /** Codes that calls can end with. */
  readonly codes: ReadonlySet<string>;
}

const SPEC = new URL("../../spec/actions.json", import.meta.url);
const spec = z.object({ errors: z.record(z.string(), z.string()), actions: z.array(toolShape) });

/** The tools of this version, from spec/actions.json. */
export function readToolCatalogue(text = readFileSync(SPEC, "utf8")): ToolCatalogue {
  const { errors, actions } = spec.parse(JSON.parse(text));
  const tools = new Map(actions.map((tool) => [tool.name, tool]));
  return { tool: (name) => tools.get(name), codes: new Set(["OK", ...Object.keys(errors)]) };
}

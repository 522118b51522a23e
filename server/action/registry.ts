import * as z from "zod";
import { canonicalize, digest, type Json } from "../../contracts/formats/canonical-json.ts";
import type { Action } from "./define-action.ts";

/** An action with what follows from its declaration alone. */
export interface RegisteredAction {
  readonly action: Action;
  /** JSON Schema 2020-12 of what a client may send. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
  /** JSON Schema 2020-12 of what it gets. */
  readonly outputSchema: Readonly<Record<string, unknown>>;
  /** Hex SHA-256 of name, permission, risk and both schemas: an approval is bound to it. */
  readonly schemaDigest: string;
}

export interface Registry {
  get(name: string): RegisteredAction | undefined;
  /** Sorted by name. */
  list(): readonly RegisteredAction[];
}

const NAME = /^system_[a-z]+(_[a-z]+)+$/;
const PERMISSION = /^system(\.[a-z]+)+$/;

/** Throws TypeError for a declaration that cannot stand: this is a fault of the program, found when it starts. */
export function createRegistry(actions: readonly Action[]): Registry {
  const entries = new Map<string, RegisteredAction>();
  for (const action of [...actions].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!NAME.test(action.name) || action.name.length > 64) throw new TypeError(`not an action's name: ${action.name}`);
    if (!PERMISSION.test(action.permission))
      throw new TypeError(`${action.name}: not a permission: ${action.permission}`);
    if (entries.has(action.name)) throw new TypeError(`declared twice: ${action.name}`);
    if (action.secretOutput && action.channels.includes("mcp"))
      throw new TypeError(`${action.name}: a secret may not be shown to a model; offer a claim instead`);
    if (action.secretInput && action.channels.some((channel) => channel !== "http"))
      throw new TypeError(`${action.name}: a secret comes in by the plain door alone, which no model is behind`);
    const unknown = (action.secretInput ?? []).find((field) => !Object.hasOwn(action.input.shape, field));
    if (unknown !== undefined) throw new TypeError(`${action.name}: its secret ${unknown} is no input`);
    if (action.channels.includes("job") && action.channels.length > 1)
      throw new TypeError(`${action.name}: what jobs carry on without asking people is offered at no other door`);
    if (action.reach && action.risk.effect !== "external")
      throw new TypeError(`${action.name}: what reaches out is external`);
    const strange = Object.keys(action.risk.raises ?? {}).find((field) => !Object.hasOwn(action.input.shape, field));
    if (strange !== undefined) throw new TypeError(`${action.name}: its risk names ${strange}, which is no input`);
    entries.set(action.name, register(action));
  }
  return { get: (name) => entries.get(name), list: () => [...entries.values()] };
}

function register(action: Action): RegisteredAction {
  const inputSchema = withoutDialect(z.toJSONSchema(action.input, { io: "input" }));
  const outputSchema = withoutDialect(z.toJSONSchema(action.output, { io: "output" }));
  const { name, permission, risk } = action;
  const schemaDigest = digest(canonicalize({ name, permission, risk, inputSchema, outputSchema } as unknown as Json));
  return { action, inputSchema, outputSchema, schemaDigest };
}

/** The dialect is 2020-12 for all of them; MCP clients take it as given. */
function withoutDialect(schema: object): Record<string, unknown> {
  const { $schema: _, ...rest } = schema as Record<string, unknown>;
  return rest;
}

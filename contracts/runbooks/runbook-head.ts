import { parseDocument } from "yaml";
import * as z from "zod";

/** The head of a runbook: the YAML between two lines of dashes that says what it is and what it has to be told. */

/** As in the address of a runbook: a file name without its ending. */
export const RUNBOOK_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** Values go into transcripts and receipts: what is named like a secret is named by the file that holds it. */
const SECRET_NAME = /(password|passphrase|secret|token|privatekey|apikey)$/i;
const MOST_INPUTS = 40;

export const placeholderName = z.string().regex(/^[a-z][A-Za-z0-9]{0,39}$/, "a name such as `repositoryName`");

const scalar = z.union([z.string().max(1_000), z.int(), z.boolean()]);

export const runbookInput = z.strictObject({
  name: placeholderName.refine(
    (name) => !SECRET_NAME.test(name),
    "a secret is no input; ask for the file that holds it",
  ),
  description: z.string().min(1).max(300),
  type: z.enum(["string", "integer", "boolean"]).default("string"),
  default: scalar.optional().describe("without one it has to be given"),
  drill: z
    .union([scalar, z.strictObject({ captured: z.literal(true) })])
    .optional()
    .describe(
      "its value in a drill; `{{scratch}}` is the drill's folder, `captured` what a step of the drill alone finds out",
    ),
});
export type RunbookInput = z.output<typeof runbookInput>;

export const runbookHead = z.strictObject({
  title: z.string().min(1).max(120),
  purpose: z.string().min(1).max(600),
  inputs: z
    .array(runbookInput)
    .max(MOST_INPUTS)
    .default([])
    .refine((inputs) => new Set(inputs.map(({ name }) => name)).size === inputs.length, "two inputs have one name"),
});
export type RunbookHead = z.output<typeof runbookHead>;

const HEAD = /^---\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/;

/** The text between the lines of dashes, which begins on line 2, and what follows it; undefined where there is no head. */
export function splitRunbook(text: string): { readonly head: string; readonly body: string } | undefined {
  const found = HEAD.exec(text);
  return found ? { head: found[1] ?? "", body: text.slice(found[0].length) } : undefined;
}

/** For readers who run nothing; undefined where it is not as it should be. */
export function readRunbookHead(text: string): RunbookHead | undefined {
  const head = splitRunbook(text)?.head;
  if (head === undefined) return undefined;
  const document = parseDocument(head, { uniqueKeys: true });
  return document.errors.length > 0 ? undefined : runbookHead.safeParse(document.toJS()).data;
}

import { ERROR_WORDS } from "../../../contracts/errors/error-words.ts";
import type { ReceiptSummary } from "../../../contracts/evidence/receipt.ts";
import type { HubDoor } from "../hub-door.ts";
import type { DoorCall } from "./catalogue.ts";
import { readRows } from "./read-action.ts";

/** The most that a list action answers with at once. */
const ROWS = 200;
/** Pages of a list that are looked through for names. */
const MOST_PAGES = 5;
/** What clients are sent at most (MCP 2025-06-18, completion). */
const ENOUGH = 100;

/**
 * Values that an argument can have, best first; those that do not begin with what was typed are left out afterwards.
 * `context` holds the arguments that are known already.
 */
export type ValueSource = (
  door: HubDoor,
  call: DoorCall,
  typed: string,
  context: Readonly<Record<string, string>>,
) => Promise<readonly string[]>;

/** What a list action answers with, asked in the caller's name; nothing where they may not ask. */
export const listed =
  <T>(action: string, valueOf: (row: T) => string, input: Readonly<Record<string, unknown>> = {}): ValueSource =>
  async (door, call, typed) => {
    const values: string[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < MOST_PAGES && values.length < ENOUGH; page++) {
      const asked = { limit: ROWS, ...input, ...(cursor !== undefined && { cursor }) };
      const { items, next } = await readRows(door, call, action, asked);
      values.push(...(items as T[]).map(valueOf).filter((value) => begins(value, typed)));
      cursor = next;
      if (cursor === undefined) break;
    }
    return values;
  };

export const idOf = ({ id }: { id: string }) => id;
export const nameOf = ({ name }: { name: string }) => name;

export const receipts = listed<ReceiptSummary>("system_journal_list_receipts", idOf);
export const repositories = listed("system_gitops_list_repositories", nameOf);

/** Receipts of calls that came to nothing, and codes. */
export const refusedCalls: ValueSource = async (door, call) => {
  const { items } = await readRows(door, call, "system_journal_list_receipts", { limit: ROWS });
  const refused = (items as ReceiptSummary[]).filter(
    ({ code, phase }) => phase === "outcome" && Object.hasOwn(ERROR_WORDS, code),
  );
  return [...Object.keys(ERROR_WORDS), ...refused.map(idOf)];
};

/** Ids are written in lower case, kinds are not; who types does not have to know. */
export function begins(value: string, typed: string): boolean {
  return value.toLowerCase().startsWith(typed.toLowerCase());
}

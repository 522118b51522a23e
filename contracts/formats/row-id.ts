import * as z from "zod";

const ONE_SPELLING = "a UUID in lower case";
const isLower = (id: string): boolean => id === id.toLowerCase();

/**
 * The id of a row, a UUID (RFC 9562) in the one spelling that it is kept, locked and judged by: another one would be
 * another target to policies and approvals.
 */
export const rowId = z.uuid().refine(isLower, ONE_SPELLING);

/** Likewise, of rows that this hub itself names. */
export const rowIdV7 = z.uuidv7().refine(isLower, ONE_SPELLING);

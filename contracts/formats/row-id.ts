import * as z from "zod";

/**
 * The id of a row, a UUID (RFC 9562) in the one spelling that it is kept, locked and judged by: another one would be
 * another target to policies and approvals.
 */
export const rowId = z.uuid().refine((id) => id === id.toLowerCase(), "a UUID in lower case");

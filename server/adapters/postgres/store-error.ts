import pg from "pg";
import { HubError } from "../../errors.ts";

/** SQLSTATE classes of a server that cannot serve now: connection, resources, operator intervention, system. */
const UNAVAILABLE = /^(?:08|53|57P|58)/;

/**
 * What PostgreSQL or the connection to it said, as the hub's own error where the caller can do something with it.
 * Violated constraints and faults of a statement stay as they are.
 */
export function storeError(error: unknown): unknown {
  if (error instanceof pg.DatabaseError) {
    const code = error.code ?? "";
    if (UNAVAILABLE.test(code)) return unavailable(error);
    if (code === "57014") {
      return new HubError("TIMEOUT", "The database took too long over one statement.", { cause: error });
    }
    if (code === "40P01" || code === "40001") {
      return new HubError("CONFLICT", "Another transaction was in the way: try again.", { cause: error });
    }
    return error;
  }
  // what never reached the server is a fault of the statement's author
  if (error instanceof TypeError || error instanceof RangeError) return error;
  if (error instanceof Error && error.message.startsWith("Prepared statements must be unique")) return error;
  return unavailable(error);
}

function unavailable(cause: unknown): HubError {
  return new HubError("STORE_UNAVAILABLE", "The database does not answer: try again in a moment.", { cause });
}

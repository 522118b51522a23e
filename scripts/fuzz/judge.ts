import type { Kind } from "./requests.ts";
import type { Reply } from "./send.ts";

/** What no caller may be shown: where the program lies and how it is built. */
const INSIDE =
  /(?:\n|\\n)\s+at |node_modules|node:internal|\.(?:ts|m?js):\d+:\d+|\b(?:Type|Reference|Range|Syntax)Error\b/;
/** The hub's own code, else the protocol's number. */
const CODE = /"code":"([A-Z_]+)"/;
const NUMBER = /"code":(-\d+)/;
const CALL_ID = /"callId":"([0-9a-f-]{36})"/g;

export interface Verdict {
  /** For the table: a status and the hub's code, `no answer`. */
  readonly outcome: string;
  /** Calls that the answer names receipts of. */
  readonly callIds: readonly string[];
  /** What must not be. */
  readonly fault?: string;
}

/** What is to be said of one answer. */
export function judge(kind: Kind, { text, hung, reset }: Reply): Verdict {
  const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
  const status = statuses.find((found) => found !== 100);
  const code = (CODE.exec(text) ?? NUMBER.exec(text))?.[1];
  const outcome =
    status === undefined ? (reset ? "reset" : "no answer") : `${status}${code === undefined ? "" : ` ${code}`}`;
  const callIds = [...text.matchAll(CALL_ID)].map(([, id]) => String(id));
  const fault = faultOf(kind, { hung, text, status, code });
  return { outcome, callIds, ...(fault !== undefined && { fault }) };
}

function faultOf(
  kind: Kind,
  answer: { hung: boolean; text: string; status: number | undefined; code: string | undefined },
): string | undefined {
  if (answer.hung) return "no end of the answer";
  if (INSIDE.test(answer.text)) return "the inside of the hub is shown";
  if (answer.code === "INTERNAL" || answer.code === "-32603" || answer.status === 500) return "a fault of the hub";
  // what is no whole request may be left without an answer
  if (answer.status === undefined && kind !== "framing") return "no answer";
  return undefined;
}

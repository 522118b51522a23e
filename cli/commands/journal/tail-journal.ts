import { setTimeout as pause } from "node:timers/promises";
import * as z from "zod";
import { receiptSummary } from "../../../contracts/evidence/receipt.ts";
import { pageOf } from "../../../contracts/page.ts";
import { HubError } from "../../../server/errors.ts";
import { type CliContext, connectedHub } from "../../context.ts";
import type { HubClient } from "../../hub-client.ts";
import { printable, printableJson, type Terminal } from "../../terminal.ts";
import { cutText } from "../../text-width.ts";

const PAUSE_MS = 2_000;
const PAGE = 200;

const receipts = pageOf(receiptSummary);
const events = pageOf(
  z.object({
    id: z.string(),
    type: z.string(),
    subject: z.string(),
    data: z.record(z.string(), z.unknown()),
    at: z.string(),
    position: z.int(),
  }),
);

type Line =
  | ({ readonly what: "receipt" } & z.output<typeof receiptSummary>)
  | ({ readonly what: "event" } & z.output<typeof events>["items"][number]);

/** Receipts and events as they come, until it is interrupted; `--once` prints the last ones and ends. */
export async function tailJournal(context: CliContext, options: { lines: string; once?: true }): Promise<void> {
  const { terminal } = context;
  const count = Number(options.lines);
  if (!Number.isSafeInteger(count) || count < 0)
    throw new HubError("INPUT_INVALID", "--lines is a number of lines, 0 or more.", { path: "lines" });
  const feed = new Feed(connectedHub(context), count);
  const past = count === 0 ? [] : (await feed.next()).slice(-count);
  if (options.once)
    return terminal.show(past, () => past.map((line) => inWords(terminal, line)).join("\n") || "Nothing yet.");
  if (count === 0) await feed.next();
  for (let lines = past; ; lines = await feed.next()) {
    for (const line of lines) terminal.print(terminal.json ? printableJson(line) : inWords(terminal, line));
    await pause(PAUSE_MS);
  }
}

/** What is new since the last look, by time. A look leaves receipts too: those are left out. */
class Feed {
  readonly #hub: HubClient;
  /** How many receipts of the past the first look asks for. */
  readonly #past: number;
  readonly #own = new Set<string>();
  #receipt: number | undefined;
  #event = -1;
  #eventCursor: string | undefined;

  constructor(hub: HubClient, past: number) {
    this.#hub = hub;
    this.#past = past;
  }

  async next(): Promise<Line[]> {
    const lines: Line[] = [...(await this.#newEvents()), ...(await this.#newReceipts())];
    return lines.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  }

  /** Newest first, page by page, until what was seen before. */
  async #newReceipts(): Promise<Line[]> {
    const found: z.output<typeof receiptSummary>[] = [];
    const seen = this.#receipt;
    let cursor: string | undefined;
    do {
      const limit = seen === undefined ? Math.min(PAGE, Math.max(1, this.#past)) : PAGE;
      const page = receipts.parse(await this.#ask("system_journal_list_receipts", limit, cursor));
      const fresh = page.items.filter((item) => seen === undefined || item.position > seen);
      found.push(...fresh);
      const wanted = seen === undefined ? found.length < this.#past : fresh.length === page.items.length;
      cursor = wanted ? page.next : undefined;
    } while (cursor !== undefined);
    this.#receipt = found[0]?.position ?? seen ?? -1;
    return found
      .filter(({ callId }) => !this.#own.delete(callId))
      .reverse()
      .map((receipt) => ({ what: "receipt", ...receipt }));
  }

  /** Oldest first, from where the last look ended. */
  async #newEvents(): Promise<Line[]> {
    const found: Line[] = [];
    for (;;) {
      const page = events.parse(await this.#ask("system_events_list", PAGE, this.#eventCursor));
      for (const event of page.items) {
        if (event.position <= this.#event) continue;
        this.#event = event.position;
        found.push({ what: "event", ...event });
      }
      this.#eventCursor = page.next ?? this.#eventCursor;
      if (page.items.length < PAGE) return found;
    }
  }

  async #ask(action: string, limit: number, cursor: string | undefined): Promise<unknown> {
    const { output, receipt } = await this.#hub.done(action, { limit, ...(cursor !== undefined && { cursor }) });
    this.#own.add(receipt.callId);
    return output;
  }
}

function inWords(terminal: Terminal, line: Line): string {
  const time = terminal.style("dim", line.at.slice(0, 19).replace("T", " "));
  if (line.what === "event") {
    const facts = cutText(printableJson(line.data), 120);
    return `${time}  ${terminal.style("cyan", "event  ")}  ${line.type} ${printable(line.subject)} ${facts}`;
  }
  const style = line.code === "OK" ? "green" : line.code === "PENDING" ? "dim" : "yellow";
  const code = line.phase === "intent" ? terminal.style("dim", "intent") : terminal.style(style, line.code);
  return `${time}  receipt  ${printable(line.action)} ${code} ${terminal.style("dim", line.id)}`;
}

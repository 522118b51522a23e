import { once } from "node:events";
import type { Readable, Writable } from "node:stream";

const NEWLINE = 0x0a;

/**
 * The lines of a stream, without their ends. Split at the byte, since JSON may hold U+2028, which other readers of lines
 * take for an end. A line of more than `limit` bytes comes as undefined, and was not kept.
 */
export async function* lines(input: Readable, limit: number): AsyncGenerator<string | undefined> {
  let parts: Buffer[] = [];
  let length = 0;
  const add = (part: Buffer) => {
    length += part.length;
    if (length <= limit) parts.push(part);
    else parts = [];
  };
  const take = () => {
    const line = length > limit ? undefined : Buffer.concat(parts).toString("utf8").trim();
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of input as AsyncIterable<Buffer | string>) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      add(bytes.subarray(start, end));
      yield take();
      start = end + 1;
    }
    add(bytes.subarray(start));
  }
  if (length > 0) yield take();
}

/** Writes whole lines one after the other, whoever they come from. */
export class LineWriter {
  readonly #output: Writable;
  #last: Promise<unknown> = Promise.resolve();

  constructor(output: Writable) {
    this.#output = output;
  }

  /** `line` is JSON, which may be written over several lines. Resolves when the stream takes more. */
  write(line: string): Promise<unknown> {
    const text = line.includes("\n") ? JSON.stringify(JSON.parse(line)) : line;
    this.#last = this.#last.then(() => {
      if (this.#output.destroyed || this.#output.write(`${text}\n`)) return undefined;
      return Promise.race([once(this.#output, "drain"), once(this.#output, "close")]);
    });
    return this.#last;
  }
}

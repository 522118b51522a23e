import { HubError } from "../../errors.ts";

/** OpenBao refuses a request of more than 1,000 strings (names count), which an item of an encryption has six of. */
const MOST_ITEMS = 150;
/** In Base 64, well below the 32 MiB that a request may have. */
const MOST_CHARACTERS = 8 * 1024 * 1024;

/**
 * How many items of a batch go into one request: as many as the server is known to take, half as many once it refused
 * that, and one alone at last.
 */
export class BatchSize {
  #items = MOST_ITEMS;

  /**
   * Asks for all items, in several goes where need be, and answers in their order. An item that is refused alone for its
   * size gets that error. Throws what `ask` throws else; what was asked before it is lost, and has changed nothing.
   */
  async each<I extends { readonly length: number }, O>(
    items: readonly I[],
    ask: (part: readonly I[]) => Promise<readonly O[]>,
  ): Promise<(O | HubError)[]> {
    const results: (O | HubError)[] = [];
    while (results.length < items.length) {
      const part = this.#partOf(items, results.length);
      try {
        results.push(...(await ask(part)));
      } catch (error) {
        if (!(error instanceof HubError && error.code === "INPUT_TOO_LARGE")) throw error;
        if (part.length === 1) results.push(error);
        else this.#items = Math.ceil(part.length / 2);
      }
    }
    return results;
  }

  #partOf<I extends { readonly length: number }>(items: readonly I[], from: number): readonly I[] {
    let characters = 0;
    let to = from;
    while (to < items.length && to - from < this.#items) {
      characters += items[to]?.length ?? 0;
      if (to > from && characters > MOST_CHARACTERS) break;
      to++;
    }
    return items.slice(from, to);
  }
}

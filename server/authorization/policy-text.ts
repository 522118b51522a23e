/** Cedar text before any engine reads it: where each policy begins and ends, and whether it is small enough to be safe. */

/** One policy of a text, up to and with its semicolon. */
export interface PolicyText {
  readonly text: string;
  /** UTF-16 index of its first character in the whole text. */
  readonly start: number;
  /** Deepest nesting of brackets, and every `if`. */
  readonly depth: number;
  readonly words: number;
}

export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * Far below what makes the engine's stack of 1 MiB overflow, which kills it for the whole process: reading dies of 65
 * brackets of the worst kind, and evaluating of 360 operators in a row (`operators`, counted by `conditionsOf`).
 */
export const TEXT_LIMITS = { bytes: 16_384, depth: 40, words: 1_000, operators: 150 } as const;

// as Cedar's own lexer has them: a comment also ends at a carriage return, a string may hold line breaks
const TOKEN = /\s+|\/\/[^\n\r]*|[A-Za-z_]\w*|\d+|"(?:[^"\\]|\\[^\n])*"|./gsu;

/** The policies of a text. What follows the last semicolon, if not blank, counts as one too, for the parser to refuse. */
export function splitPolicies(text: string): PolicyText[] {
  const policies: PolicyText[] = [];
  let start = -1;
  let words = 0;
  let open = 0;
  let deepest = 0;
  let ifs = 0;
  const close = (end: number) => {
    policies.push({ text: text.slice(start, end), start, depth: deepest + ifs, words });
    start = -1;
    words = open = deepest = ifs = 0;
  };
  for (const { token, index } of tokens(text)) {
    if (start === -1) start = index;
    words++;
    if (token === "if") ifs++;
    else if ("([{".includes(token)) deepest = Math.max(deepest, ++open);
    else if (")]}".includes(token)) open--;
    else if (token === ";") close(index + 1);
  }
  if (start !== -1) close(text.length);
  return policies;
}

/** Why this text must not reach an engine, with the place; undefined where it may. */
export function tooLarge(
  text: string,
  policies: readonly PolicyText[],
): { message: string; start: number } | undefined {
  if (Buffer.byteLength(text) > TEXT_LIMITS.bytes) {
    return { message: `longer than ${TEXT_LIMITS.bytes} bytes`, start: 0 };
  }
  for (const { start, depth, words } of policies) {
    if (depth > TEXT_LIMITS.depth) return { message: `nested deeper than ${TEXT_LIMITS.depth} levels`, start };
    if (words > TEXT_LIMITS.words) return { message: `one policy has more than ${TEXT_LIMITS.words} words`, start };
  }
  return undefined;
}

/** Where `a.b.c` is tested with `has`, as an index into the policy's text; its start where the words do not stand there. */
export function findHasTest(policy: string, attributes: readonly string[]): number {
  const found = [...tokens(policy)];
  const same = (index: number, name: string) => {
    const token = found[index]?.token;
    return token === name || token === JSON.stringify(name);
  };
  for (const [index, { token, index: start }] of found.entries()) {
    if (token !== "has") continue;
    for (let used = 1; used <= attributes.length; used++) {
      const tested = attributes.slice(attributes.length - used);
      if (tested.every((name, i) => same(index + 1 + i * 2, name))) return start;
    }
  }
  return 0;
}

/** Line and column, in characters and from 1, of a UTF-16 index. */
export function positionAt(text: string, index: number): Position {
  const lines = text.slice(0, index).split("\n");
  return { line: lines.length, column: [...(lines.at(-1) ?? "")].length + 1 };
}

/** Cedar counts in UTF-8 bytes. */
export function indexOfByte(text: string, offset: number): number {
  return Buffer.from(text).subarray(0, offset).toString().length;
}

function* tokens(text: string): Generator<{ token: string; index: number }> {
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (!/^(\s|\/\/)/u.test(token)) yield { token, index };
  }
}

import type { ShownPreview } from "../../../contracts/approval/preview.ts";
import { canonicalize, digest, type Json } from "../../../contracts/formats/canonical-json.ts";
import type { Preview, PreviewChange } from "./preview.ts";

/** Characters (code points) of one value that are shown. */
const MAX_VALUE = 2_000;
const MAX_HEADLINE = 400;
const MAX_FIELD = 200;
/** Changes that are shown. */
const MAX_CHANGES = 200;

/**
 * What could hide or reorder text, or be taken for markup of a chat, a terminal or a page:
 * controls, line separators, formats (bidirectional ones too), surrogates, private and unassigned characters; all that
 * fonts leave out; spaces other than the plain one; marks piled on marks; HTML and Markdown, the backslash itself, and
 * underscores that could start emphasis. The star of `*.example.com` stays where a word begins: none of these can end
 * emphasis, and every other star is written out.
 */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}|(?<=\p{M}{3})\p{M}|\p{Me}/u;
const MARKUP = /[<>&`\\[\]~|]|(?<=[^ ])\*|\*(?!\.[a-z\d])|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/u;
const UNSAFE = new RegExp(`${HIDDEN.source}|${MARKUP.source}`, "gu");

/** `spec.modules[0]`: a place in a list, in a field's own name; never the text of a link. */
const INDEX = /((?<=[\p{L}\p{N}\]])\[\d{1,9}\](?!\())/u;
const UNSAFE_BUT_INDEX = new RegExp(`${INDEX.source}|${UNSAFE.source}`, "gu");

/**
 * Text in which everything is visible and nothing acts: unsafe characters become `\u{hex}`. Two texts have the same
 * form only if they are the same, since the backslash is written out too.
 */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, written);
}

const written = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;

/** As `escapeText`, but for places in lists: `templates[3].spec` stays readable. */
export const escapePlaces = (text: string): string =>
  text.replace(UNSAFE_BUT_INDEX, (found, index: string | undefined) => index ?? written(found));

/** The preview as approvers see it, as canonical text, and the digest that request and decisions are bound to. */
export function escapePreview(preview: Preview): { shown: ShownPreview; text: string; digest: string } {
  const left = preview.changes.length - MAX_CHANGES;
  const changes = preview.changes.slice(0, MAX_CHANGES).map(escapeChange);
  if (left > 0) changes.push({ field: cutMark(left, "changes") });
  const shown = { headline: shorten(preview.headline, MAX_HEADLINE), changes };
  const text = canonicalize(shown as unknown as Json);
  return { shown, text, digest: digest(text) };
}

function escapeChange({ field, before, after }: PreviewChange): ShownPreview["changes"][number] {
  // of two long values the part is shown where they begin to differ
  const from =
    before === undefined || after === undefined ? 0 : Math.max(0, firstDifference(before, after) - MAX_VALUE / 2);
  return {
    field: shorten(field, MAX_FIELD, 0, escapePlaces),
    ...(before !== undefined && { before: shorten(before, MAX_VALUE, from) }),
    ...(after !== undefined && { after: shorten(after, MAX_VALUE, from) }),
  };
}

function firstDifference(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  const at = left.findIndex((character, index) => character !== right[index]);
  return at === -1 ? left.length : at;
}

/** `limit` characters from `from` on; what is left out is counted. The mark's brackets cannot come from the text. */
function shorten(text: string, limit: number, from = 0, escape = escapeText): string {
  const characters = [...text];
  if (characters.length <= limit) return escape(text);
  const start = Math.min(from, characters.length - limit);
  const end = start + limit;
  const before = start > 0 ? `${cutMark(start, "characters")} ` : "";
  const after = end < characters.length ? ` ${cutMark(characters.length - end, "characters")}` : "";
  return `${before}${escape(characters.slice(start, end).join(""))}${after}`;
}

function cutMark(count: number, what: string): string {
  return `[... ${count} more ${what}]`;
}

import { stripVTControlCharacters } from "node:util";

const WIDE =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const NONE = /[\p{Mn}\p{Me}]/u;

/**
 * Columns that a text takes on a terminal: East Asian wide characters and emoji take two, combining marks and
 * styles none.
 */
export function textWidth(text: string): number {
  let width = 0;
  for (const c of stripVTControlCharacters(text)) width += NONE.test(c) ? 0 : WIDE.test(c) ? 2 : 1;
  return width;
}

/** Breaks text at spaces so that no line is wider than `width`, unless a single word is. Line feeds stay. */
export function wrapText(text: string, width: number): string[] {
  return text.split("\n").flatMap((line) => {
    const lines: string[] = [];
    let current = "";
    for (const word of line.split(" ")) {
      if (current !== "" && textWidth(current) + 1 + textWidth(word) > width) {
        lines.push(current);
        current = word;
      } else {
        current = current === "" ? word : `${current} ${word}`;
      }
    }
    return [...lines, current];
  });
}

/** At most `width` columns; what is left out at the end is told by three dots. */
export function cutText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let cut = "";
  for (const c of text) {
    if (textWidth(cut + c) > width - 3) break;
    cut += c;
  }
  return `${cut}...`;
}

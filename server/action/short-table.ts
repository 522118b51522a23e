/** Rows and characters of a cell that a chat shows well; programs find the rest in the output. */
const MOST_ROWS = 20;
const MOST_CHARACTERS = 160;

/** Rows of a list as a Markdown table, for the summary of a list action. The last line says what is left out. */
export function shortTable<T>(
  columns: Readonly<Record<string, (row: T) => string | number | null>>,
  rows: readonly T[],
  more = false,
): string {
  const shown = rows.slice(0, MOST_ROWS).map((row) => Object.values(columns).map((valueOf) => cell(valueOf(row))));
  const left = rows.length - shown.length;
  return [
    line(Object.keys(columns)),
    line(Object.keys(columns).map(() => "---")),
    ...shown.map(line),
    ...(left > 0 ? [`and ${left} more in the structured result.`] : []),
    ...(more ? ["More follow: send `cursor`."] : []),
  ].join("\n");
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** Stays in its cell, whatever it says. */
function cell(value: string | number | null): string {
  const text = String(value ?? "-")
    .replaceAll(/\s+/g, " ")
    .replaceAll("|", "\\|");
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}...` : text;
}

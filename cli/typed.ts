/** What no shell acts on: commas and braces make several words of one, but for a runbook's whole `{{name}}`. */
const PLAIN = /^(?:[\w@%+=:,./-]|\{\{[A-Za-z][A-Za-z0-9]*\}\})+$/;

/** A command's words as a person would type them in a POSIX shell. */
export function typed(words: readonly string[]): string {
  return words.map((word) => (PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(" ");
}

/** Settings as they are typed before a command; one that is empty counts as unset. */
export function typedSettings(settings: readonly (readonly [name: string, value: string])[]): string {
  return settings.map(([name, value]) => `${name}=${value === "" ? "" : typed([value])}`).join(" ");
}

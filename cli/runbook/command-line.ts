/** A command of this program as a runbook writes it: split into words without a shell, and checked against what there is. */
import type { Command } from "commander";
import { filled, LATER, type Values } from "./placeholders.ts";

const SPACE = /\s/;
/** What a shell would act on, and nothing here does. */
const SHELL = /[|&;<>`$*?~()!#\\]/;

/** Its words, or what is wrong with it. Quotes keep spaces together; there are no escapes and no expansions. */
export function splitWords(line: string): { readonly words: readonly string[] } | { readonly fault: string } {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (const char of line.trim()) {
    if (quote !== undefined) {
      if (char === quote) quote = undefined;
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= "";
    } else if (SPACE.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (SHELL.test(char)) {
      return { fault: `no shell reads this line: put ${char} in quotes where it is meant so` };
    } else word = (word ?? "") + char;
  }
  if (quote !== undefined) return { fault: `a ${quote} is not closed` };
  if (word !== undefined) words.push(word);
  return words.length === 0 ? { fault: "there is no command in it" } : { words: joined(words) };
}

/** `{{ name }}` is one word, however it is spaced. */
function joined(words: readonly string[]): string[] {
  const result: string[] = [];
  let open = false;
  for (const word of words) {
    if (open) result.push(`${result.pop()}${word}`);
    else result.push(word);
    open = (result.at(-1)?.split("{{").length ?? 0) > (result.at(-1)?.split("}}").length ?? 0);
  }
  return result;
}

/** The words with their values; `fault` where a value would be taken for an option. */
export function filledWords(
  words: readonly string[],
  values: Values,
): { readonly words: readonly (string | typeof LATER)[] } | { readonly fault: string } {
  const done: (string | typeof LATER)[] = [];
  for (const word of words) {
    const value = filled(word, values);
    const text = value === LATER ? LATER : typeof value === "string" ? value : JSON.stringify(value);
    if (text !== LATER && text.startsWith("-") && !word.startsWith("-"))
      return { fault: `the value of ${word} begins with a dash: it would be an option` };
    done.push(text);
  }
  return { words: done };
}

/** Verbs that a runbook cannot run: they do not end, or run runbooks. */
const REFUSED = new Set(["start", "stdio", "runbook", "demo", "connect"]);

/** Undefined where the command exists, takes these options, and this many arguments. */
export function commandFault(root: Command, words: readonly string[]): string | undefined {
  const [verb = ""] = words;
  if (REFUSED.has(verb)) return `"${verb}" is not run by runbooks`;
  const found = commandOf(root, words);
  if (found.command === root) return `this program has no command "${verb}"`;
  const { command, rest } = found;
  const path = words.slice(0, words.length - rest.length).join(" ");
  const read = readArguments(command, rest);
  if ("fault" in read) return `"${path}" ${read.fault}`;
  const missing = command.options.find(({ mandatory, long }) => mandatory && !read.flags.has(long ?? ""));
  if (missing) return `"${path}" needs ${missing.flags}`;
  return countFault(command, path, read.operands);
}

/** Which words are options, with their values, and which are arguments. */
function readArguments(
  command: Command,
  words: readonly string[],
): { readonly flags: ReadonlySet<string>; readonly operands: readonly string[] } | { readonly fault: string } {
  const flags = new Set<string>();
  const operands: string[] = [];
  const isOption = (word: string | undefined) => word !== undefined && word.startsWith("-") && word !== "-";
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (!isOption(word)) {
      operands.push(word);
      continue;
    }
    const [flag = "", inline] = word.split("=", 2);
    const option = command.options.find(({ long, short }) => flag === long || flag === short);
    if (!option) return { fault: `has no option ${flag}` };
    flags.add(option.long ?? flag);
    if (inline !== undefined || !(option.required || option.optional)) continue;
    if (option.required && words[at + 1] === undefined) return { fault: `needs a value after ${flag}` };
    if (option.required || !isOption(words[at + 1])) at += 1;
    while (option.variadic && words[at + 1] !== undefined && !isOption(words[at + 1])) at += 1;
  }
  return { flags, operands };
}

function countFault(command: Command, path: string, operands: readonly string[]): string | undefined {
  const { registeredArguments: args } = command;
  const [first] = operands;
  if (command.commands.length > 0 && args.length === 0 && first !== undefined)
    return `"${path}" has no command "${first}"`;
  const needed = args.filter(({ required }) => required).length;
  if (operands.length < needed) return `"${path}" needs ${args.map((arg) => `<${arg.name()}>`).join(" ")}`;
  if (operands.length > args.length && !args.at(-1)?.variadic)
    return `"${path}" takes ${args.length} arguments, not ${operands.length}`;
  return undefined;
}

function commandOf(root: Command, words: readonly string[]): { command: Command; rest: readonly string[] } {
  let command = root;
  let rest = words;
  for (;;) {
    const next = command.commands.find((sub) => sub.name() === rest[0] || sub.aliases().includes(rest[0] ?? ""));
    if (!next) return { command, rest };
    command = next;
    rest = rest.slice(1);
  }
}

import { Composer, type CST, type Document, type ErrorCode, Lexer, LineCounter, Parser } from "yaml";
import { MAX_YAML_DEPTH, TOO_DEEP, tooMuch, type YamlBudget } from "./yaml-budget.ts";
import { type ParsedYaml, positionAt } from "./yaml-tree.ts";
import { yamlValue } from "./yaml-value.ts";

/** The document and the text being read stand on the parser's stack too. */
const MAX_STACK = MAX_YAML_DEPTH + 2;

/** What YAML leaves out of a text. */
const CONTROL = /(?![\t\n\r\u0085])\p{Cc}/u;

/**
 * Reads one document of YAML 1.2, core schema, with text for every key. What stays in doubt is a fault: warnings, tags of
 * one's own, merge keys, directives, names given twice. Of faults in the syntax only the first is told, since the others
 * often follow from it. What it costs is bounded by `budget` and MAX_YAML_DEPTH.
 */
export function parseYaml(text: string, budget: YamlBudget): ParsedYaml {
  const lines = linesOf(text);
  const read = readTokens(text, budget);
  if (read.fault) return refused(lines, read.fault);
  const document = compose(read.tokens, text.length);
  const [first] = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  if (first) return refused(lines, { offset: first.pos[0], message: WORDS[first.code] });
  return yamlValue(document.contents, lines, budget);
}

/** Counted here: the parser knows of a line only after the text that goes over its end, and a fault may come first. */
function linesOf(text: string): LineCounter {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", end + 1)) lines.addNewLine(end + 1);
  return lines;
}

type FaultAt = { readonly offset: number; readonly message: string };

const refused = (lines: LineCounter, { offset, message }: FaultAt): ParsedYaml => ({
  faults: [{ ...positionAt(lines, offset), path: [], message }],
});

/** The text as a concrete syntax tree. Stops where it goes past a bound, before the tree has taken the memory. */
function readTokens(text: string, budget: YamlBudget): { tokens: CST.Token[]; fault?: FaultAt } {
  const tokens: CST.Token[] = [];
  const stop = (offset: number, message: string) => ({ tokens, fault: { offset, message } });
  budget.characters -= text.length;
  if (budget.characters < 0) return stop(0, tooMuch("characters"));
  const control = CONTROL.exec(text)?.index;
  if (control !== undefined)
    return stop(control, "a control character; in double quotes it can be written as an escape");
  const parser = new Parser();
  let documents = 0;
  const take = (token: CST.Token): string | undefined => {
    tokens.push(token);
    if (token.type === "directive") return WORDS.BAD_DIRECTIVE;
    if (token.type === "error") return WORDS.UNEXPECTED_TOKEN;
    return token.type === "document" && ++documents > 1 ? WORDS.MULTIPLE_DOCS : undefined;
  };
  for (const lexeme of new Lexer().lex(text)) {
    if (--budget.tokens < 0) return stop(parser.offset, tooMuch("tokens"));
    for (const token of parser.next(lexeme)) {
      const fault = take(token);
      if (fault) return stop(token.offset, fault);
    }
    if (parser.stack.length > MAX_STACK) return stop(parser.offset, TOO_DEEP);
  }
  for (const token of parser.end()) {
    const fault = take(token);
    if (fault) return stop(token.offset, fault);
  }
  return { tokens };
}

function compose(tokens: CST.Token[], length: number): Document.Parsed {
  const { stackTraceLimit } = Error;
  try {
    // the library makes an Error of each fault; the stacks of a million of them would cost ten seconds
    Error.stackTraceLimit = 0;
    const composer = new Composer({
      version: "1.2",
      schema: "core",
      merge: false,
      resolveKnownTags: false,
      stringKeys: true,
      // yaml-value.ts looks for them: here it would take a time that grows with the square of the number of keys
      uniqueKeys: false,
      prettyErrors: false,
    });
    const [document] = composer.compose(tokens, true, length);
    if (document === undefined) throw new TypeError("cannot happen: a document is asked for");
    return document;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The library's own sentences quote the text. */
const WORDS: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: "an alias (*) with an anchor or a tag before it",
  BAD_ALIAS: "an anchor (&) or alias (*) without a proper name; text that starts so needs quotes",
  BAD_COLLECTION_TYPE: "a tag that does not fit the map or list after it",
  BAD_DIRECTIVE: "directives (lines with %) are not used here",
  BAD_DQ_ESCAPE: "an escape that YAML does not know, in double quotes",
  BAD_INDENT: "an indentation that fits nothing around it",
  BAD_PROP_ORDER: "an anchor or a tag in the wrong place",
  BAD_SCALAR_START: "text that starts with a character that YAML keeps for itself: put it in quotes",
  BLOCK_AS_IMPLICIT_KEY: "a map or list on the line of its key; text with a colon and a space in it needs quotes",
  BLOCK_IN_FLOW: "a map or list in lines of its own inside of brackets",
  DUPLICATE_KEY: "a name given twice",
  IMPOSSIBLE: "text that does not fit here",
  KEY_OVER_1024_CHARS: "a name of more than 1,024 characters",
  MISSING_CHAR: "something is missing: a colon after a name, a comma, a quote or a bracket that closes",
  MULTILINE_IMPLICIT_KEY: "a name that goes over several lines",
  MULTIPLE_ANCHORS: "more than one anchor (&) for one value",
  MULTIPLE_DOCS: "a second document: a file holds one, without a --- between",
  MULTIPLE_TAGS: "more than one tag (!) for one value",
  NON_STRING_KEY: "a name that is no plain text",
  RESOURCE_EXHAUSTION: TOO_DEEP,
  TAB_AS_INDENT: "a tab; YAML indents with spaces",
  TAG_RESOLVE_FAILED: "a tag (!) that is not known here, or a value that does not fit its tag",
  UNEXPECTED_TOKEN: "text that does not fit here",
};

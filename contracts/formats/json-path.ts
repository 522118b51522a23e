const PLAIN_NAME = /^[A-Za-z_$][\w$-]*$/;
const LONGEST_NAME = 64;

/** Where a value stands inside a JSON document: member names and array indexes, outermost first. */
export type JsonPath = readonly (string | number)[];

/**
 * A path as people and programs read it in an error: `labels.team`, `modules[2].name`, `labels["a b"]`.
 * Names that are no plain words are quoted and escaped, long ones are cut: a path travels into logs and replies.
 */
export function formatJsonPath(path: JsonPath): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (part.length > LONGEST_NAME) text += `[${JSON.stringify(part.slice(0, LONGEST_NAME))}...]`;
    else if (PLAIN_NAME.test(part)) text += text === "" ? part : `.${part}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}

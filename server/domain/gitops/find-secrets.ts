import type { JsonPath } from "../../../contracts/formats/json-path.ts";
import { namesSecret, secretInText } from "./plain-secrets.ts";

export interface FoundSecret {
  /** Of the value, or of what a name stands in that is a credential itself. */
  readonly path: JsonPath;
  /** Without the value. */
  readonly message: string;
}

const INSTEAD = "in plain text; keep it in a secret store and name it by `secretRef` on a ProviderConfig";

/** Of a declared parameter, the fields that hold a value; its description may speak of the secret. */
const VALUE_FIELDS = new Set(["default", "enum", "value"]);

/** Every secret that a file holds in plain text, by the shape of a text or by the name that it stands under. */
export function findSecrets(value: unknown): FoundSecret[] {
  const found: FoundSecret[] = [];
  const path: (string | number)[] = [];
  const report = (what: string) => found.push({ path: [...path], message: `${what} ${INSTEAD}` });

  const look = (at: unknown, named: boolean): void => {
    if (typeof at === "string") {
      const what = secretInText(at) ?? (named && at !== "" ? "a secret, going by its name," : undefined);
      if (what !== undefined) report(what);
      return;
    }
    if (typeof at !== "object" || at === null) return;
    const inList = Array.isArray(at);
    for (const [name, inside] of Object.entries(at)) {
      const shown = inList ? undefined : secretInText(name);
      if (shown !== undefined) {
        // the path stops short of the name: it would tell it
        report(`a name that holds ${shown}`);
        continue;
      }
      path.push(inList ? Number(name) : name);
      look(inside, inList ? named : namesSecret(name) || (named && VALUE_FIELDS.has(name)));
      path.pop();
    }
  };
  look(value, false);
  return found;
}

import type { CedarType } from "./cedar-engine.ts";

/** The enums of a schema, each a Cedar entity type: a misspelt value is then an error when the policy is loaded. */
export class EnumTypes {
  readonly #values = new Map<string, readonly string[]>();

  /** Throws TypeError where the name stands for other values already. */
  declare(name: string, values: readonly string[]): CedarType {
    const known = this.#values.get(name);
    if (known && (known.length !== values.length || known.some((value, index) => value !== values[index]))) {
      throw new TypeError(`the enum ${name} is declared twice, with different values`);
    }
    this.#values.set(name, values);
    return { type: "Entity", name };
  }

  entries(): [name: string, values: readonly string[]][] {
    return [...this.#values];
  }
}

/** `system_fleet_put_object`, `kind` -> `SystemFleetPutObjectKind`. */
export function enumName(...parts: readonly string[]): string {
  const words = parts.flatMap((part) => part.split(/[^A-Za-z0-9]+/)).filter((word) => word !== "");
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

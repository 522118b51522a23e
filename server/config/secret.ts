import { inspect } from "node:util";

const HIDDEN = "[secret]";

/** A value that shows itself only when asked by name: JSON, templates, logs and `inspect` get `[secret]`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself; call it where the value is used and keep the result in no structure that may be logged. */
  reveal(): string {
    return this.#value;
  }

  toJSON(): string {
    return HIDDEN;
  }

  toString(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}

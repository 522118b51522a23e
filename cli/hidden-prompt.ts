import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { HubError } from "../server/errors.ts";

export interface PromptStreams {
  readonly input: NodeJS.ReadStream;
  readonly error: NodeJS.WritableStream;
}

/**
 * Asks a person for a secret, which is not shown as it is typed.
 * @throws HubError CONFIG_INVALID where nobody sits at the terminal
 */
export async function promptHidden(
  question: string,
  { input, error }: PromptStreams = { input: process.stdin, error: process.stderr },
): Promise<string> {
  if (!input.isTTY) throw new HubError("CONFIG_INVALID", `${question}: nobody sits at this terminal to answer.`);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // a terminal in raw mode, so that the keys are not echoed, and edited by readline all the same
  const line = createInterface({ input, output: nowhere, terminal: true });
  error.write(`${question}: `);
  try {
    return await line.question("");
  } finally {
    line.close();
    error.write("\n");
  }
}

/** Once a process: whoever opens several things with it is asked a single time. */
let asked: Promise<string> | undefined;

/** @throws HubError CONFIG_INVALID */
export function askForPassphrase(): Promise<string> {
  asked ??= promptHidden("Passphrase of the root key").catch((cause: unknown) => {
    asked = undefined;
    throw new HubError(
      "CONFIG_INVALID",
      "The root key is protected by a passphrase: set COUNTERSIGN_ROOT_PASSPHRASE_FILE, or start on a terminal, which asks for it.",
      { cause },
    );
  });
  return asked;
}

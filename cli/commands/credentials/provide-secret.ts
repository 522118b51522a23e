import { readFileSync } from "node:fs";
import * as z from "zod";
import { credentialView } from "../../../contracts/credentials/credential.ts";
import { HubError } from "../../../server/errors.ts";
import { type CliContext, connectedHub } from "../../context.ts";
import { promptHidden } from "../../hidden-prompt.ts";
import { printable } from "../../terminal.ts";

/** Bytes; what the hub takes. */
const MOST = 16_384;

const one = z.object({ credential: credentialView });

/**
 * Gives a credential its secret: from a file, from a person who types it unseen, or from standard input. Never from an
 * argument. The end of the last line is no part of it.
 */
export async function provideSecret(
  context: CliContext,
  name: string,
  { file }: { readonly file?: string },
): Promise<void> {
  const hub = connectedHub(context);
  const known = await hub.output(one, "system_credentials_get_metadata", { name });
  const { kind, allowedHosts, consumers } = known.credential;
  context.terminal.note(
    printable(`${name} (${kind}) may be sent to ${allowedHosts.join(", ")}, for ${consumers.join(", ")}.`),
  );
  const given = file === undefined ? await fromTerminal(name, kind) : fromFile(file);
  const secret = given.replaceAll("\r\n", "\n").replace(/\n+$/, "");
  if (secret === "") throw new HubError("INPUT_INVALID", "The secret is empty.");
  const { output, summary } = await hub.done("system_credentials_provide_secret", { name, secret });
  context.terminal.show(output, () => printable(summary));
}

function fromFile(path: string): string {
  try {
    return fitting(readFileSync(path));
  } catch (cause) {
    if (cause instanceof HubError) throw cause;
    throw new HubError("CONFIG_INVALID", `The file ${path} cannot be read.`, { cause });
  }
}

async function fromTerminal(name: string, kind: string): Promise<string> {
  if (!process.stdin.isTTY) return fromInput(process.stdin);
  if (kind === "ssh-key")
    throw new HubError("CONFIG_INVALID", `A private key has several lines: --file <path>, or \`< <path>\`.`);
  return promptHidden(`Secret of ${name}`);
}

async function fromInput(input: AsyncIterable<Buffer | string>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    bytes += chunk.length;
    chunks.push(Buffer.from(chunk));
    if (bytes > MOST + 2) break;
  }
  return fitting(Buffer.concat(chunks));
}

function fitting(bytes: Buffer): string {
  if (bytes.length > MOST + 2) throw new HubError("INPUT_TOO_LARGE", `A secret has at most ${MOST} bytes.`);
  return bytes.toString();
}

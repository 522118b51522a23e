import { readFile } from "node:fs/promises";
import type { Lock, Unlock } from "../../../server/adapters/backup-file/lock.ts";
import { HubError } from "../../../server/errors.ts";
import { promptHidden } from "../../hidden-prompt.ts";

/** age's own advice for what people type. */
const SHORTEST_PASSPHRASE = 10;
const QUESTION = "Passphrase of the backup";

/** Whom to encrypt for; asks for a passphrase where nothing is said. Throws CONFIG_INVALID, INPUT_INVALID. */
export async function lockFrom({
  recipient = [],
  passphraseFile,
}: {
  readonly recipient?: readonly string[];
  readonly passphraseFile?: string;
}): Promise<Lock> {
  if (recipient.length > 0 && passphraseFile !== undefined)
    throw new HubError("INPUT_INVALID", "Either recipients or a passphrase, not both.", { path: "recipient" });
  if (recipient.length > 0) return { recipients: recipient };
  const passphrase =
    passphraseFile === undefined
      ? await orNaming("--passphrase-file <path> or --recipient <age1...>", askTwice)
      : await firstLine(passphraseFile);
  if (passphrase.length < SHORTEST_PASSPHRASE)
    throw new HubError("INPUT_INVALID", `A passphrase has at least ${SHORTEST_PASSPHRASE} characters.`, {
      path: "passphraseFile",
    });
  return { passphrase };
}

async function askTwice(): Promise<string> {
  const passphrase = await promptHidden(QUESTION);
  if ((await promptHidden("Once more")) === passphrase) return passphrase;
  throw new HubError("INPUT_INVALID", "The two passphrases differ.", { path: "passphrase" });
}

/** What takes the place of an answer, where nobody sits at the terminal to give one. */
async function orNaming(options: string, asking: () => Promise<string>): Promise<string> {
  return asking().catch((cause: unknown) => {
    if (!(cause instanceof HubError && cause.code === "CONFIG_INVALID")) throw cause;
    throw new HubError(
      "CONFIG_INVALID",
      `Nobody sits at this terminal to be asked for a passphrase: give ${options}.`,
      {
        cause,
      },
    );
  });
}

/** Likewise what opens it. */
export async function unlockFrom({
  identityFile,
  passphraseFile,
}: {
  readonly identityFile?: string;
  readonly passphraseFile?: string;
}): Promise<Unlock> {
  if (identityFile !== undefined && passphraseFile !== undefined)
    throw new HubError("INPUT_INVALID", "Either identities or a passphrase, not both.", { path: "identityFile" });
  if (identityFile === undefined)
    return {
      passphrase:
        passphraseFile === undefined
          ? await orNaming("--identity-file <path> or --passphrase-file <path>", () => promptHidden(QUESTION))
          : await firstLine(passphraseFile),
    };
  const lines = (await read(identityFile)).split(/\r?\n/).map((line) => line.trim());
  const identities = lines.filter((line) => line !== "" && !line.startsWith("#"));
  if (identities.length > 0) return { identities };
  throw new HubError("INPUT_INVALID", `There is no identity in ${identityFile}.`, { path: "identityFile" });
}

async function firstLine(path: string): Promise<string> {
  return (await read(path)).split(/\r?\n/, 1)[0] ?? "";
}

async function read(path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new HubError("CONFIG_INVALID", `The file ${path} cannot be read (${cause.code}).`, { cause });
  });
}

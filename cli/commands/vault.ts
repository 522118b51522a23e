import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { naming } from "../option-names.ts";
import { wholeNumber } from "../whole-number.ts";
import { finalizeRotation, trimKeys } from "./vault/finish-rotation.ts";
import { pauseRotation, resumeRotation } from "./vault/pause-rotation.ts";
import { rotateKeys } from "./vault/rotate-keys.ts";
import { showRotations } from "./vault/show-rotations.ts";
import { verifyCredentials } from "./vault/verify-credentials.ts";

const YES = ["-y, --yes", "sign without asking, where your own signature is enough"] as const;
const DETACH = ["--detach", "begin, and do not follow it to its end"] as const;

/** What the hub calls what is typed here. */
const NAMES = {
  rotationId: "[rotationId]",
  ratePerSecond: "--rate",
  olderThanDays: "--older-than",
  soakMinutes: "--soak",
  accountId: "--account",
};

interface Options {
  readonly yes?: true;
  readonly detach?: true;
}

export function vaultCommand(context: CliContext): Command {
  const command = new Command("vault").description(
    "the keys that wrap all accounts' secrets: rotate them, verify, finalise",
  );
  command
    .command("status [rotationId]", { isDefault: true })
    .description("rotations, and accounts whose key is due; or one rotation with all that did not work")
    .option("--older-than <days>", "keys last rotated so many days ago are due", wholeNumber("days", 0), 90)
    .action(
      naming(NAMES, (id: string | undefined, { olderThan }: { olderThan: number }) =>
        showRotations(context, id, olderThan),
      ),
    );
  command
    .command("rotate")
    .description("rotate the transit pepper of every account and carry all credentials over; two people approve")
    .option("--rate <perSecond>", "credentials a second at most", wholeNumber("credentials", 1))
    .option(...DETACH)
    .option(...YES)
    .addHelpText(
      "after",
      `
Follows the rotation to its end; interrupting this command does not stop it.
Where one is under way already, that one is followed. Exit code 1 where a record
does not open, an account could not be worked in, or the rotation is paused.`,
    )
    .action(naming(NAMES, ({ rate, ...options }: Options & { rate?: number }) => rotateKeys(context, rate, options)));
  command
    .command("pause [rotationId]")
    .description("stop before the next batch; both versions of the keys stay readable")
    .action(naming(NAMES, (id: string | undefined) => pauseRotation(context, id)));
  command
    .command("resume [rotationId]")
    .description("go on where it was, and follow it")
    .option(...DETACH)
    .action(naming(NAMES, (id: string | undefined, options: Options) => resumeRotation(context, id, options)));
  command
    .command("verify")
    .description(
      "open every credential of every account and compare it with the journal; exit code 6 where one does not hold",
    )
    .option(...DETACH)
    .action((options: Options) => verifyCredentials(context, options));
  command
    .command("finalize [rotationId]")
    .description("put the old versions out of use, after a soak; two people approve")
    .option("--soak <minutes>", "until old versions stop decrypting", wholeNumber("minutes", 0), 1_440)
    .option(...YES)
    .action(
      naming(NAMES, (id: string | undefined, { soak, ...options }: Options & { soak: number }) =>
        finalizeRotation(context, id, soak, options),
      ),
    );
  command
    .command("trim [rotationId]")
    .description("destroy the old versions of a finalised rotation, for ever; two people approve")
    .option("--account <id>", "of this account alone")
    .option(...YES)
    .action(
      naming(NAMES, (id: string | undefined, { account, ...options }: Options & { account?: string }) =>
        trimKeys(context, id, account, options),
      ),
    );
  return command;
}

import { Command } from "commander";
import * as z from "zod";
import { personKeyShape } from "../../contracts/identity/person-key.ts";
import { pageOf } from "../../contracts/page.ts";
import { type CliContext, connectedHub } from "../context.ts";
import { printable, table } from "../terminal.ts";
import { whoami } from "../whoami.ts";
import { type AddOptions, addOpenPgpKey } from "./keys/add-openpgp.ts";

const listed = pageOf(z.looseObject(personKeyShape.shape));

export function keysCommand(context: CliContext): Command {
  const command = new Command("keys").description(
    "the keys that decisions are signed with: list, add-openpgp, revoke; the hub's root key",
  );
  command
    .command("list", { isDefault: true })
    .description("your keys, expired and revoked ones too")
    .option("--all", "everybody's, for those who may see them")
    .action(async ({ all }: { all?: true }) => {
      const hub = connectedHub(context);
      const personId = all ? undefined : (await whoami(hub)).principal.person?.id;
      const page = await hub.output(listed, "system_identity_list_keys", {
        limit: 200,
        ...(personId !== undefined && { personId }),
      });
      context.terminal.show(page, () =>
        page.items.length === 0
          ? "No keys."
          : table(page.items.map((k) => [k.person.name, k.algorithm, k.id, k.state, endOf(k)])),
      );
    });
  command
    .command("add-openpgp")
    .description("sign decisions with an OpenPGP key of yours too, or renew one after you extended it")
    .argument("<key>", "its fingerprint in your gpg, or a file with the public key, or - for standard input")
    .option("-y, --yes", "enrol it without asking; what it is is still shown")
    .option("--print-statement <file>", "sign nothing, write the bytes that the key has to sign to this file")
    .option("--signature <file>", "the signature that the key made over those bytes")
    .option("--statement <file>", "where those bytes are; the signature's name without .sig or .asc if left out")
    .action((source: string, options: AddOptions) => addOpenPgpKey(context, source, options));
  command
    .command("revoke")
    .description("end a key, at once; it cannot be undone")
    .argument("<id>", "of the key")
    .action(async (keyId: string) => {
      const { output, summary } = await connectedHub(context).done("system_identity_revoke_key", { keyId });
      context.terminal.show(output, () => printable(summary));
    });
  const root = command
    .command("root")
    .description("the root key that wraps every account's keys (where they are not in Vault)");
  root
    .command("rotate")
    .description("make a new root key and wrap all keys under it; running hubs go on")
    .option("-y, --yes", "do it without asking")
    .addHelpText(
      "after",
      `
For who runs the hub: needs its root key file and its database. A rotation that was
cut off is gone on with by running it again; until then hubs use both keys.`,
    )
    .action(async (options: { yes?: true }) => {
      const { rotateRootCommand } = await import("./keys/root-rotate.ts");
      await rotateRootCommand(context, options);
    });
  root
    .command("protect")
    .description("put the root key under a passphrase (COUNTERSIGN_ROOT_PASSPHRASE_FILE, or asked for)")
    .option("--remove", "under none: the key lies in its file in the clear again")
    .action(async (options: { remove?: true }) => {
      const { protectRootCommand } = await import("./keys/root-rotate.ts");
      await protectRootCommand(context, options);
    });
  return command;
}

function endOf({ state, expiresAt, revoked }: z.output<typeof personKeyShape>): string {
  if (revoked) return `since ${revoked.at}`;
  if (expiresAt === undefined) return "";
  return `${state === "expired" ? "since" : "until"} ${expiresAt}`;
}

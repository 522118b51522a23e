import { HubError } from "../../../server/errors.ts";
import { printable, type Terminal } from "../../terminal.ts";
import type { RecoverableAccount } from "./open-account.ts";

/** Says what will be done and asks. Throws CONFIRMATION_DECLINED. */
export async function agree(
  terminal: Terminal,
  account: Pick<RecoverableAccount, "id">,
  plan: readonly string[],
  { yes }: { readonly yes?: true },
): Promise<void> {
  terminal.note(
    printable(
      [
        `In the account ${account.id}, past its policy, by the hub's root key:`,
        ...plan.map((line) => `  ${line}`),
      ].join("\n"),
    ),
  );
  terminal.note("It is recorded in the account's journal and told as an event.");
  if (yes || (await terminal.confirm("Do it?"))) return;
  throw new HubError("CONFIRMATION_DECLINED", "Nothing was changed. (Where nobody can be asked, --yes does it.)");
}

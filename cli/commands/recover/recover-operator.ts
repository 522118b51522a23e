import { v7 } from "uuid";
import { formatSecret, generateSecret, secretDigest, TOKEN_PREFIX } from "../../../contracts/identity/bearer-secret.ts";
import type { Session } from "../../../server/adapters/postgres/database.ts";
import { eventStore } from "../../../server/adapters/postgres/event-store.ts";
import { identityStore } from "../../../server/adapters/postgres/identity-store.ts";
import { recoveryStore } from "../../../server/adapters/postgres/recovery-store.ts";
import { planRecovery, type RecoveryPlan, recoverOperator } from "../../../server/domain/identity/recover-operator.ts";
import { HubError } from "../../../server/errors.ts";
import { nameOf } from "../../../server/transport/own-address.ts";
import { type CliContext, OPERATOR } from "../../context.ts";
import { newSigningKey } from "../../first-account.ts";
import { keepHub } from "../../keep-hub.ts";
import { printable } from "../../terminal.ts";
import { agree } from "./agree.ts";
import { openRecoverable, type Recoverable, receiptInWords } from "./open-recoverable.ts";

/** Lets an operator act again, with the key and a new token of this config folder. */
export async function recoverOperatorCommand(
  context: CliContext,
  options: { name?: string; account?: string; yes?: true; withoutRootKey?: true },
): Promise<void> {
  const { terminal, folder } = context;
  await using account = await openRecoverable(context, options);
  refuseOthersFolder(context, account);
  const known = folder.signingKey();
  const plan = await account.database.read(account.id, (session) =>
    planRecovery(rowsOf(session), { name: options.name, key: known?.publicKey }, new Date()),
  );
  await agree(terminal, account, planInWords(context, plan), options);

  // the key first: where this breaks off it is used the next time. The token last: the one that is there may still work
  const { publicKey } = known ?? newSigningKey(folder);
  const token = { id: v7(), secret: generateSecret() };
  const { name, id } = plan.operator;
  const { output, receipt } = await account.change({
    action: "recover_operator",
    input: { operator: id },
    target: { type: "Operator", id },
    effect: (session, { now, callId }) =>
      recoverOperator(
        { ...rowsOf(session), events: eventStore(session) },
        { name, key: publicKey, token: { id: token.id, sha256: secretDigest(token.secret) } },
        { now, by: account.hubPrincipalId, callId },
      ),
  });
  folder.saveToken(OPERATOR, formatSecret(TOKEN_PREFIX, token));
  const found = await findHub(context, account);
  terminal.show({ ...output, accountId: account.id, receipt }, () =>
    printable(
      [
        `"${name}" can act again, with the key and token in ${folder.path}. ${receiptInWords(account, receipt)}`,
        found
          ? "Try: npx countersign call system_identity_whoami"
          : "Now: npx countersign start (or, where the hub runs elsewhere, set COUNTERSIGN_URL to it)",
      ].join("\n"),
    ),
  );
}

function rowsOf(session: Session) {
  return { identity: identityStore(session), recovery: recoveryStore(session) };
}

function refuseOthersFolder({ folder }: CliContext, { id }: Recoverable): void {
  const own = folder.hub()?.accountId;
  if (own === undefined || own === id) return;
  throw new HubError(
    "ALREADY_EXISTS",
    `${folder.path} holds the keys and tokens of the account ${own}, which would be lost: set COUNTERSIGN_CONFIG_DIR to another folder, and COUNTERSIGN_ROOT_KEY_FILE to this hub's root key.`,
  );
}

function planInWords({ folder }: CliContext, plan: RecoveryPlan): string[] {
  const { operator, person, ban, keyIsEnrolled, otherKeys, tokens } = plan;
  return [
    `Lets the operator "${operator.name}" act again, whose person is ${person.name}:`,
    ...(ban ? [`- lifts its ban of ${ban.bannedAt.toISOString()} (${ban.reason})`] : []),
    keyIsEnrolled
      ? `- keeps the signing key in ${folder.path}`
      : `- enrols the signing key in ${folder.path}, which is made if need be`,
    ...(otherKeys.length > 0 ? [`- ends ${otherKeys.length} other signing key(s) of ${person.name}`] : []),
    ...(tokens > 0 ? [`- ends ${tokens} token(s) of the operator`] : []),
    `- makes a new token, kept there as ${OPERATOR}.token`,
    "- what waits for approval in its name becomes stale",
  ];
}

/** Keeps where the hub is, where the folder has lost it and the hub is where these settings say. */
async function findHub({ config, folder }: CliContext, { id, rootKey }: Recoverable): Promise<boolean> {
  if (folder.hub()) return true;
  // which root key is the hub's cannot be told without it
  if (rootKey === undefined) return false;
  const { host, port } = config.server;
  const url = config.cli.url ?? (port === 0 ? undefined : `http://${nameOf(host)}:${port}/mcp`);
  return url !== undefined && keepHub(folder, { url, accountId: id, rootKey, created: false });
}

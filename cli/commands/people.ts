import { Command } from "commander";
import * as z from "zod";
import {
  publicKeyFromBase64,
  publicKeyFromPem,
  publicKeyToBase64,
  publicKeyToPem,
} from "../../contracts/formats/ed25519.ts";
import { INVITATION_PREFIX, parseSecret } from "../../contracts/identity/bearer-secret.ts";
import { proveEnrolment } from "../../contracts/identity/enrolment.ts";
import { HubError } from "../../server/errors.ts";
import { claimSecret } from "../claim-secret.ts";
import { type CliContext, connectedHub, OPERATOR } from "../context.ts";
import { newSigningKey, ownToken } from "../first-account.ts";
import { HubClient } from "../hub-client.ts";
import { runWithConsent } from "../run-with-consent.ts";
import { printable } from "../terminal.ts";
import { whoami } from "../whoami.ts";

const DEFAULT_URL = "http://127.0.0.1:7310/mcp";
const invited = z.object({ claimId: z.string(), personName: z.string(), expiresAt: z.string() });
const joined = z.object({
  account: z.object({ id: z.string(), name: z.string() }),
  principal: z.object({ name: z.string(), roles: z.array(z.string()) }),
  teamOnOffer: z.boolean(),
});

export function inviteCommand(context: CliContext): Command {
  return new Command("invite")
    .description("invite a person; prints a one-time code to hand over")
    .argument("<name>", "how the person will be called here")
    .option("--roles <roles>", "comma separated: admin, operator, approver, reader, auditor", "operator,approver")
    .option("-y, --yes", "sign without asking, where your own signature is enough")
    .action(async (personName: string, options: { roles: string; yes?: true }) => {
      const hub = connectedHub(context);
      const output = await runWithConsent(
        context,
        hub,
        "system_identity_invite_person",
        { personName, roles: options.roles.split(",").map((r) => r.trim()) },
        options,
      );
      if (!output) return;
      const { claimId, expiresAt } = invited.parse(output);
      const { secret } = await claimSecret(hub, claimId);
      const { rootKey: pem } = context.folder.hub() ?? {};
      const rootKey = pem === undefined ? undefined : publicKeyToBase64(publicKeyFromPem(pem));
      const pin = rootKey === undefined ? "" : ` --root-key ${rootKey}`;
      const command = `COUNTERSIGN_URL=${hub.url} npx countersign join ${secret}${pin}`;
      context.terminal.show(
        { code: secret, expiresAt, url: hub.url, rootKey, command },
        () =>
          `Hand this to ${printable(personName)}, by a way that nobody else reads. It works once, until ${expiresAt}:\n\n  ${command}`,
      );
    });
}

export function joinCommand(context: CliContext): Command {
  return new Command("join")
    .description("join an account with an invitation code; makes your own signing key and token, here")
    .argument("<code>", "csi_...")
    .option("--root-key <key>", "the account's root key, as who invited you told it: receipts are verified with it")
    .action(async (code: string, options: { rootKey?: string }) => {
      const { folder, terminal, config } = context;
      const rootKey = options.rootKey === undefined ? undefined : pemOf(options.rootKey);
      if (folder.hub())
        throw new HubError(
          "ALREADY_EXISTS",
          `${folder.path} belongs to an account already; set COUNTERSIGN_CONFIG_DIR to another folder.`,
        );
      const url = config.cli.url ?? DEFAULT_URL;
      const { account, principal, teamOnOffer } = await acceptInvitation(context, url, code.trim());
      folder.saveHub({ url, accountId: account.id, ...(rootKey !== undefined && { rootKey }) });
      const offer = teamOnOffer
        ? "\n\nTwo people can sign now. To make approvals need somebody other than who asks:\n" +
          `  npx countersign call system_identity_set_profile '{"profile":"team"}'`
        : "";
      terminal.show(
        { account, principal, teamOnOffer },
        () =>
          `You are ${printable(principal.name)} (${principal.roles.join(", ")}) in the account "${printable(account.name)}".\nYour key and token: ${folder.path} (yours alone)${offer}\n\nnpx countersign approvals`,
      );
    });
}

/** Key and token are kept before they are told to the hub: whoever tries again after a lost answer has them. */
async function acceptInvitation({ folder }: CliContext, url: string, code: string): Promise<z.output<typeof joined>> {
  const invitation = parseSecret(INVITATION_PREFIX, code);
  if (!invitation)
    throw new HubError(
      "INVITATION_INVALID",
      "This is no invitation code: it begins with csi_ and is 80 characters long.",
    );
  const pair = folder.signingKey() ?? newSigningKey(folder);
  const { tokenId, tokenSha256 } = ownToken(folder, OPERATOR);
  const token = { id: tokenId, sha256: Buffer.from(tokenSha256, "hex") };
  const input = {
    code,
    publicKey: publicKeyToBase64(pair.publicKey),
    proof: proveEnrolment({ invitation, token }, pair),
    token: { id: tokenId, sha256: tokenSha256 },
  };
  try {
    // the code itself is what says who may join: there is no token yet
    return await new HubClient(url, code).output(joined, "system_identity_accept_invitation", input);
  } catch (error) {
    // accepted already: by us, where the token opens the account
    const me = codeOf(error) === "CONFLICT" ? await joinedBefore(url, folder.token(OPERATOR)) : undefined;
    if (me) return me;
    if (codeOf(error) !== "UNAUTHENTICATED") throw error;
    const message = "This invitation code opens nothing at this hub; ask who invited you for a new one.";
    throw new HubError("INVITATION_INVALID", message, { cause: error });
  }
}

const codeOf = (error: unknown) => (error instanceof HubError ? error.code : undefined);

async function joinedBefore(url: string, token = ""): Promise<z.output<typeof joined> | undefined> {
  const me = await whoami(new HubClient(url, token)).catch(() => undefined);
  return me && { ...me, teamOnOffer: me.account.profile === "solo" && me.account.people > 1 };
}

function pemOf(rootKey: string): string {
  try {
    return publicKeyToPem(publicKeyFromBase64(rootKey));
  } catch (cause) {
    throw new HubError("INPUT_INVALID", "--root-key is no Ed25519 public key (SPKI DER, Base64).", {
      path: "rootKey",
      cause,
    });
  }
}

import { Command } from "commander";
import { v7 } from "uuid";
import * as z from "zod";
import { publicKeyToBase64 } from "../../contracts/formats/ed25519.ts";
import { INVITATION_PREFIX, parseSecret } from "../../contracts/identity/bearer-secret.ts";
import { proveEnrolment } from "../../contracts/identity/enrolment.ts";
import { HubError } from "../../server/errors.ts";
import { claimSecret } from "../claim-secret.ts";
import { type CliContext, connectedHub, OPERATOR } from "../context.ts";
import { newSigningKey, newToken } from "../first-account.ts";
import { HubClient } from "../hub-client.ts";
import { runWithConsent } from "../run-with-consent.ts";

const DEFAULT_URL = "http://127.0.0.1:7310/mcp";
const invited = z.object({ claimId: z.string(), personName: z.string(), expiresAt: z.string() });
const joined = z.object({
  account: z.object({ id: z.string(), name: z.string() }),
  principal: z.object({ name: z.string(), roles: z.array(z.string()) }),
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
      context.terminal.show(
        { code: secret, expiresAt, url: hub.url },
        () =>
          `Hand this to ${personName}, by a way that nobody else reads. It works once, until ${expiresAt}:\n\n  COUNTERSIGN_URL=${hub.url} npx countersign join ${secret}`,
      );
    });
}

export function joinCommand(context: CliContext): Command {
  return new Command("join")
    .description("join an account with an invitation code; makes your own signing key and token, here")
    .argument("<code>", "csi_...")
    .action(async (code: string) => {
      const { folder, terminal, config } = context;
      const invitation = parseSecret(INVITATION_PREFIX, code.trim());
      if (!invitation)
        throw new HubError(
          "INVITATION_INVALID",
          "This is no invitation code: it begins with csi_ and is 80 characters long.",
        );
      if (folder.hub())
        throw new HubError(
          "ALREADY_EXISTS",
          `${folder.path} belongs to an account already; set COUNTERSIGN_CONFIG_DIR to another folder.`,
        );
      const url = config.cli.url ?? DEFAULT_URL;
      const key = folder.signingKey();
      const pair = key ?? newSigningKey(folder);
      const { tokenId, tokenSha256 } = newToken(folder, OPERATOR);
      const token = { id: tokenId, sha256: Buffer.from(tokenSha256, "hex") };
      const proof = proveEnrolment({ invitation, token }, pair);
      const input = {
        code: code.trim(),
        publicKey: publicKeyToBase64(pair.publicKey),
        proof,
        token: { id: tokenId, sha256: tokenSha256 },
      };
      // the code itself is what says who may join: there is no token yet
      const answer = joined.parse(
        (await new HubClient(url, code.trim()).call("system_identity_accept_invitation", input, v7()).then(doneOnly))
          .output,
      );
      folder.saveHub({ url, accountId: answer.account.id });
      terminal.show(
        answer,
        () =>
          `You are ${answer.principal.name} (${answer.principal.roles.join(", ")}) in the account "${answer.account.name}". Your key and token: ${folder.path}\n\nnpx countersign approvals`,
      );
    });
}

function doneOnly<T extends { status: string }>(answer: T): Extract<T, { status: "done" }> {
  if (answer.status !== "done") throw new HubError("INTERNAL", "The hub did not take the invitation at once.");
  return answer as Extract<T, { status: "done" }>;
}

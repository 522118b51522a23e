import * as z from "zod";
import { credentialClaim, credentialView } from "../../../contracts/credentials/credential.ts";
import { type CliContext, connectedHub } from "../../context.ts";
import { runWithConsent } from "../../run-with-consent.ts";
import { printable } from "../../terminal.ts";

interface Consent {
  readonly yes?: true;
}

interface StoreOptions extends Consent {
  readonly expires?: string;
  readonly rotateEvery?: number;
  readonly kind: string;
  readonly host: readonly string[];
  readonly for: readonly string[];
  readonly description: string;
  readonly user?: string;
}

interface ScopeOptions extends Consent {
  readonly expires?: string;
  readonly rotateEvery?: number | "never";
  readonly host?: readonly string[];
  readonly for?: readonly string[];
  readonly widen?: true;
}

const claimed = z.object({ credential: credentialView, claim: credentialClaim });
const one = z.object({ credential: credentialView });

export async function storeCredential(context: CliContext, name: string, options: StoreOptions): Promise<void> {
  const { kind, host, for: consumers, description, user, expires, rotateEvery, yes } = options;
  const input = {
    name,
    kind,
    description,
    allowedHosts: host,
    consumers,
    ...(user !== undefined && { username: user }),
    ...(expires !== undefined && { expiresAt: expires }),
    ...(rotateEvery !== undefined && { rotateEveryDays: rotateEvery }),
  };
  const output = await run(context, "system_credentials_store", input, yes);
  if (output) showClaim(context, output, "is kept, without its secret yet");
}

export async function rotateCredential(context: CliContext, name: string, { yes }: Consent): Promise<void> {
  const output = await run(context, "system_credentials_rotate", { name }, yes);
  if (output) showClaim(context, output, "may get a new secret; the present one works until then");
}

export async function changeScope(context: CliContext, name: string, options: ScopeOptions): Promise<void> {
  const { host, for: consumers, expires, rotateEvery, widen, yes } = options;
  const input = {
    name,
    ...(host && { allowedHosts: host }),
    ...(consumers && { consumers }),
    ...(expires !== undefined && { expiresAt: expires === "never" ? null : expires }),
    ...(rotateEvery !== undefined && { rotateEveryDays: rotateEvery === "never" ? null : rotateEvery }),
    ...(widen && { widen }),
  };
  const output = await run(context, "system_credentials_update_scope", input, yes);
  if (!output) return;
  const { credential } = one.parse(output);
  const where = `${credential.allowedHosts.join(", ")}, for ${credential.consumers.join(", ")}`;
  context.terminal.show(output, () => printable(`${credential.name} may be sent to ${where}.`));
}

export async function deleteCredential(context: CliContext, name: string, { yes }: Consent): Promise<void> {
  const output = await run(context, "system_credentials_delete", { name }, yes);
  if (output) context.terminal.show(output, () => printable(`${name} and its secret are gone.`));
}

export async function forgetCredential(context: CliContext, credentialId: string, { yes }: Consent): Promise<void> {
  const output = await run(context, "system_credentials_forget", { credentialId }, yes);
  if (!output) return;
  context.terminal.show(output, () =>
    printable(`${credentialId} counts as deleted. Store it anew if it is still needed.`),
  );
}

function run(context: CliContext, action: string, input: object, yes: true | undefined) {
  return runWithConsent(context, connectedHub(context), action, input, { ...(yes && { yes }) });
}

function showClaim({ terminal }: CliContext, output: Record<string, unknown>, what: string): void {
  const { credential, claim } = claimed.parse(output);
  terminal.show(output, () =>
    [
      `${printable(credential.name)} ${what}. Until ${claim.expiresAt}, give it here:`,
      "",
      terminal.style("cyan", printable(claim.next)),
      "",
      "or have somebody else give it, once, on this page:",
      "",
      printable(claim.link),
    ].join("\n"),
  );
}

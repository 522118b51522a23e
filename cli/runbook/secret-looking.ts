import { HubError } from "../../server/errors.ts";

/** Bearer secrets of this hub, private keys, age identities: what must not be kept in a transcript. */
const SECRET =
  /\bcs[a-z]?_[0-9a-f]{32}_[\w-]{43}|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)|\bAGE-SECRET-KEY-1\w*/g;

/** @throws HubError INPUT_INVALID, without the value */
export function refuseSecret(name: string, value: unknown): void {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (text !== undefined && text !== withoutSecrets(text))
    throw new HubError(
      "INPUT_INVALID",
      `${name} is a secret by its looks: secrets are no values of a runbook. Give the name of a file that holds it.`,
      { path: name },
    );
}

/** What a person may see once, such as a one-time link, is not written down. */
export const withoutSecrets = (text: string): string => text.replaceAll(SECRET, "(left out)");

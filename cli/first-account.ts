import { userInfo } from "node:os";
import { v7 } from "uuid";
import { generateKeyPair, publicKeyToBase64 } from "../contracts/formats/ed25519.ts";
import type { FirstAccount } from "../contracts/hub/start-messages.ts";
import {
  formatSecret,
  generateSecret,
  parseSecret,
  secretDigest,
  TOKEN_PREFIX,
} from "../contracts/identity/bearer-secret.ts";
import { HubError } from "../server/errors.ts";
import type { CliFolder } from "./cli-folder.ts";
import { AGENT, OPERATOR } from "./context.ts";

/**
 * Makes the operator's signing key and both tokens, keeps them in `folder`, and answers with what the hub may know:
 * the public half and hashes. What an earlier start left there before the account was made is used again. Throws
 * ALREADY_EXISTS where the folder belongs to another account, whose tokens would be lost.
 */
export function makeFirstAccount(folder: CliFolder, name = personName()): FirstAccount {
  const other = folder.hub();
  if (other)
    throw new HubError(
      "ALREADY_EXISTS",
      `This hub's database has no account yet, and ${folder.path} holds the keys and tokens of the account ${other.accountId} at ${other.url}. Move that folder away, or set COUNTERSIGN_CONFIG_DIR to another one.`,
    );
  const { publicKey } = folder.signingKey() ?? newSigningKey(folder);
  return {
    name: "main",
    operator: { name, publicKey: publicKeyToBase64(publicKey), ...ownToken(folder, OPERATOR) },
    agent: { name: "agent", ...ownToken(folder, AGENT) },
  };
}

export function newSigningKey(folder: CliFolder) {
  const pair = generateKeyPair();
  folder.saveSigningKey(pair.privateKey);
  return pair;
}

/**
 * A token of our own making: kept here, and told to the hub as id and SHA-256. One that is here already is used again:
 * the hub may know it, where its answer was lost.
 */
export function ownToken(folder: CliFolder, name: string): { tokenId: string; tokenSha256: string } {
  const { id, secret } = parseSecret(TOKEN_PREFIX, folder.token(name) ?? "") ?? { id: v7(), secret: generateSecret() };
  folder.saveToken(name, formatSecret(TOKEN_PREFIX, { id, secret }));
  return { tokenId: id, tokenSha256: secretDigest(secret).toString("hex") };
}

/** The OS user's name; the person can be called otherwise by `--name`. */
function personName(): string {
  try {
    return userInfo().username.normalize("NFC").slice(0, 80) || "operator";
  } catch {
    return "operator";
  }
}

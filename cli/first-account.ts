import { userInfo } from "node:os";
import { v7 } from "uuid";
import { generateKeyPair, publicKeyToBase64 } from "../contracts/formats/ed25519.ts";
import type { FirstAccount } from "../contracts/hub/start-messages.ts";
import { formatSecret, generateSecret, secretDigest, TOKEN_PREFIX } from "../contracts/identity/bearer-secret.ts";
import type { CliFolder } from "./cli-folder.ts";
import { AGENT, OPERATOR } from "./context.ts";

/**
 * Makes the operator's signing key and both tokens, keeps them in `folder`, and answers with what the hub may know:
 * the public half and hashes.
 */
export function makeFirstAccount(folder: CliFolder, name = personName()): FirstAccount {
  const { publicKey } = folder.signingKey() ?? newSigningKey(folder);
  return {
    name: "main",
    operator: { name, publicKey: publicKeyToBase64(publicKey), ...newToken(folder, OPERATOR) },
    agent: { name: "agent", ...newToken(folder, AGENT) },
  };
}

export function newSigningKey(folder: CliFolder) {
  const pair = generateKeyPair();
  folder.saveSigningKey(pair.privateKey);
  return pair;
}

/** A token of our own making: kept here, and told to the hub as id and SHA-256. */
export function newToken(folder: CliFolder, name: string): { tokenId: string; tokenSha256: string } {
  const { id, secret } = { id: v7(), secret: generateSecret() };
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

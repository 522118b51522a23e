import { readFileSync, writeFileSync } from "node:fs";
import { IN_TOTO_PAYLOAD_TYPE, pae, readPae } from "../../contracts/formats/dsse.ts";
import { binarySignature } from "../../contracts/formats/openpgp/signature.ts";
import { HubError } from "../../server/errors.ts";

/** Signing elsewhere: the bytes go out in one file, and come back beside their signature. */

/** Writes the bytes to be signed. Throws ALREADY_EXISTS: a signature may have been made over what is there. */
export function writeStatement(path: string, payload: Buffer): void {
  try {
    writeFileSync(path, pae(IN_TOTO_PAYLOAD_TYPE, payload), { flag: "wx", mode: 0o600 });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST")
      throw new HubError("ALREADY_EXISTS", `${path} is there already: name another file.`, { cause });
    throw new HubError("INPUT_INVALID", `${path} cannot be written (${code}).`, { cause });
  }
}

/** Where `--statement` is left out, the signature's name without its ending is the statement's. */
export async function readSigned(
  signatureFile: string,
  statementFile = signatureFile.replace(/\.(sig|asc|gpg)$/, ""),
): Promise<{ payload: Buffer; signature: Buffer }> {
  if (statementFile === signatureFile)
    throw new HubError("INPUT_INVALID", `Which bytes does ${signatureFile} sign? Name the file: --statement <file>`);
  const payload = readPae(read(statementFile), IN_TOTO_PAYLOAD_TYPE);
  if (!payload)
    throw new HubError("INPUT_INVALID", `${statementFile} is not as --print-statement writes it, to the byte.`);
  return { payload, signature: await binarySignature(read(signatureFile)) };
}

export function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new HubError("INPUT_INVALID", `${path} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, {
      cause,
    });
  }
}

/**
 * Bytes of a standard Base 64 text (RFC 4648 section 4, with padding), or undefined where the text is anything
 * but the one encoding of those bytes. `Buffer.from(text, "base64")` skips what it does not know, so that many
 * texts mean the same bytes; in signed formats each signature and hash has one spelling.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

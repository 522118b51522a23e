import type { Config } from "openpgp";

/** openpgp.js is loaded by whoever meets the first OpenPGP key: most hubs never do, and it takes a tenth of a second. */
export const openpgp = () => import("openpgp");

type Library = Awaited<ReturnType<typeof openpgp>>;

let strict: Config | undefined;

/**
 * Stricter than the library's own rules: no SHA-1 and nothing shorter than SHA-256, in what a key says about itself
 * either; what is malformed or unknown is an error instead of being passed over.
 */
export function strictConfig({ config, enums }: Library): Config {
  const { md5, sha1, ripemd, sha224 } = enums.hash;
  const weak = new Set([md5, sha1, ripemd, sha224]);
  strict ??= {
    ...config,
    rejectHashAlgorithms: weak,
    rejectMessageHashAlgorithms: weak,
    minRSABits: 2048,
    knownNotations: [],
    allowMissingKeyFlags: false,
    allowInsecureVerificationWithReformattedKeys: false,
  };
  return strict;
}

/** What the library says is wrong, for people, without what it was looking for when it found out. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const cause = message.replace(/^(Could not find valid [\w -]+ in key [0-9a-f]+(: |$))+/, "").replace(/\.$/, "");
  if (cause === "") return "no key of that id is meant to sign";
  return /^[A-Z][a-z]/.test(cause) ? `${cause.slice(0, 1).toLowerCase()}${cause.slice(1)}` : cause;
}

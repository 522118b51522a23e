interface Problem {
  readonly name: string;
  readonly sentence: string;
}

const NEEDED = {
  token: ["COUNTERSIGN_VAULT_TOKEN_FILE"],
  approle: ["COUNTERSIGN_VAULT_ROLE_ID", "COUNTERSIGN_VAULT_SECRET_ID_FILE"],
  jwt: ["COUNTERSIGN_VAULT_JWT_FILE"],
} as const;

/** What keeps COUNTERSIGN_KEYS=vault from being used. */
export function* vaultContradictions(source: Readonly<Record<string, string | undefined>>): Generator<Problem> {
  const [cert, key] = ["COUNTERSIGN_VAULT_CLIENT_CERT_FILE", "COUNTERSIGN_VAULT_CLIENT_KEY_FILE"];
  for (const [one, other] of [
    [cert, key],
    [key, cert],
  ] as [string, string][]) {
    if (source[one] && !source[other])
      yield { name: one, sentence: `needs ${other}: one is of no use without the other.` };
  }
  if (source["COUNTERSIGN_KEYS"] !== "vault") return;
  const address = source["COUNTERSIGN_VAULT_ADDR"];
  if (!address) yield { name: "COUNTERSIGN_KEYS", sentence: "is vault and needs COUNTERSIGN_VAULT_ADDR." };
  else if (URL.canParse(address)) yield* badAddress(new URL(address));
  const method = source["COUNTERSIGN_VAULT_AUTH"] || "token";
  if (!Object.hasOwn(NEEDED, method)) return;
  for (const name of NEEDED[method as keyof typeof NEEDED]) {
    if (!source[name])
      yield { name: "COUNTERSIGN_KEYS", sentence: `is vault with the sign-in ${method} and needs ${name}.` };
  }
}

function* badAddress({ protocol, hostname, pathname, search, username, password }: URL): Generator<Problem> {
  const name = "COUNTERSIGN_VAULT_ADDR";
  if (pathname !== "/" || search !== "" || username !== "" || password !== "") {
    yield { name, sentence: "must be an address alone, such as https://vault.example.org:8200." };
  }
  if (protocol === "http:" && !/^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname)) {
    yield { name, sentence: "must be https: tokens and plaintexts would pass in the clear beyond this machine." };
  }
}

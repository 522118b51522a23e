import { INVITATION_PREFIX, TOKEN_PREFIX } from "../../../contracts/identity/bearer-secret.ts";

/**
 * Finds secrets in plain text: what stands in a repository is read by everybody who reads the repository. Each pattern
 * takes a time that grows with the length of the text alone.
 */
const SHAPES: readonly (readonly [what: string, RegExp])[] = [
  ["a private key", /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY/],
  ["a private key", /AGE-SECRET-KEY-1[A-Z0-9]{20}/],
  ["a key of AWS", /(?<![A-Za-z0-9])(AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])/],
  ["a token of GitHub", /gh[opsur]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22}/],
  ["a token of GitLab", /gl(pat|dt|rt|cbt|ptt|ft|soat)-[\w-]{20}/],
  ["a token of Slack", /xox[a-z]-[A-Za-z0-9-]{10}|xapp-\d-[A-Za-z0-9-]{10}|hooks\.slack\.com\/services\/T\w{6}/],
  ["a key of Google", /AIza[\w-]{35}/],
  ["a key of Stripe", /[sr]k_(live|test)_[A-Za-z0-9]{16}|whsec_[A-Za-z0-9]{24}/],
  ["a token of npm", /npm_[A-Za-z0-9]{36}/],
  ["a token of PyPI", /pypi-AgEI[\w-]{20}/],
  ["a token of Docker", /dckr_pat_[\w-]{20}/],
  ["a token of Vault", /hv[sb]\.[\w-]{24}/],
  ["a key of SendGrid", /SG\.[\w-]{22}\.[\w-]{43}/],
  ["a key of Azure", /AccountKey=[A-Za-z0-9+/]{40}/],
  ["a key of an AI service", /sk-(ant|proj|svcacct)-[\w-]{20}/],
  // what is looked for begins where a word begins, so that no character is read twice
  ["a signed token (JWT)", /(?<![\w-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\./],
  [
    "a token or invitation of Countersign",
    new RegExp(`(${TOKEN_PREFIX}|${INVITATION_PREFIX})_[0-9a-f]{32}_[A-Za-z0-9_-]{43}`),
  ],
  ["an address with a password", /:\/\/[^\s/?#@:]*:[^\s/?#@]+@/],
];
/** Nothing shorter fits any of them, but for the address. */
const SHORTEST = 16;

/** What kind of credential a text holds, by its shape; undefined where it shows none. */
export function secretInText(text: string): string | undefined {
  if (text.length < SHORTEST && !text.includes("@")) return undefined;
  return SHAPES.find(([, shape]) => shape.test(text))?.[0];
}

const SECRET_WORDS = [
  "password",
  "passwd",
  "passphrase",
  "pwd",
  "secret",
  "token",
  "apikey",
  "privatekey",
  "accesskey",
  "secretkey",
  "signingkey",
  "encryptionkey",
  "credential",
];
const NAMES_A_SECRET = new RegExp(`(${SECRET_WORDS.join("|")})s?$`);
/** They say which or how: `dbPasswordProd`, `token_2`. Any other last word makes it a name for something else: `tokenUrl`. */
const BESIDE_THE_POINT =
  /^(value|plain|text|plaintext|string|raw|base64|b64|prod|production|staging|dev|test|old|new|current|default|primary|secondary|\d+)$/;
/** `maxTokens` counts them. */
const COUNTS = /^(max|min|num|number|count)$/;

/** Each of the words has one of these; most names have none. */
const HINT = /pass|pwd|secret|token|key|credential/i;

/**
 * Whether a name says that its value is a secret: `dbPassword`, `API_KEY`, `example.com/access-token`. `secretRef`,
 * `tokenUrl` and `passwordMinLength` do not.
 */
export function namesSecret(name: string): boolean {
  if (!HINT.test(name)) return false;
  const words = name
    .slice(name.lastIndexOf("/") + 1)
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replaceAll(/([A-Z])([A-Z][a-z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
  if (words.length > 1 && COUNTS.test(words[0] ?? "")) return false;
  while (words.length > 1 && BESIDE_THE_POINT.test(words.at(-1) ?? "")) words.pop();
  return NAMES_A_SECRET.test(words.join("").replace(/(?<!\d)\d+$/, ""));
}

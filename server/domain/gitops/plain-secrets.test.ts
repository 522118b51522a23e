import assert from "node:assert/strict";
import { test } from "node:test";
import { formatSecret, generateSecret } from "../../../contracts/identity/bearer-secret.ts";
import { findSecrets } from "./find-secrets.ts";
import { namesSecret, secretInText } from "./plain-secrets.ts";

const SECRET = [
  ..."password passwd passphrase dbPassword DB_PASSWORD db-password secret clientSecret token accessToken".split(" "),
  ..."apiKey API_KEY apikey APIKey APIKeys api-key privateKey aws_secret_access_key accessKey credential credentials".split(
    " ",
  ),
  ..."signingKey example.com/token passwordProd token_2 password1 secretValue tokens rootPwd".split(" "),
];
const PLAIN = [
  ..."secretRef tokenUrl passwordMinLength token_ttl accessKeyId secretName secretsPath keyName key publicKey".split(
    " ",
  ),
  ..."maxTokens max_new_tokens region compass tokenizer secretary passwordPolicy secrets.example.com/tier monkey".split(
    " ",
  ),
  ..."user name value 2 - ".split(" "),
];

test("a name says whether what stands under it is a secret", () => {
  for (const name of SECRET) assert.equal(namesSecret(name), true, name);
  for (const name of PLAIN) assert.equal(namesSecret(name), false, name);
});

/** Put together here, so that no scanner finds this file. */
const KEY = "PRIVATE KEY";
const run = (length: number) => "aB3".repeat(length).slice(0, length);
const id = "01234567-89ab-cdef-0123-456789abcdef";
const credential = { id, secret: generateSecret() };
const SHAPES: readonly (readonly [secret: string, twin: string])[] = [
  [`-----BEGIN RSA ${KEY}-----`, "-----BEGIN PUBLIC KEY-----"],
  [`-----BEGIN OPENSSH ${KEY}-----\nabc`, "-----BEGIN CERTIFICATE-----"],
  [`-----BEGIN PGP ${KEY} BLOCK-----`, "-----BEGIN PGP MESSAGE-----"],
  [`AKIA${"A1B2".repeat(4)}`, `AKIA${"A1B2".repeat(3)}`],
  [`key=ASIA${"A1B2".repeat(4)};`, `xASIA${"A1B2".repeat(4)}`],
  [`ghp_${run(36)}`, `ghp_${run(35)}`],
  [`github_pat_${run(22)}_x`, "github_pat_short"],
  [`glpat-${run(20)}`, "glpat-short"],
  [`xoxb-${run(12)}`, "xoxb-short"],
  [`AIza${run(35)}`, `AIza${run(34)}`],
  [`sk_live_${run(16)}`, "sk_live_short"],
  [`npm_${run(36)}`, "npm_config_registry_of_the_whole_team"],
  [`hvs.${run(24)}`, "hvs.short"],
  [`Bearer eyJ${run(12)}.eyJ${run(12)}.${run(12)}`, `eyJ${run(12)}.eyK${run(12)}.${run(12)}`],
  [formatSecret("cs", credential), `cs_${id}`],
  [`join with ${formatSecret("csi", credential)}`, "csi_0123"],
  ["a://b:c@d", "a://b@c"],
  ["postgres://app:hunter2@db.example/app", "postgres://app@db.example/app"],
  ["redis://:hunter2@cache.example", "redis://cache.example:6379/a:b@c"],
];

test("a text shows by its shape that it is a credential", () => {
  for (const [secret, twin] of SHAPES) {
    assert.ok(secretInText(secret), "found");
    assert.ok(secretInText(`first line\n${secret}\nlast line`), "found among lines");
    assert.equal(secretInText(twin), undefined, twin);
  }
});

test("a secret is found wherever it stands, and told without its value", () => {
  const [secret] = SHAPES[5] ?? [""];
  const found = findSecrets({
    list: ["a", { deep: secret }],
    [`a ${secret}`]: "x",
    password: "hunter2",
    token: { type: "string", description: "hunter2", default: "hunter2" },
    secretRef: "edge/admin",
    apiKey: 5,
  });
  assert.deepEqual(
    found.map(({ path }) => path),
    [["list", 1, "deep"], [], ["password"], ["token", "default"]],
  );
  for (const { message } of found) assert.ok(!message.includes(secret) && !message.includes("hunter2"));
});

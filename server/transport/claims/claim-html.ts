import { hash } from "node:crypto";
import type { CredentialView } from "../../../contracts/credentials/credential.ts";
import { consumersInWords, hostsInWords, kindInWords } from "../../../contracts/credentials/scope-words.ts";
import type { HubError } from "../../errors.ts";

/** The pages of a claim: plain HTML, no scripts, nothing from elsewhere. */

const STYLE = `
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem; color-scheme: light dark }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1rem }
dt { opacity: .7 } dd { margin: 0; overflow-wrap: anywhere }
input, textarea { font: 1rem ui-monospace, monospace; width: 100%; box-sizing: border-box; padding: .4rem }
button { font: inherit; padding: .4rem 1rem; margin-top: 1rem }
.wrong { border-left: .3rem solid; padding-left: .7rem }
`;

/** The one style is named by its digest; forms go back here alone, and no page may put this one in a frame. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${hash("sha256", STYLE, "base64")}'`,
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

export const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": POLICY,
  "referrer-policy": "same-origin",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** What is asked for, where it may go, and who asked: so that a person knows before they type. */
export function formPage(
  credential: CredentialView,
  asker: { readonly kind: string; readonly name: string },
  wrong?: string,
): string {
  const { name, kind, description, username, allowedHosts, consumers, materialVersion } = credential;
  const facts: [string, string][] = [
    ["Credential", name],
    ["What it is", kindInWords(kind)],
    ["What it is for", description],
    ...(username === null ? [] : [["User", username] as [string, string]]),
    ["May be sent to", hostsInWords(allowedHosts)],
    ["May be used by", consumersInWords(consumers)],
    ["Asked for by", `the ${asker.kind} ${asker.name}`],
  ];
  const field =
    kind === "ssh-key"
      ? `<textarea id="secret" name="secret" rows="12" required autofocus autocomplete="off" spellcheck="false"></textarea>`
      : `<input id="secret" name="secret" type="password" required autofocus autocomplete="off">`;
  const what = materialVersion === 0 ? "Give the secret" : "Give the new secret, in place of the present one";
  return page(what, [
    `<dl>${facts.map(([term, text]) => `<dt>${escaped(term)}</dt><dd>${escaped(text)}</dd>`).join("\n")}</dl>`,
    ...(wrong === undefined ? [] : [`<p class="wrong">${escaped(wrong)}</p>`]),
    `<form method="post" accept-charset="utf-8"><label for="secret">Secret</label>${field}<button>Keep it</button></form>`,
    "<p>The hub seals it at once, and shows it to nobody again. This page works once, and for half an hour.</p>",
  ]);
}

export function donePage({ name, materialVersion }: CredentialView): string {
  const count = materialVersion === 1 ? "" : ` It is secret number ${materialVersion}; the one before is gone.`;
  return page("It is kept", [`<p>${escaped(name)} has its secret.${count} You may close this page.</p>`]);
}

export function refusalPage(error: HubError): string {
  return page("This does not work", [`<p>${escaped(error.message)}</p>`, `<p>${error.code}</p>`]);
}

function page(title: string, body: readonly string[]): string {
  return [
    "<!doctype html>",
    `<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title>`,
    `<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"><style>${STYLE}</style></head>`,
    `<body><h1>${escaped(title)}</h1>`,
    ...body,
    "</body></html>",
    "",
  ].join("\n");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Texts of others: never markup, and nothing that reorders the line. */
function escaped(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "")
    .replace(/[\p{Cf}\p{Cc}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

import { HubError } from "../errors.ts";

const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

/** The token of an `Authorization: Bearer` header (RFC 6750, section 2.1); undefined where there is no such header. */
export function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  // malformed is not absent: what was sent is told to be wrong, by the same answer as an unknown token
  return BEARER.exec(authorization)?.[1] ?? "";
}

/** `WWW-Authenticate` of a 401 (RFC 6750, section 3): no error code where no token was sent. */
export function challenge(error: HubError, tokenSent: boolean): string {
  if (!tokenSent) return 'Bearer realm="countersign"';
  return `Bearer realm="countersign", error="invalid_token", error_description="${error.message.replace(/[^\x20-\x7e]|["\\]/g, "'")}"`;
}

const TOKEN_IN_QUERY = /(?:^|&)(?:access_token|token|authorization|api_key)=|cs_/i;

/** Refuses a token in the address, where logs, histories and proxies keep it. Throws INPUT_INVALID. */
export function refuseTokenInQuery(url: string): void {
  const start = url.indexOf("?");
  if (start === -1 || !TOKEN_IN_QUERY.test(url.slice(start + 1))) return;
  throw new HubError(
    "INPUT_INVALID",
    "A token does not belong into an address: send it as `Authorization: Bearer ...`, and revoke the one you sent.",
    { path: "query" },
  );
}

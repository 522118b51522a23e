import type { CredentialProbe } from "../../domain/credentials/try-credential.ts";
import type { GitMirror } from "../../domain/gitops/git-mirror.ts";
import { HubError } from "../../errors.ts";
import type { AuthenticatedGet } from "../egress/authenticated-get.ts";

interface Ways {
  readonly git: Pick<GitMirror, "loginPlace" | "listBranches">;
  /** Answers with the HTTP status. */
  readonly get: (get: AuthenticatedGet) => Promise<number>;
}

/** Tries a credential on the server that it is for: Git over its own way out, tokens by one request. */
export function credentialProbe({ git, get }: Ways): CredentialProbe {
  return {
    hostOf(kind, url) {
      if (kind === "bearer-token") return httpsHost(url);
      const place = git.loginPlace(url);
      if (place?.kind === kind) return place.host;
      const scheme = kind === "ssh-key" ? "ssh://" : "https://";
      throw new HubError("INPUT_INVALID", `url: this credential goes with an ${scheme} address.`, { path: "url" });
    },

    async attempt(credential, url, signal) {
      if (credential.kind !== "bearer-token") {
        const count = await git.listBranches({ url, login: credential }, signal);
        return count === 1 ? "it lists one branch." : `it lists ${count} branches.`;
      }
      const status = await reached(get, { url, token: credential.secret, signal });
      if (status < 400) return `it answers with HTTP ${status}.`;
      const sentence = `The server answers with HTTP ${status}.`;
      throw new HubError(status === 401 || status === 403 ? "FORBIDDEN" : "CONFLICT", sentence);
    },
  };
}

async function reached(get: Ways["get"], asked: AuthenticatedGet): Promise<number> {
  try {
    return await get(asked);
  } catch (error) {
    if (error instanceof HubError || asked.signal.aborted) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : "no word why";
    throw new HubError("CONFLICT", `The server cannot be reached (${code}).`, { cause: error });
  }
}

function httpsHost(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isFit = url?.protocol === "https:" && url.username === "" && url.password === "" && url.hash === "";
  if (url && isFit && !/[\s\p{C}\\]/u.test(text)) return url.host;
  throw new HubError("INPUT_INVALID", "url: an https:// address, without user and fragment.", { path: "url" });
}

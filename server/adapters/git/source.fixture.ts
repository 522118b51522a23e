/** For tests: a server that shows real repositories over https, by git's own program for that. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/** Nothing of this machine's configuration. */
const ENV = {
  PATH: process.env["PATH"] ?? "",
  HOME: "/nonexistent",
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
};

export interface Certificate {
  readonly caFile: string;
  readonly key: Buffer;
  readonly cert: Buffer;
}

/** Every system that has ssh and git has it. */
const OPENSSL = "openssl";

/** For localhost, by an authority of its own. */
export function makeCertificate(folder: string): Certificate {
  const openssl = (...args: string[]) => execFileSync(OPENSSL, args, { cwd: folder, stdio: "pipe" });
  const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...made, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA", "-days", "2");
  openssl("req", ...made, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost");
  writeFileSync(join(folder, "names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"];
  openssl("x509", "-req", "-in", "server.csr", ...signing, "-out", "server.pem");
  return {
    caFile: join(folder, "ca.pem"),
    key: readFileSync(join(folder, "server.key")),
    cert: readFileSync(join(folder, "server.pem")),
  };
}

export interface GitServer extends AsyncDisposable {
  readonly port: number;
  /** Requests so far, as paths. */
  readonly requests: string[];
  /** What came as `Authorization`, with the path that it was sent to. */
  readonly authorizations: { readonly path: string; readonly value: string }[];
  /** Stops every answer in its middle from now on; resolves once one is held. */
  hold(): Promise<void>;
  /** Answers as usual again. */
  release(): void;
}

/** Bytes of a body after which it is held: a list of branches is shorter. */
const HELD_AFTER = 100_000;

/**
 * Serves the repositories of a folder by git's own http-backend. `/redirect/<url>` leads on to that URL, `/login/` wants
 * one and takes none, `/private/` shows the repositories to whoever brings `login`, `/page` is a web page, `/api` one for
 * whoever brings `token`.
 */
export async function serveRepositories(
  root: string,
  { key, cert }: Certificate,
  { login, token }: { readonly login?: string; readonly token?: string } = {},
): Promise<GitServer> {
  const backend = join(execFileSync("git", ["--exec-path"], { encoding: "utf8" }).trim(), "git-http-backend");
  const requests: string[] = [];
  const authorizations: { path: string; value: string }[] = [];
  let onHeld: (() => void) | undefined;
  const server = createServer({ key, cert }, (request, response) => {
    const { pathname, search } = new URL(request.url ?? "/", "https://localhost");
    requests.push(pathname);
    const { authorization } = request.headers;
    if (authorization !== undefined) authorizations.push({ path: pathname, value: authorization });
    const isPrivate = pathname.startsWith("/private/");
    const admitted = login !== undefined && authorization === `Basic ${Buffer.from(login).toString("base64")}`;
    if (pathname.startsWith("/redirect/")) {
      const location = decodeURIComponent(pathname.slice("/redirect/".length)) + search;
      response.writeHead(302, { location }).end();
    } else if (pathname.startsWith("/api")) {
      response.writeHead(authorization === `Bearer ${token}` ? 204 : 401).end();
    } else if (pathname.startsWith("/login/") || (isPrivate && !admitted)) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
    } else if (pathname.startsWith("/page")) {
      response.writeHead(200, { "content-type": "text/html" }).end("<p>a page</p>");
    } else {
      const child = spawn(backend, {
        env: {
          ...ENV,
          GIT_PROJECT_ROOT: root,
          GIT_HTTP_EXPORT_ALL: "1",
          PATH_INFO: isPrivate ? pathname.slice("/private".length) : pathname,
          QUERY_STRING: search.slice(1),
          REQUEST_METHOD: request.method,
          CONTENT_TYPE: request.headers["content-type"] ?? "",
          HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
          GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
          REMOTE_ADDR: "127.0.0.1",
        },
        stdio: ["pipe", "pipe", "ignore"],
      });
      request.pipe(child.stdin).on("error", () => {});
      void answer(child.stdout, response, () => onHeld);
      response.on("close", () => child.kill());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    authorizations,
    hold: () => new Promise((resolve) => (onHeld = resolve)),
    release: () => (onHeld = undefined),
    [Symbol.asyncDispose]: () => closed(server),
  };
}

/** The header of a CGI answer (RFC 3875), then its body. */
async function answer(
  output: AsyncIterable<Buffer>,
  response: ServerResponse,
  held: () => (() => void) | undefined,
): Promise<void> {
  let header: Buffer | undefined = Buffer.alloc(0);
  let sent = 0;
  for await (let chunk of output) {
    if (header) {
      header = Buffer.concat([header, chunk]);
      const end = header.indexOf("\r\n\r\n");
      if (end === -1) continue;
      writeHeader(header.toString("latin1", 0, end), response);
      chunk = header.subarray(end + 4);
      header = undefined;
    }
    sent += chunk.length;
    if (sent > HELD_AFTER && held()) {
      held()?.();
      return; // and the connection stays open
    }
    if (!response.write(chunk) && !response.destroyed) {
      const done = new AbortController();
      const waiting = ["drain", "close"].map((event) => once(response, event, { signal: done.signal }));
      await Promise.race(waiting).catch(() => {}); // the client went away
      done.abort();
      await Promise.allSettled(waiting);
    }
  }
  response.end();
}

function writeHeader(text: string, response: ServerResponse): void {
  let status = 200;
  for (const line of text.split("\r\n")) {
    const [name = "", value = ""] = line.split(/: (.*)/s);
    if (name === "Status") status = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.writeHead(status);
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HubError } from "../errors.ts";
import { createLog } from "./log.ts";
import { Secret } from "./secret.ts";

const TOKEN = "cs_01890000-0000-7000-8000-000000000001_q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k";

function logged(
  format: "json" | "pretty",
  write: (log: ReturnType<typeof createLog>) => void,
  level: "info" | "warn" = "info",
): string {
  const lines: string[] = [];
  write(createLog({ level, format }, { write: (line: string) => void lines.push(line) }));
  return lines.join("");
}

describe("the log", () => {
  test("is one object a line, its time in UTC, its level a word", () => {
    const line = logged("json", (log) => log.warn({ requestId: "r1", traceId: "t1" }, "slow"));
    assert.ok(line.endsWith("}\n"));
    const { time, ...rest } = JSON.parse(line);
    assert.deepEqual(rest, { level: "warn", service: "countersign", requestId: "r1", traceId: "t1", msg: "slow" });
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(
      logged("json", (log) => log.info("quiet"), "warn"),
      "",
    );
  });

  const secrets: Record<string, (log: ReturnType<typeof createLog>) => void> = {
    "a token in a field": (log) => log.info({ sent: TOKEN }),
    "an invitation code": (log) => log.info({ sent: TOKEN.replace("cs_", "csi_") }),
    "an invitation code in the message": (log) => log.info(`got ${TOKEN.replace("cs_", "csi_")}.`),
    "a token in the message": (log) => log.info(`got ${TOKEN}.`),
    "a token cut short": (log) => log.info({ sent: TOKEN.slice(0, 60) }),
    "a token deep inside": (log) => log.info({ a: { b: [{ c: `x${"=".repeat(3)}${TOKEN}` }] } }),
    "a token as the name of a field": (log) => log.info({ [TOKEN]: 1 }),
    "a token in an error and its cause": (log) =>
      log.error(new HubError("INTERNAL", "failed", { details: { sent: TOKEN }, cause: new Error(`bad ${TOKEN}`) })),
    "an authorization header": (log) => log.info({ headers: { authorization: `Basic ${TOKEN.slice(-43)}` } }),
    "a bearer token of somebody else": (log) => log.info(`sent Bearer ${TOKEN.slice(-43)}`),
    "a password in an address": (log) => log.info({ url: `postgresql://owner:${TOKEN.slice(-43)}@db:5432/hub` }),
    "what is called a secret": (log) =>
      log.info({
        password: TOKEN.slice(-43),
        client_secret: TOKEN.slice(-43),
        accessToken: `\\"${TOKEN.slice(-43)}`,
        privateKey: TOKEN.slice(-43),
      }),
    "what is wrapped as a secret": (log) => log.info({ url: new Secret(TOKEN) }),
  };
  for (const [name, write] of Object.entries(secrets)) {
    for (const format of ["json", "pretty"] as const) {
      test(`${name} is not in it, ${format}`, () => {
        const line = logged(format, write);
        assert.ok(!line.includes(TOKEN.slice(-20)) && !line.includes(TOKEN.slice(44, 58)), line);
        assert.match(line, /redacted|\[secret\]/);
        if (format === "json") JSON.parse(line);
      });
    }
  }

  test("what is no secret stays", () => {
    const facts = {
      tokenId: "01890000",
      docs_section: "docs_something_long",
      code: "TOKEN_EXPIRED",
      url: "http://127.0.0.1:7310/mcp",
      keys: 2,
    };
    const { level: _, time: __, service: ___, ...rest } = JSON.parse(logged("json", (log) => log.info(facts)));
    assert.deepEqual(rest, facts);
  });

  test("tells a terminal nothing to do, whatever is logged; what is readable stays", () => {
    const nasty = "a\u001b[2J\r\n00:00:00.000 INFO  fake\u009b\u202eb";
    const line = logged("pretty", (log) => log.error({ err: new Error(nasty), [nasty]: nasty, at: { nasty } }, nasty));
    assert.doesNotMatch(line.replaceAll("\n", ""), /[\p{Cc}\u202e]/u);
    for (const row of line.trimEnd().split("\n").slice(2)) assert.match(row, /^ {4}/);
    assert.match(line, /ERROR a\\u001b\[2J\\u000d\\u000a00:00/);
    assert.match(
      logged("pretty", (log) => log.info({ to: "Zoë 日本" }, "sent")),
      /INFO {2}sent to=Zoë 日本\n$/,
    );
  });

  test("reads well on a terminal, with the stack of an error", () => {
    const line = logged("pretty", (log) => log.error({ err: new Error("no disk"), at: { step: 2 } }, "stopped"));
    assert.match(line, /^\d\d:\d\d:\d\d\.\d{3} ERROR stopped at=\{"step":2\}\nError: no disk\n {4}at /);
  });
});

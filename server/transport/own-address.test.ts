import assert from "node:assert/strict";
import { test } from "node:test";
import { OwnAddress } from "./own-address.ts";

const own = new OwnAddress(
  {
    host: "192.0.2.7",
    publicUrl: "https://public.example",
    allowedHosts: ["hub.example", "only.example:8443"],
    allowedOrigins: ["https://console.example", "vscode-webview://one", "http://app.example:80"],
  },
  7310,
);

const hosts = {
  accept: [
    "localhost",
    "LOCALHOST:7310",
    "127.0.0.1:1",
    "[::1]:7310",
    "192.0.2.7:7310",
    "public.example",
    "hub.example",
    "Hub.Example:443",
    "only.example:8443",
  ],
  reject: [
    "",
    "public.example.evil.example",
    "evil.example",
    "hub.example.evil.example",
    "only.example",
    "only.example:443",
    "localhost.",
    "a@localhost",
    "localhost:7310:1",
    "192.0.2.8",
    "::1",
    "localhost/x",
    " localhost",
  ],
};

const origins = {
  accept: [
    undefined,
    "http://localhost:7310",
    "http://192.0.2.7:7310",
    "http://[::1]:7310",
    "https://public.example",
    "https://console.example",
    "https://console.example:443",
    "HTTPS://Console.Example",
    "vscode-webview://one",
    "http://app.example",
  ],
  reject: [
    "null",
    "",
    "http://public.example",
    "http://localhost",
    "https://localhost:7310",
    "http://localhost:7311",
    "http://console.example",
    "https://console.example.evil",
    "vscode-webview://two",
    "file://",
    "http://192.0.2.7",
  ],
};

for (const host of hosts.accept) test(`Host ${host}`, () => own.check({ host }));
for (const host of hosts.reject)
  test(`Host "${host}"`, () => assert.throws(() => own.check({ host }), { code: "ORIGIN_REFUSED" }));
for (const origin of origins.accept) test(`Origin ${origin}`, () => own.check({ host: "localhost", origin }));
for (const origin of origins.reject)
  test(`Origin "${origin}"`, () =>
    assert.throws(() => own.check({ host: "localhost", origin }), { code: "ORIGIN_REFUSED" }));

test("a Host that was accepted stays so, and one that was not, not", () => {
  for (const host of ["localhost:1", "localhost:1"]) own.check({ host });
  for (const host of ["evil.example", "evil.example"])
    assert.throws(() => own.check({ host }), { code: "ORIGIN_REFUSED" });
});

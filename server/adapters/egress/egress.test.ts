import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { after, before, suite, test } from "node:test";
import { createEgress, type Resolve } from "./egress.ts";

suite("egress", () => {
  let server: Server;
  let port: number;
  let arrived = 0;
  before(async () => {
    server = createServer((socket) => {
      arrived++;
      socket.on("error", () => {}).end("hello");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  });
  after(() => server.close());

  const { signal } = new AbortController();
  const refused = { code: "EGRESS_REFUSED" };
  const always =
    (...addresses: string[]): Resolve =>
    async () =>
      addresses;

  async function greeting(allow: readonly string[], host: string, resolve?: Resolve): Promise<string> {
    const socket = await createEgress({ allow, ...(resolve && { resolve }) }).connect(host, port, { signal });
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  }

  test("refuses a private host, and connects with it where it is allowed by name, or by name and port", async () => {
    const before = arrived;
    for (const allow of [[], ["other.example"], [`hub.test:${port + 1}`], ["b.hub.test"], ["test"]]) {
      await assert.rejects(greeting(allow, "hub.test", always("127.0.0.1")), refused, allow.join());
    }
    assert.equal(arrived, before, "a refused host got a connection");
    for (const allow of [["hub.test"], [`hub.test:${port}`], ["HUB.test."]]) {
      assert.equal(await greeting(allow, "hub.test", always("127.0.0.1")), "hello", allow.join());
    }
  });

  test("judges an address in any spelling, without asking a resolver", async () => {
    const never: Resolve = () => assert.fail("the resolver was asked");
    for (const host of ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::ffff:127.0.0.1]", "::1"]) {
      await assert.rejects(greeting([], host, never), refused, host);
    }
    for (const host of ["127.0.0.1", "127.1", "2130706433", "0x7f000001"]) {
      assert.equal(await greeting(["127.0.0.1"], host, never), "hello", host);
    }
  });

  test("refuses a host as soon as one of its addresses is private", async () => {
    for (const addresses of [
      ["8.8.8.8", "10.0.0.1"],
      ["2606:4700::1", "::1"],
      ["8.8.8.8", "::ffff:10.0.0.1"],
    ]) {
      await assert.rejects(greeting([], "mixed.test", always(...addresses)), refused, addresses.join());
    }
    assert.equal(await greeting(["mixed.test"], "mixed.test", always("127.0.0.1", "127.0.0.1")), "hello");
  });

  test("dials the address that was judged: a resolver that answers differently later is not asked again", async () => {
    let asked = 0;
    const rebinding: Resolve = async () => (++asked === 1 ? ["127.0.0.1"] : ["127.0.0.99"]);
    assert.equal(await greeting(["rebind.test"], "rebind.test", rebinding), "hello");
    assert.equal(asked, 1);
    await assert.rejects(greeting([], "rebind.test", rebinding), refused);
    assert.equal(asked, 2);
  });

  test("tells what the system says where nobody answers", async () => {
    const gone = createServer().listen(0, "127.0.0.1");
    await once(gone, "listening");
    const closed = (gone.address() as AddressInfo).port;
    gone.close();
    await once(gone, "close");
    const egress = createEgress({ allow: ["hub.test"], resolve: always("127.0.0.1") });
    await assert.rejects(egress.connect("hub.test", closed, { signal }), { code: "ECONNREFUSED" });
    const unknown = createEgress({ allow: [], resolve: always() });
    await assert.rejects(unknown.connect("hub.test", port, { signal }), { code: "ENOTFOUND" });
  });

  test("waits for no resolver longer than it may, and not at all once it is given up", async () => {
    const silent: Resolve = () => new Promise(() => {});
    const egress = createEgress({ allow: [], resolve: silent });
    await assert.rejects(egress.connect("slow.test", port, { signal, timeoutMs: 1 }), { code: "TIMEOUT" });
    const controller = new AbortController();
    const pending = egress.connect("slow.test", port, { signal: controller.signal });
    controller.abort();
    await assert.rejects(pending, { code: "CANCELLED" });
  });

  test("takes no list with an entry that is no host", () => {
    for (const entry of ["a b", "", "a:99999", "http://a"]) {
      assert.throws(() => createEgress({ allow: [entry] }), { code: "CONFIG_INVALID" }, entry);
    }
    createEgress({ allow: ["a.example", "a.example:22", "[::1]:80", "10.0.0.1"] });
  });
});

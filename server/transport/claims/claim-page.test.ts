import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { formatSecret, generateSecret } from "../../../contracts/identity/bearer-secret.ts";
import type { Caller } from "../../action/caller.ts";
import { HubError } from "../../errors.ts";
import { TestDoor } from "../test-door.ts";

const CODE = formatSecret("csc", { id: "018f0000-0000-7000-8000-00000000000c", secret: generateSecret() });

let door: TestDoor;
before(async () => {
  door = await TestDoor.open({ ratePerAddress: 5 });
  const [caller] = door.hub.principals.values();
  door.hub.claims.set(CODE, { caller: caller as Caller, credential: "forge" });
});
after(() => door[Symbol.asyncDispose]());

const visit = (code: string, headers = {}) => door.send(`/claims/${code}`, "", headers, "GET");

test("codes are guessed at no faster than tokens; the right one still counts, and no log has it", async () => {
  await visit(CODE);
  for (let n = 0; n < 5; n++) assert.equal((await visit(`csc_${n}`)).status, 404);
  const late = await visit("csc_6");
  assert.equal(late.status, 429);
  assert.ok(Number(late.headers.get("retry-after")) > 0);
  assert.notEqual((await visit(CODE)).status, 429);
  assert.ok(door.hub.lines.some((line) => line.includes("/claims/...")));
  assert.ok(!door.hub.lines.some((line) => line.includes(CODE) || line.includes("csc_1")));
});

test("a page of refusal is a page: no markup of others, and the same guards", async () => {
  await using other = await TestDoor.open();
  const words = `<script>alert("x")</script> & 'more'\u202e`;
  other.hub.claims.set(CODE, new HubError("CLAIM_EXPIRED", words));
  const page = await other.send(`/claims/${CODE}`, "", {}, "GET");
  assert.equal(page.status, 410);
  assert.ok(page.text.includes("&lt;script&gt;") && !page.text.includes("<script") && !page.text.includes("\u202e"));
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert.match(String(page.headers.get("content-security-policy")), /frame-ancestors 'none'/);
  assert.equal(page.headers.get("referrer-policy"), "same-origin");
  assert.equal(page.headers.get("cache-control"), "no-store");
  const foreign = await other.send(`/claims/${CODE}`, "", { origin: "https://evil.example" }, "GET");
  assert.equal(foreign.status, 403);
  assert.equal(foreign.headers.get("access-control-allow-origin"), null);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { createEgress } from "./egress.ts";

const refused = { code: "EGRESS_REFUSED" };

test("an address that is never dialled is refused before anybody asks for a connection; a public one is not", () => {
  const egress = createEgress({ allow: [] });
  for (const host of ["169.254.169.254", "[fe80::1]", "fe80::1", "10.0.0.1", "127.0.0.1", "[::ffff:a9fe:a9fe]"])
    assert.throws(() => egress.refuseAddress(host, 443), refused, host);
  for (const host of ["93.184.215.14", "[2606:2800:21f::1]"]) egress.refuseAddress(host, 443);
});

test("one that the operator allowed is not, on its port; what a name leads to is not asked here", () => {
  const egress = createEgress({ allow: ["10.0.0.1:22", "169.254.169.254"] });
  egress.refuseAddress("10.0.0.1", 22);
  egress.refuseAddress("169.254.169.254", 443);
  assert.throws(() => egress.refuseAddress("10.0.0.1", 443), refused);
  egress.refuseAddress("metadata.internal", 443);
});

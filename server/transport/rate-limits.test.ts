import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import type { Caller } from "../action/caller.ts";
import { networkOf, RateLimits } from "./rate-limits.ts";

const [HERE, THERE] = ["192.0.2.1", "192.0.2.2"];

function limits(perPrincipal: number, perAddress: number) {
  return new RateLimits({ perPrincipal, perAddress, secret: randomBytes(32), now: () => 0 });
}

const caller = (id: string, account = "one") => ({ account: { id: account }, principal: { id } }) as Caller;

test("a principal that calls too often is refused with when to come back; others are not", async () => {
  const rates = limits(2, 0);
  await rates.spend(caller("ada"));
  await rates.spend(caller("ada"));
  await assert.rejects(rates.spend(caller("ada")), { code: "RATE_LIMITED", details: { retryAfterSeconds: 30 } });
  await rates.spend(caller("ben"));
  await rates.spend(caller("ada", "another account"));
});

describe("wrong tokens", () => {
  const guess = (rates: RateLimits, from: string, times: number) => {
    for (let n = 0; n < times; n++) {
      rates.refuseGuesser(from, `cs_wrong_${n}`);
      rates.countGuess(from);
    }
  };

  test("are throttled by address: the next one is not looked up, from elsewhere it is", () => {
    const rates = limits(0, 10);
    guess(rates, HERE, 10);
    assert.throws(() => rates.refuseGuesser(HERE, "cs_wrong"), {
      code: "RATE_LIMITED",
      details: { retryAfterSeconds: 6 },
    });
    rates.refuseGuesser(THERE, "cs_wrong");
  });

  test("lock nobody out: what counted before still does, from next door too", () => {
    const rates = limits(0, 10);
    rates.remember("cs_right");
    guess(rates, HERE, 10);
    rates.refuseGuesser(HERE, "cs_right");
    rates.refuseGuesser(THERE, "cs_never_seen");
    assert.throws(() => rates.refuseGuesser(HERE, "cs_right "), { code: "RATE_LIMITED" });
  });

  test("in any number are looked up where there is no limit", () => {
    guess(limits(0, 0), HERE, 1000);
  });

  test("from one network of IPv6 count as one address's", () => {
    const rates = limits(0, 2);
    guess(rates, "2001:db8:1:2::1", 1);
    guess(rates, "2001:db8:1:2:ffff::2", 1);
    assert.throws(() => rates.refuseGuesser("2001:db8:1:2:3:4:5:6", "cs_wrong"), { code: "RATE_LIMITED" });
    rates.refuseGuesser("2001:db8:1:3::1", "cs_wrong");
  });
});

test("an address is named by whoever it belongs to", () => {
  for (const [address, network] of [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2::1", "2001:db8:1:2"],
    ["2001:0DB8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8::1", "2001:db8:0:0"],
    ["::1", "0:0:0:0"],
    ["fe80::1%eth0", "fe80:0:0:0"],
    [undefined, ""],
  ] as const)
    assert.equal(networkOf(address), network, address);
});

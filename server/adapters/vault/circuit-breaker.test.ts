import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { HubError } from "../../errors.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";

const sealed = () => Promise.reject(new HubError("KEY_SERVICE_SEALED", "sealed"));
const denied = () => Promise.reject(new HubError("KEY_SERVICE_DENIED", "denied"));

suite("the circuit breaker", () => {
  let now = 0;
  const breaker = () => {
    now = 0;
    return new CircuitBreaker({ failures: 3, openMs: 100, longestMs: 400, now: () => now });
  };
  const fails = (run: Promise<unknown>, code: string) => assert.rejects(run, { code });

  test("spares callers after three failures in a row, with what the last one met", async () => {
    const circuit = breaker();
    for (let time = 0; time < 3; time++) await fails(circuit.run(sealed), "KEY_SERVICE_SEALED");
    let asked = 0;
    const ask = async () => ++asked;
    await assert.rejects(circuit.run(ask), (error: HubError) => {
      assert.equal(error.details?.["retryAfterSeconds"], 1);
      return error.code === "KEY_SERVICE_SEALED";
    });
    assert.equal(asked, 0);
    now = 100;
    assert.equal(await circuit.run(ask), 1);
    assert.equal(await circuit.run(ask), 2);
  });

  test("lets one at a time see whether it still is so, and waits longer each time, up to a limit", async () => {
    const circuit = breaker();
    for (let time = 0; time < 3; time++) await fails(circuit.run(sealed), "KEY_SERVICE_SEALED");
    let until = 0;
    for (const wait of [100, 200, 400, 400]) {
      now = until + wait - 1;
      let asked = false;
      await fails(
        circuit.run(async () => (asked = true)),
        "KEY_SERVICE_SEALED",
      );
      assert.equal(asked, false);
      now = until = until + wait;
      const { promise, reject } = Promise.withResolvers<never>();
      const probe = circuit.run(() => promise);
      await fails(
        circuit.run(async () => (asked = true)),
        "KEY_SERVICE_SEALED",
      );
      assert.equal(asked, false);
      reject(new HubError("KEY_SERVICE_SEALED", "sealed"));
      await fails(probe, "KEY_SERVICE_SEALED");
    }
  });

  test("takes a refusal for the answer of a service that is well", async () => {
    const circuit = breaker();
    for (let time = 0; time < 9; time++) {
      await fails(circuit.run(sealed), "KEY_SERVICE_SEALED");
      await fails(circuit.run(sealed), "KEY_SERVICE_SEALED");
      await fails(circuit.run(denied), "KEY_SERVICE_DENIED");
    }
    assert.equal(await circuit.run(async () => "here"), "here");
  });
});

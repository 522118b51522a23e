import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { whileAlone } from "./start-lock.ts";

const folder = mkdtempSync(join(tmpdir(), "countersign-lock-"));
after(() => rmSync(folder, { recursive: true }));

test("one after the other, whoever fails in between", async () => {
  let inside = 0;
  const order: number[] = [];
  const enter = (n: number) =>
    whileAlone(folder, async () => {
      assert.equal(++inside, 1);
      await new Promise(setImmediate);
      order.push(n);
      inside--;
      if (n === 1) throw new Error("on purpose");
      return n;
    });
  const all = await Promise.allSettled([0, 1, 2, 3].map(enter));
  assert.deepEqual(
    all.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled", "fulfilled"],
  );
  assert.deepEqual(
    order.toSorted((a, b) => a - b),
    [0, 1, 2, 3],
  );
  assert.equal(statSync(join(folder, "start.lock")).mode & 0o777, 0o600);
});

test("a process that is killed leaves no lock behind", async () => {
  const module = new URL("start-lock.ts", import.meta.url).href;
  const hold = `import { whileAlone } from ${JSON.stringify(module)};
    await whileAlone(${JSON.stringify(folder)}, () => { console.log("held"); return new Promise((r) => process.stdin.on("data", r)); });`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", hold], { stdio: ["pipe", "pipe", "inherit"] });
  await once(holder.stdout, "data");
  let entered = false;
  const waiting = whileAlone(folder, async () => {
    entered = true;
    return holder.signalCode;
  });
  await new Promise(setImmediate);
  assert.equal(entered, false);
  const gone = once(holder, "exit");
  holder.kill("SIGKILL");
  await gone;
  assert.equal(await waiting, "SIGKILL");
});

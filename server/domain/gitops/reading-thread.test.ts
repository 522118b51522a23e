import assert from "node:assert/strict";
import { test } from "node:test";
import { placeOf, readDesiredState } from "./read-fleet-file.ts";
import { ReadingThread } from "./reading-thread.ts";

const HEAD = "apiVersion: countersign/v1\nkind: Fleet\n";
const FLEET = `${HEAD}templates:
  - name: web
    spec: { version: 1.0.0, modules: [elsewhere], parameters: { size: { type: integer } } }
assignments:
  - name: prod
    spec:
      template: web
      provider: edge
      selector: { env: prod }
      parameters:
        size: 3
`;
const never = new AbortController().signal;

test("what a thread of its own reads is what is read here, and its references and parameters have their places", async () => {
  const files = [{ path: "fleet.yaml", text: FLEET }];
  await using reading = new ReadingThread(never);
  const apart = await reading.state(files);
  const here = readDesiredState(files);
  assert.deepEqual(
    apart.objects.map(({ places: _, ...object }) => object),
    here.objects,
  );
  for (const path of ["object.spec.template", "object.spec.provider", "object.spec.parameters.size"]) {
    const [there, own] = [apart.objects[0], here.objects[0]].map((object) => object && placeOf(object, path));
    assert.deepEqual(there, own, path);
    assert.notEqual(there?.line, apart.objects[0]?.line, path);
  }
  const template = apart.objects[1] ?? assert.fail();
  assert.equal(placeOf(template, "object.spec.modules[0]").line, 5);
});

test("a fault comes through with its code, its places and nothing else; the thread reads on", async () => {
  await using reading = new ReadingThread(never);
  const bad = reading.state([{ path: "fleet.yaml", text: `${HEAD}widgets: []\n` }]);
  await assert.rejects(bad, (error: { code: string; details: { problems: { line: number }[] } }) => {
    assert.deepEqual([error.code, error.details.problems[0]?.line], ["DESIRED_STATE_INVALID", 3]);
    return true;
  });
  assert.equal((await reading.state([{ path: "fleet.yaml", text: FLEET }])).objects.length, 2);
});

test("what a file includes is read apart too", async () => {
  await using reading = new ReadingThread(never);
  assert.deepEqual(await reading.includes(`${HEAD}include: ["teams/*.yaml"]\n`), ["teams/*.yaml"]);
  assert.deepEqual(await reading.includes(HEAD), []);
});

test("a reading that nobody waits for any more ends", async () => {
  const stop = new AbortController();
  await using thread = new ReadingThread(stop.signal);
  const reading = thread.includes(`${HEAD}include: ["a.yaml"]\n`);
  stop.abort();
  await assert.rejects(reading, { code: "CANCELLED" });
});

test("a thread that is gone answers nobody", async () => {
  const thread = new ReadingThread(never);
  const waiting = thread.includes(HEAD);
  await Promise.all([thread[Symbol.asyncDispose](), assert.rejects(waiting, { code: "CANCELLED" })]);
  await assert.rejects(thread.includes(HEAD), { code: "CANCELLED" });
});

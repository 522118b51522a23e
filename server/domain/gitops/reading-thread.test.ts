import assert from "node:assert/strict";
import { test } from "node:test";
import { placeOf, readDesiredState } from "./read-fleet-file.ts";
import { includesApart, readDesiredStateApart } from "./reading-thread.ts";

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
  const apart = await readDesiredStateApart(files, never);
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

test("a fault comes through with its code, its places and nothing else", async () => {
  const bad = readDesiredStateApart([{ path: "fleet.yaml", text: `${HEAD}widgets: []\n` }], never);
  await assert.rejects(bad, (error: { code: string; details: { problems: { line: number }[] } }) => {
    assert.deepEqual([error.code, error.details.problems[0]?.line], ["DESIRED_STATE_INVALID", 3]);
    return true;
  });
});

test("what a file includes is read apart too", async () => {
  assert.deepEqual(await includesApart(`${HEAD}include: ["teams/*.yaml"]\n`, never), ["teams/*.yaml"]);
  assert.deepEqual(await includesApart(HEAD, never), []);
});

test("a reading that nobody waits for any more ends", async () => {
  const stop = new AbortController();
  const reading = includesApart(`${HEAD}include: ["a.yaml"]\n`, stop.signal);
  stop.abort();
  await assert.rejects(reading, { code: "CANCELLED" });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { assignment, module, provider } from "../fleet/fleet.fixture.ts";
import { refText } from "../fleet/references.ts";
import { liveObject, liveSet } from "./gitops-objects.fixture.ts";
import { baseOf, type Proposal, type ProposedItem, statedOf } from "./gitops-store.ts";
import { previewOf } from "./preview-apply.ts";

const proposal: Proposal = {
  id: "p",
  repositoryId: "r",
  repository: "fleet",
  runId: "run",
  commit: { id: "c".repeat(40), author: "Grace", subject: "a change", committedAt: new Date(0) },
  riskClass: "changes",
  state: "open",
  digest: "d".repeat(64),
  salt: Buffer.alloc(32),
  items: 1,
  createdAt: new Date(0),
  forced: false,
};

const change = (live: ReturnType<typeof liveObject>, after: NonNullable<ProposedItem["after"]>): ProposedItem => ({
  action: "update",
  kind: after.kind,
  name: after.name,
  base: baseOf(live),
  before: statedOf(live),
  after,
});

const shown = (items: readonly ProposedItem[], live: ReturnType<typeof liveSet>, force = false) =>
  previewOf(proposal, items, live, { asker: "Ann", force });

test("however much else there is, no address changes without being shown, and what does not fit is counted", () => {
  const before = Array.from({ length: 250 }, (_, i) => liveObject(module(`m${i}`)));
  const bumps = before.map((live) => change(live, { ...module(live.name), labels: { a: "1", b: "2" } }));
  const edge = liveObject(provider("zz-edge"));
  const spec = { driver: "kubernetes", endpoint: "https://evil.example" };
  const items = [...bumps, change(edge, { ...provider("zz-edge"), spec })];
  const { changes, headline } = shown(items, liveSet(...before, edge));
  assert.match(headline, /change 250 modules and 1 provider config/);
  assert.deepEqual(
    changes.find(({ field }) => field === "ProviderConfig/zz-edge spec.endpoint"),
    { field: "ProviderConfig/zz-edge spec.endpoint", before: "https://zz-edge.example", after: "https://evil.example" },
  );
  assert.ok(changes.length <= 200, String(changes.length));
  assert.match(changes.at(-1)?.field ?? "", /^and \d+ more addresses, origins and objects/);
});

test("a small proposal is shown whole: each object by name, each field once", () => {
  const live = liveObject(assignment("prod", { parameters: { replicas: 2 } }));
  const { changes } = shown([change(live, assignment("prod", { parameters: { replicas: 3 } }))], liveSet(live));
  assert.deepEqual(changes.slice(2), [
    { field: "Assignment/prod", after: "changed" },
    { field: "Assignment/prod spec.parameters.replicas", before: "2", after: "3" },
  ]);
});

test("force is shown as it would change what is live, with all that others did and it takes away", () => {
  const base = liveObject(assignment("prod", { parameters: { replicas: 2 } }));
  const now = liveObject(
    assignment("prod", { parameters: { replicas: 7 }, selector: { env: "prod", canary: "yes" } }),
    { version: 2, labels: { a: "1", b: "2", c: "3" } },
  );
  const item = change(base, assignment("prod", { parameters: { replicas: 5 } }));
  const { changes, headline } = shown([item], liveSet(now), true);
  assert.match(headline, /FORCE .* OVER 1 objects/);
  const fields = new Map(changes.map((line) => [line.field, line]));
  assert.deepEqual(fields.get(`${refText(item)} spec.parameters.replicas`), {
    field: "Assignment/prod spec.parameters.replicas",
    before: "7",
    after: "5",
  });
  assert.equal(fields.get("Assignment/prod spec.selector.canary")?.before, "yes");
  assert.match(fields.get("overwritten")?.after ?? "", /and \d+ more/);
});

import * as z from "zod";
import { batchSize, failedRecord, MOST_ITEMS, movedRecord, walker } from "../../contracts/vault/walk.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { recordBatch, rewrapPage } from "../../server/domain/rotation/rewrap-batch.ts";

export const rewrapBatch = defineAction({
  name: "system_vault_rewrap_batch",
  title: "Carry credentials over",
  description:
    "The hub's own job carries the next credentials of the account over to the new version of its key: each by compare-and-set, with the walk's place in the same transaction. The receipt commits to which went from which version to which.",
  permission: "system.vault.walk",
  risk: { effect: "external", approval: "none", loosens: false },
  input: z.strictObject({ ...walker, size: batchSize }),
  output: z.strictObject({
    rotationId: z.string(),
    no: z.int(),
    moved: z.array(movedRecord).max(MOST_ITEMS),
    failed: z.array(failedRecord).max(MOST_ITEMS),
    lost: z.int().describe("changed by somebody else meanwhile; looked at again"),
    finished: z.boolean().describe("this pass came to its end"),
    digest: z.string().nullable().describe("hex SHA-256 of a salt and the canonical list of what moved"),
  }),
  errors: ["NOT_FOUND"],
  channels: ["job"],
  policyInput: ["size"],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 60_000,
  summary: ({ moved, failed, lost }) =>
    `${moved.length} carried over, ${failed.length} failed, ${lost} looked at again.`,
  leaves: ({ rotationId, no, digest }) =>
    digest === null ? [] : [{ type: "KeyWalkBatch", id: rotationId, version: no, digest }],
  reach: (input, { read, services, call }) =>
    rewrapPage(input, {
      look: (fn) => read(({ rotation }) => fn(rotation)),
      keys: services.accountKeys,
      accountId: call.caller.account.id,
    }),
  handler: async (input, { tx, call, reached }) => ({
    rotationId: input.rotationId,
    no: reached.walk.batches + 1,
    ...(await recordBatch(tx, input, reached, { callId: call.id, at: call.now })),
  }),
});

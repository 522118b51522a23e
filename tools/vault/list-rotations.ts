import * as z from "zod";
import { page, pageOf } from "../../contracts/page.ts";
import { type RotationSummary, rotationSummary } from "../../contracts/vault/rotation.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { shortTable } from "../../server/action/short-table.ts";
import { requireHubAccount } from "../../server/domain/rotation/hub-account.ts";
import { listRotations } from "../../server/domain/rotation/read-rotations.ts";
import { finalizationInWords } from "../../server/domain/rotation/rotation-words.ts";

const COLUMNS = {
  Rotation: ({ id }: RotationSummary) => id,
  State: ({ state, paused }: RotationSummary) => (paused ? "paused" : state),
  Begun: ({ createdAt }: RotationSummary) => createdAt,
  Finalised: ({ finalizedAt }: RotationSummary) => finalizedAt,
  How: ({ progress, error, finalization, finalizedAt }: RotationSummary) =>
    error?.code ?? (finalization && !finalizedAt ? finalizationInWords(finalization) : progress.sentence),
};

export const listVaultRotations = defineAction({
  name: "system_vault_list_rotations",
  title: "List rotations",
  description: "Lists rotations of the transit keys, newest first. For the hub's own account alone.",
  permission: "system.vault.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject(page),
  output: pageOf(rotationSummary),
  errors: ["CURSOR_INVALID"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ items, next }) =>
    items.length === 0 ? "No rotations yet." : shortTable(COLUMNS, items, next !== undefined),
  handler: async (input, { read, call }) => {
    requireHubAccount(call.caller);
    return listRotations(read, input);
  },
});

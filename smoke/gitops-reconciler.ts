/**
 * Git from outside: a commit becomes a proposal, an approved proposal becomes the fleet, and what is changed past Git is
 * seen, named and mended. An agent does it through real MCP clients, a person approves with the command, and the
 * repositories are real ones. Both official SDKs, over stdio and over HTTP.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { publicKeyFromPem } from "../contracts/formats/ed25519.ts";
import { verifyReceiptProof } from "../contracts/formats/receipt-proof.ts";
import type { DriftReport } from "../contracts/gitops/drift-report.ts";
import type { SyncProblem, SyncRunView } from "../contracts/gitops/sync-run.ts";
import { codeOf, metaOf, outputOf } from "./outside/called.ts";
import { type Answer, type Called, clients, type OutsideClient } from "./outside/clients.ts";
import { OutsideHub } from "./outside/hub.ts";
import { OutsideRepository } from "./outside/repository.ts";

const SYNC = "system_gitops_sync_repository";
const APPLY = "system_gitops_apply_proposal";
const REGISTER = "system_gitops_register_repository";
const DIGEST = `sha256:${"7".repeat(64)}`;

await using hub = new OutsideHub((home) => ({ COUNTERSIGN_GIT_FILE_ROOTS: join(home, "repositories") }));
await hub.start();
const { rootKey } = JSON.parse(hub.file("config", "cli", "hub.json")) as { rootKey: string };

let number = 0;
for (const [name, connect] of Object.entries(clients)) {
  const client = await connect(hub);
  const agent = new Agent(client);
  await theWholeWay(agent, `shop-${++number}`);
  await refuseBadAddresses(agent, `bad-address-${number}`);
  await refuseBadCommits(agent, `bad-commit-${number}`);
  await client.close();
  told(`${name}: committed, proposed, approved, applied, drifted, mended, deleted; bad input was refused`);
}

const verified = await hub.run("journal", "verify", "--json");
assert.equal(verified.code, 0, verified.out + verified.err);
const { ok, accounts } = JSON.parse(verified.out);
assert.equal(ok, true);
told(`the journal holds, seen from outside: ${accounts[0].receipts} receipts`);
assert.equal(await hub.stop(), 0);
told("the hub ended cleanly");

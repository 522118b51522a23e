/** What the vault commands read of the hub. */
import * as z from "zod";
import { pageOf } from "../../../contracts/page.ts";
import { accountKeyView, type RotationView, rotationSummary, rotationView } from "../../../contracts/vault/rotation.ts";
import { type VerificationView, verificationView } from "../../../contracts/vault/verification.ts";
import { HubError } from "../../../server/errors.ts";
import type { HubClient } from "../../hub-client.ts";

export const oneRotation = z.object({ rotation: rotationView });
export const oneVerification = z.object({ verification: verificationView });
const running = z.object({ operationId: z.string() });

export const readRotation = async (hub: HubClient, rotationId: string): Promise<RotationView> =>
  (await hub.output(oneRotation, "system_vault_get_rotation", { rotationId })).rotation;

export const readVerification = async (hub: HubClient, verificationId: string): Promise<VerificationView> =>
  (await hub.output(oneVerification, "system_vault_get_verification", { verificationId })).verification;

export const readRotations = (hub: HubClient, limit = 20) =>
  hub.output(pageOf(rotationSummary), "system_vault_list_rotations", { limit });

export const readDueAccounts = (hub: HubClient, olderThanDays: number) =>
  hub.output(pageOf(accountKeyView), "system_vault_list_accounts", { olderThanDays, limit: 200 });

/** The one that was named, or the latest. Throws NOT_FOUND where there is none. */
export async function chosenRotation(hub: HubClient, rotationId: string | undefined): Promise<string> {
  if (rotationId !== undefined) return rotationId;
  const [latest] = (await readRotations(hub, 1)).items;
  if (latest) return latest.id;
  throw new HubError("NOT_FOUND", "No rotation was ever begun: npx countersign vault rotate");
}

/** The operation that stands in the way, where that is why a call was refused. */
export function runningOne(error: unknown): string | undefined {
  if (!(error instanceof HubError) || error.code !== "ROTATION_RUNNING") return undefined;
  return running.safeParse(error.details).data?.operationId;
}

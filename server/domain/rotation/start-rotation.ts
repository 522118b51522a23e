import { counted } from "../../../contracts/vault/counted.ts";
import { ROTATION } from "../../../contracts/vault/walk.ts";
import type { Preview } from "../approvals/preview.ts";
import type { EventWriter } from "../events/event-store.ts";
import type { OperationReader, OperationWriter } from "../operations/operation-store.ts";
import { type Asking, beginWalking, KEYS_SUBJECT, refuseRunning } from "./rotation-operation.ts";
import type { RotationReader, RotationWriter } from "./rotation-store.ts";

interface Input {
  readonly ratePerSecond?: number | undefined;
}

/** What approvers see. Throws ROTATION_RUNNING before anybody is asked. */
export async function previewRotation(
  read: { readonly rotation: RotationReader },
  { ratePerSecond }: Input,
  asker: string,
): Promise<Preview> {
  await refuseRunning(read, ROTATION);
  const { accounts, credentials } = await read.rotation.size();
  return {
    headline: `${asker} asks to rotate the transit key of ${counted(accounts, "account")} and to carry ${counted(credentials, "credential")} over`,
    changes: [
      { field: "accounts", after: `${accounts}, each with a new version of the key that wraps its secrets` },
      { field: "credentials", after: `${credentials}, wrapped anew while in use` },
      {
        field: "rate",
        after: ratePerSecond === undefined ? "no limit" : `${counted(ratePerSecond, "credential")} a second`,
      },
      { field: "old versions", after: "stay readable until the rotation is finalised, which two people agree to" },
    ],
  };
}

/** Begins a rotation of all accounts' keys. Answers with its id, its operation's. Throws ROTATION_RUNNING. */
export async function startRotation(
  tx: {
    readonly rotation: RotationReader & RotationWriter;
    readonly operations: OperationReader & OperationWriter;
    readonly events: EventWriter;
  },
  { ratePerSecond }: Input,
  { by, now }: Asking,
): Promise<string> {
  const { credentials: total } = await tx.rotation.size();
  const id = await beginWalking(tx, ROTATION, { total, by, now });
  await tx.rotation.add({ id, ...(ratePerSecond !== undefined && { ratePerSecond }) });
  await tx.events.emit({
    type: "vault.rotation_started",
    subject: `vault/rotations/${id}`,
    data: { by, about: KEYS_SUBJECT },
  });
  return id;
}

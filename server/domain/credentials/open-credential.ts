import { allowsConsumer, allowsHost } from "../../../contracts/credentials/allowed-host.ts";
import type { CredentialKind } from "../../../contracts/credentials/credential-kind.ts";
import { HubError } from "../../errors.ts";
import type { EventWriter } from "../events/event-store.ts";
import type { KeyService } from "../keys/key-service.ts";
import { againstJournal } from "./check-records.ts";
import { emptyCredential, openMaterial } from "./credential-record.ts";
import type { CredentialReader, CredentialRecord, CredentialWriter, JournalledRecord } from "./credential-store.ts";

/** A secret on its way to the one adapter that sends it, which wipes `secret` when it has. */
export interface OpenedCredential {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly kind: CredentialKind;
  readonly username?: string;
  readonly secret: Buffer;
}

/** What a secret is wanted for. */
export interface CredentialUse {
  /** `<area>` or `<area>/<name>`, such as `gitops/shop`. */
  readonly consumer: string;
  /** Where it will be sent: `host`, or `host:port` where that is not the usual port. */
  readonly host: string;
  readonly signal: AbortSignal;
  /** Whose call it is for, and which. */
  readonly by?: string;
  readonly callId?: string;
}

/** Somebody tries it out: whatever it is for, and without a host nothing is sent. */
export type CredentialTrial = Omit<CredentialUse, "consumer" | "host"> & { readonly host?: string };

/** The rows, in short transactions of their own. */
export interface CredentialRooms {
  read<T>(accountId: string, fn: (credentials: CredentialReader) => Promise<T>, signal?: AbortSignal): Promise<T>;
  transact<T>(
    accountId: string,
    fn: (tx: { readonly credentials: CredentialWriter; readonly events: EventWriter }) => Promise<T>,
  ): Promise<T>;
}

export interface CredentialOpener {
  /**
   * Opens a credential for what it says it is for; each use and each refused one is an event. By its id, or its name.
   * Throws NOT_FOUND, CREDENTIAL_REPLACED (the row is not what the journal has of it), CREDENTIAL_EMPTY,
   * CREDENTIAL_EXPIRED, CREDENTIAL_SCOPE_REFUSED, CIPHERTEXT_INVALID and what the key service throws.
   */
  open(accountId: string, nameOrId: string, use: CredentialUse): Promise<OpenedCredential>;
  /** The same for trying it out: no consumer is asked for, and no host where nothing is sent. */
  openForTrial(accountId: string, nameOrId: string, trial: CredentialTrial): Promise<OpenedCredential>;
}

interface Setup {
  readonly rooms: CredentialRooms;
  readonly keys: Pick<KeyService, "decrypt">;
  readonly now: () => Date;
}

const ID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
/** As the consumer that a trial counts for in events. */
const TRIAL = "credentials";

type Wanted = Omit<CredentialUse, "consumer" | "host"> & Partial<Pick<CredentialUse, "consumer" | "host">>;

export function credentialOpener({ rooms, keys, now }: Setup): CredentialOpener {
  async function open(accountId: string, nameOrId: string, wanted: Wanted): Promise<OpenedCredential> {
    const { record, latest } = await rooms.read(accountId, (rows) => find(rows, nameOrId), wanted.signal);
    const tell = (type: string, code?: string) =>
      rooms.transact(accountId, async ({ credentials, events }) => {
        if (code === undefined) await credentials.touch(record.id, now());
        await events.emit({ type, subject: `credentials/${record.name}`, data: factsOf(record, wanted, code) });
      });
    let opened: OpenedCredential | undefined;
    try {
      refuse(record, latest, wanted, now());
      opened = await unsealed(record, keys);
      wanted.signal.throwIfAborted();
    } catch (error) {
      opened?.secret.fill(0);
      if (error instanceof HubError) await tell("credentials.use_refused", error.code);
      throw error;
    }
    try {
      await tell("credentials.used"); // before it leaves: what is not on record is not used
    } catch (error) {
      opened.secret.fill(0);
      throw error;
    }
    return opened;
  }
  return { open, openForTrial: open };
}

async function find(rows: CredentialReader, nameOrId: string): Promise<JournalledRecord> {
  const named = ID.test(nameOrId) ? { id: nameOrId } : await rows.byName(nameOrId);
  const found = named && (await rows.journalled(named.id));
  if (!found) throw new HubError("NOT_FOUND", `There is no credential ${nameOrId}.`, { path: "credential" });
  return found;
}

/** The row is believed only once the journal says the same: its scope too stands in it. */
function refuse(record: CredentialRecord, latest: JournalledRecord["latest"], wanted: Wanted, now: Date): void {
  refuseReplaced(record, latest);
  const { name, kind, expiresAt, allowedHosts, consumers } = record;
  if (record.materialVersion === 0) throw emptyCredential(name);
  if (expiresAt && expiresAt <= now)
    throw new HubError("CREDENTIAL_EXPIRED", `${name} expired on ${expiresAt.toISOString()}.`, {
      details: { credential: name },
    });
  const { consumer, host } = wanted;
  if (consumer !== undefined && !allowsConsumer(consumers, consumer))
    throw scopeRefused(name, `${consumer} is not among what may use it`, { consumer });
  if (host !== undefined && !allowsHost(kind, allowedHosts, host))
    throw scopeRefused(name, `${host} is not among the hosts that it may be sent to`, { host });
}

/** Throws CREDENTIAL_REPLACED where the row is not what the journal has of it. */
export function refuseReplaced(record: CredentialRecord, latest: JournalledRecord["latest"]): void {
  if (againstJournal(record, latest) === undefined) return;
  throw new HubError(
    "CREDENTIAL_REPLACED",
    `What is kept of ${record.name} is not what the journal says was left of it: somebody changed the row past the hub. Delete it and store it anew.`,
    { details: { credential: record.name, version: record.version, journalVersion: latest?.version ?? null } },
  );
}

function scopeRefused(name: string, why: string, facts: Readonly<Record<string, string>>): HubError {
  const sentence = `${name} is not for this: ${why}. What it is for is told by system_credentials_get_metadata; two people can widen that.`;
  return new HubError("CREDENTIAL_SCOPE_REFUSED", sentence, { details: { credential: name, ...facts } });
}

async function unsealed(record: CredentialRecord, keys: Pick<KeyService, "decrypt">): Promise<OpenedCredential> {
  const { accountId, id, name, version, kind, username, wrappedKey } = record;
  if (wrappedKey === undefined) throw emptyCredential(name);
  const dataKey = await keys.decrypt(accountId, "data", wrappedKey);
  try {
    const secret = openMaterial(record, dataKey);
    return { id, name, version, kind, secret, ...(username !== undefined && { username }) };
  } finally {
    dataKey.fill(0);
  }
}

function factsOf({ id, version }: CredentialRecord, { consumer = TRIAL, host, by, callId }: Wanted, code?: string) {
  return {
    id,
    version,
    consumer,
    ...(host !== undefined && { host }),
    ...(by !== undefined && { by }),
    ...(callId !== undefined && { call: callId }),
    ...(code !== undefined && { code }),
  };
}

/** For tests of rotations through whole hubs: accounts with credentials, and somebody who sees whether each still opens. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { v7 } from "uuid";
import type { OperationView } from "../contracts/operations/operation.ts";
import { type RotationView, rotationView } from "../contracts/vault/rotation.ts";
import { type VerificationView, verificationView } from "../contracts/vault/verification.ts";
import { EmbeddedKeyService } from "./adapters/embedded-keys/embedded-key-service.ts";
import { openRootKeyFile } from "./adapters/embedded-keys/root-key-file.ts";
import { Database } from "./adapters/postgres/database.ts";
import { PostgresKeyStore } from "./adapters/postgres/key-store.ts";
import { credentialDigest, openMaterial, sealMaterial } from "./domain/credentials/credential-record.ts";
import type { CredentialRecord } from "./domain/credentials/credential-store.ts";
import { KEY_NAMES, type KeyService } from "./domain/keys/key-service.ts";
import { eventually, type TestHub, TestHubs, type TestPerson } from "./test-hub.ts";

export const ROTATE = "system_rotate_vault_transit_pepper";
const GET = "system_vault_get_rotation";

interface Kept {
  readonly account_id: string;
  readonly id: string;
  readonly material_version: number;
  readonly sealed: Buffer;
  readonly wrapped_key: string;
  readonly key_version: number;
}

export class RotationFixture implements AsyncDisposable {
  readonly hubs: TestHubs;
  readonly #secrets = new Map<string, string>();
  readonly #accounts: string[] = [];
  #database: Database | undefined;
  #keys: KeyService | undefined;

  constructor(hubs: TestHubs, keys?: KeyService) {
    this.hubs = hubs;
    this.#keys = keys;
  }

  static async open(): Promise<RotationFixture> {
    return new RotationFixture(await TestHubs.open());
  }

  get ada(): TestPerson {
    return this.hubs.ada;
  }

  /** The hub's own account, and those that were added. */
  get accounts(): readonly string[] {
    return [this.hubs.accountId, ...this.#accounts];
  }

  /** Opens keys for itself, and keeps none: what the hub says of them is not asked. */
  async keys(): Promise<KeyService> {
    if (this.#keys) return this.#keys;
    this.#database ??= new Database(this.hubs.db.superuser, { poolSize: 2 });
    const { COUNTERSIGN_CONFIG_DIR: config, COUNTERSIGN_DATA_DIR: dataFolder = "" } = this.hubs.env();
    const path = join(config ?? "", "hub", "root.key");
    const rootKey = await openRootKeyFile({ path, dataFolder, create: false });
    return new EmbeddedKeyService(rootKey, new PostgresKeyStore(this.#database));
  }

  async addAccount(name: string): Promise<TestPerson & { readonly accountId: string }> {
    const made = await this.hubs.addAccount(name);
    this.#accounts.push(made.accountId);
    if (this.#keys) for (const key of KEY_NAMES) await this.#keys.create(made.accountId, key);
    return made;
  }

  /** Credentials with secrets of their own, past the gate. Answers with their ids. */
  async addCredentials(accountId: string, count: number): Promise<string[]> {
    const keys = await this.keys();
    const [person] = await this.hubs.sql<{ id: string }>(
      "select id from principal where account_id = $1 and kind = 'operator' limit 1",
      [accountId],
    );
    const rows: object[] = [];
    for (let i = 0; i < count; i++) rows.push(await this.#row(keys, accountId, person?.id ?? ""));
    await this.hubs.sql(
      `insert into credential (account_id, id, name, kind, description, owner_id, allowed_hosts, consumers, version,
         material_version, wrapped_key, sealed, salt, digest, provided_at, created_by, created_at, updated_at)
       select r.account_id, r.id, r.id::text, 'bearer-token', 'a test', r.owner_id, '{api.example}', '{gitops}', 1, 1, r.wrapped_key,
         decode(r.sealed, 'base64'), decode(r.salt, 'base64'), decode(r.digest, 'base64'), now(), r.owner_id, now(), now()
       from jsonb_to_recordset($1) as r(account_id uuid, id uuid, owner_id uuid, wrapped_key text, sealed text, salt text, digest text)`,
      [JSON.stringify(rows)],
    );
    return rows.map((row) => (row as { id: string }).id);
  }

  async #row(keys: KeyService, accountId: string, ownerId: string) {
    const id = v7();
    const secret = `secret of ${id}`;
    const { plaintext, ciphertext } = await keys.dataKey(accountId, "data");
    const sealed = sealMaterial({ accountId, id, materialVersion: 1 }, Buffer.from(secret), plaintext);
    const record: Omit<CredentialRecord, "digest"> = {
      ...{ accountId, id, name: id, kind: "bearer-token", username: undefined, expiresAt: undefined },
      ...{ allowedHosts: ["api.example"], consumers: ["gitops"], rotateEveryDays: undefined, version: 1 },
      ...{ materialVersion: 1, wrappedKey: ciphertext, sealed, salt: Buffer.alloc(32, 7) },
    };
    this.#secrets.set(id, secret);
    return {
      ...{ account_id: accountId, id, owner_id: ownerId, wrapped_key: ciphertext },
      ...{ sealed: sealed.toString("base64"), salt: record.salt.toString("base64") },
      digest: credentialDigest(record).toString("base64"),
    };
  }

  /** No credential is there any more, and none is missed. */
  async forget(): Promise<void> {
    await this.hubs.sql("delete from credential");
    this.#secrets.clear();
  }

  /** With the superuser's hands: what is there does not open any more. */
  async corrupt(id: string): Promise<void> {
    await this.hubs.sql("update credential set wrapped_key = left(wrapped_key, -8) || 'AAAAAAA=' where id = $1", [id]);
    this.#secrets.delete(id);
  }

  /** Every credential that was added is there, and opens as what it was; answers with the versions of the keys above them. */
  async allOpen(): Promise<number[]> {
    const keys = await this.keys();
    const rows = await this.hubs.sql<Kept>(
      "select account_id, id, material_version, sealed, wrapped_key, key_version from credential where wrapped_key is not null",
    );
    const found = new Map(rows.map((row) => [row.id, row]));
    for (const [id, secret] of this.#secrets) {
      const row = found.get(id);
      assert.ok(row, `the credential ${id} is lost`);
      const dataKey = await keys.decrypt(row.account_id, "data", row.wrapped_key);
      const place = { accountId: row.account_id, id, materialVersion: row.material_version, sealed: row.sealed };
      assert.equal(openMaterial(place, dataKey).toString(), secret);
    }
    return [...this.#secrets.keys()].map((id) => found.get(id)?.key_version ?? 0);
  }

  /** Asks for a rotation, signs, and answers with its id. */
  async rotate(hub: TestHub, input: object = {}): Promise<string> {
    const { rotation } = await this.ada.run(hub, ROTATE, input);
    return (rotation as RotationView).id;
  }

  async rotation(hub: TestHub, rotationId: string): Promise<RotationView> {
    const { output } = await this.ada.operator(hub).done(GET, { rotationId });
    return rotationView.parse(output["rotation"]);
  }

  ended(hub: TestHub, rotationId: string): Promise<RotationView> {
    return eventually(`end of the rotation ${rotationId}`, async () => {
      const rotation = await this.rotation(hub, rotationId);
      return rotation.state === "working" ? undefined : rotation;
    });
  }

  /** Asks to finalise without a soak, and waits for the end. */
  async finalize(hub: TestHub, rotationId: string): Promise<RotationView> {
    await this.ada.run(hub, "system_vault_finalize_rotation", { rotationId, soakMinutes: 0 });
    return this.finalized(hub, rotationId);
  }

  finalized(hub: TestHub, rotationId: string): Promise<RotationView> {
    return eventually(`end of the finalization of ${rotationId}`, async () => {
      const rotation = await this.rotation(hub, rotationId);
      return rotation.finalization?.state === "working" ? undefined : rotation;
    });
  }

  async operation(hub: TestHub, operationId: string): Promise<OperationView> {
    return eventually(`end of the operation ${operationId}`, async () => {
      const { output } = await this.ada.operator(hub).done("system_operations_get", { operationId });
      const operation = output["operation"] as OperationView;
      return operation.state === "working" ? undefined : operation;
    });
  }

  async verify(hub: TestHub): Promise<VerificationView> {
    const begun = await this.ada.run(hub, "system_vault_verify_credentials", {});
    const { id: verificationId } = begun["verification"] as VerificationView;
    return eventually(`end of the verification ${verificationId}`, async () => {
      const { output } = await this.ada.operator(hub).done("system_vault_get_verification", { verificationId });
      const verification = verificationView.parse(output["verification"]);
      return verification.state === "working" ? undefined : verification;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database?.close();
    await this.hubs[Symbol.asyncDispose]();
  }
}

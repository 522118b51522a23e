import { setTimeout as pause } from "node:timers/promises";
import { pausedSentence } from "../../contracts/vault/rotation.ts";
import type { AccountWalk, RotationReader, WalkedAccount } from "../domain/rotation/rotation-store.ts";
import { HubError } from "../errors.ts";
import { inAccount } from "./in-account.ts";
import { Pace } from "./pace.ts";
import { finish, isOver, type Slice, type SliceEnd, step, tell } from "./walk-step.ts";

/** Accounts that are asked for at a time. */
const ACCOUNTS = 50;
/** Payloads are opened in memory, and may be large. */
const PAYLOADS = 50;
const TELL_MS = 500;
const LOOK_MS = 250;
/** Until every process has looked at its keys anew. */
const SETTLING_MS = 200;

/**
 * Walks through all accounts: in each the version before is recorded, the key rotated, and every credential and payload
 * carried over. What an account has done is in its own row, so that a walk which is cut off anywhere goes on from there. It
 * passes again, until it finds nothing below: a process that did not know the new version yet may have stored behind it.
 */
export function walkRotation(slice: Slice): Promise<SliceEnd> {
  return RotationSlice.run(slice);
}

class RotationSlice {
  readonly #slice: Slice;
  readonly #pace: Pace;
  readonly #began = Date.now();
  #told = 0;
  #looked = 0;
  #moved = 0;
  #passed = 0;

  private constructor(slice: Slice, ratePerSecond: number | undefined) {
    this.#slice = slice;
    this.#pace = new Pace(ratePerSecond);
  }

  static async run(slice: Slice): Promise<SliceEnd> {
    const { gate, hubAccountId, operation } = slice;
    const found = await gate.store.read(hubAccountId, ({ rotation }) => rotation.rotation(operation.id));
    if (!found) throw new TypeError("a rotation's operation without its row");
    const run = new RotationSlice(slice, found.ratePerSecond);
    return run.#walk();
  }

  async #walk(): Promise<SliceEnd> {
    while (!isOver(this.#slice)) {
      if (await this.#paused()) return "rests";
      const due = await this.#due(false);
      const accounts = due.length > 0 ? due : await this.#due(true);
      if (accounts.length === 0) {
        await this.#tell(true);
        if (await this.#settled()) return finish(this.#slice);
        await this.#rest(SETTLING_MS);
        continue;
      }
      for (const account of accounts) {
        if (isOver(this.#slice) || (await this.#paused())) break;
        await inAccount(this.#slice, account.accountId, () =>
          due.length > 0 ? this.#carryOver(account) : this.#reseal(account),
        );
      }
    }
    await this.#tell(true);
    return { again: undefined };
  }

  #due(payloads: boolean): Promise<WalkedAccount[]> {
    return this.#hub((rotation, id) => rotation.due(id, { payloads, most: ACCOUNTS }));
  }

  #settled(): Promise<boolean> {
    return this.#hub((rotation, id) => rotation.settled(id));
  }

  /** Asked between batches, and looked at a few times a second. */
  async #paused(): Promise<boolean> {
    if (Date.now() - this.#looked < LOOK_MS) return false;
    this.#looked = Date.now();
    const standing = await this.#hub((rotation, id) => rotation.rotation(id));
    if (!standing?.pausedAt) return false;
    this.#looked = 0;
    await this.#tell(true, pausedSentence(standing.pausedAt));
    return true;
  }

  /** Rotates an account's key, and goes through its credentials from where the walk is. */
  async #carryOver(account: WalkedAccount): Promise<void> {
    const { operation } = this.#slice;
    const walker = { rotationId: operation.id, fence: operation.fence };
    let walk = await this.#walkOf(account);
    if (!walk) {
      await step(this.#slice, account, "system_vault_record_account_key", walker);
      walk = await this.#walkOf(account);
    }
    if (walk?.state === "recorded") {
      const { finished } = await step(this.#slice, account, "system_vault_rotate_account_key", walker);
      await this.#tell(false);
      if (finished) return;
    }
    while (!isOver(this.#slice)) {
      if (await this.#batch(account, walker)) return;
      if (await this.#paused()) return;
    }
  }

  /** One batch. Answers with whether the pass came to its end. */
  async #batch(account: WalkedAccount, walker: object): Promise<boolean> {
    const began = Date.now();
    const input = { ...walker, size: this.#pace.size };
    const answer = await step(this.#slice, account, "system_vault_rewrap_batch", input).catch((error: unknown) => {
      const tooLarge = error instanceof HubError && error.code === "INPUT_TOO_LARGE";
      if (tooLarge && this.#pace.refused()) return undefined;
      throw error;
    });
    if (answer === undefined) return false;
    const { moved, failed, lost, finished } = answer as {
      moved: unknown[];
      failed: unknown[];
      lost: number;
      finished: boolean;
    };
    this.#moved += moved.length;
    this.#passed += moved.length + failed.length;
    await this.#tell(false);
    const rest = this.#pace.done(moved.length + failed.length + lost, Date.now() - began, this.#slice.gate.online.busy);
    // whoever was faster, or does not know the new version yet, is through with it in a moment
    await this.#rest(lost > 0 && moved.length === 0 ? Math.max(rest, SETTLING_MS) : rest);
    return finished;
  }

  async #reseal(account: WalkedAccount): Promise<void> {
    const { id: rotationId, fence } = this.#slice.operation;
    while (!isOver(this.#slice)) {
      const input = { rotationId, fence, size: PAYLOADS };
      const { resealed, failed, finished } = await step(this.#slice, account, "system_vault_reseal_payloads", input);
      if (resealed === 0 && (failed as unknown[]).length === 0) await this.#rest(SETTLING_MS);
      if (finished) return;
    }
  }

  #walkOf({ accountId }: WalkedAccount): Promise<AccountWalk | undefined> {
    const { gate, operation } = this.#slice;
    return gate.store.read(accountId, ({ rotation }) => rotation.walk(operation.id));
  }

  #hub<T>(look: (rotation: RotationReader, id: string) => Promise<T>): Promise<T> {
    const { gate, hubAccountId, operation } = this.#slice;
    return gate.store.read(hubAccountId, ({ rotation }) => look(rotation, operation.id));
  }

  async #rest(ms: number): Promise<void> {
    if (ms <= 0) return;
    const left = Math.max(0, this.#slice.until - Date.now());
    await pause(Math.min(ms, left), undefined, { signal: this.#slice.signal }).catch(() => {});
    this.#slice.signal.throwIfAborted();
  }

  /** Progress, and the pace of this slice; twice a second at most. */
  async #tell(now: boolean, sentence?: string): Promise<void> {
    if (!now && Date.now() - this.#told < TELL_MS) return;
    this.#told = Date.now();
    // what slices before this one told; how much is left by now is for whoever asks
    const { total } = this.#slice.operation.progress;
    const done = Math.min(total, this.#slice.operation.progress.done + this.#passed);
    await tell(this.#slice, {
      done,
      total,
      sentence: sentence ?? `${done} of ${total} carried over to the new version of their account's key.`,
    });
    const seconds = (Date.now() - this.#began) / 1_000;
    if (this.#moved === 0 || seconds <= 0) return;
    const { gate, hubAccountId, operation } = this.#slice;
    await gate.store.transact(hubAccountId, ({ rotation }) => rotation.setPace(operation.id, this.#moved / seconds));
  }
}

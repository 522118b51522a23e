import { CompactRange } from "../../../contracts/formats/merkle.ts";

/** Subtrees of 2^8, 2^16, ... leaves are kept, so that a proof needs hundreds of hashes and not the whole lane. */
export const TIER_LEVELS = 8;
export const TIER_WIDTH = 2 ** TIER_LEVELS;

/** The root of a complete subtree of 2^level leaves, the index-th of its size. */
export interface SubtreeRoot {
  readonly level: number;
  readonly index: number;
  readonly hash: Buffer;
}

/**
 * The growing end of a lane's Merkle tree (RFC 6962 section 2.1). In tiers: the first holds the leaves since the last
 * complete subtree of 256, the second the roots of those subtrees since the last 256 of them, and so on. A tree over
 * subtree roots has the shape of the tree over the leaves, so that the root comes out the same.
 */
export class LaneTree {
  #size = 0;
  #tiers: CompactRange[] = [new CompactRange()];

  get size(): number {
    return this.#size;
  }

  /** Appends an entry; answers with the subtrees that it completes. */
  append(entry: Uint8Array): SubtreeRoot[] {
    const completed: SubtreeRoot[] = [];
    (this.#tiers[0] as CompactRange).append(entry);
    this.#size++;
    for (let tier = 0, width = TIER_WIDTH; this.#tiers[tier]?.size === TIER_WIDTH; tier++, width *= TIER_WIDTH) {
      const hash = (this.#tiers[tier] as CompactRange).root();
      this.#tiers[tier] = new CompactRange();
      this.#tiers[tier + 1] ??= new CompactRange();
      (this.#tiers[tier + 1] as CompactRange).appendLeafHash(hash);
      completed.push({ level: TIER_LEVELS * (tier + 1), index: this.#size / width - 1, hash });
    }
    return completed;
  }

  root(): Buffer {
    let rest: Buffer | undefined;
    for (const tier of this.#tiers) {
      if (tier.size === 0 && rest === undefined) continue;
      const range = rest === undefined ? tier : tier.clone();
      if (rest !== undefined) range.appendLeafHash(rest);
      rest = range.root();
    }
    return rest ?? new CompactRange().root();
  }

  /** A copy that grows by itself: for a commit that may not become durable. */
  clone(): LaneTree {
    const copy = new LaneTree();
    copy.#size = this.#size;
    copy.#tiers = this.#tiers.map((tier) => tier.clone());
    return copy;
  }
}

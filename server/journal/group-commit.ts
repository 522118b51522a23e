import { hash } from "node:crypto";
import type { KeyPair } from "../../contracts/formats/ed25519.ts";
import { commitOrigin, signCommit } from "../../contracts/formats/lane-commit.ts";
import type { LaneTree, SubtreeRoot } from "../domain/evidence/lane-tree.ts";
import { placeInLane } from "./build-receipt.ts";
import type { EntryFacts, GroupCommit, LaneEntry, LaneStep } from "./journal-store.ts";
import type { Lane } from "./lane.ts";

/** An entry before it has a place in its lane. */
export interface NewEntry extends EntryFacts, Pick<LaneEntry, "staged" | "spend"> {
  /** Canonical statement whose `lane` is still null. */
  readonly statement: string;
}

export interface BuiltCommit {
  readonly commit: GroupCommit;
  /** SHA-256 of each entry's statement, in their order. */
  readonly digests: readonly Buffer[];
  /** Moves the lanes to where the commit left them: once it is durable, and not before. */
  readonly adopt: () => void;
}

/** A lane on its way through one commit. */
interface Draft {
  readonly lane: Lane;
  readonly from: number;
  readonly tree: LaneTree;
  readonly nodes: SubtreeRoot[];
  head: Buffer;
}

/** Puts entries into their lanes, in their order, chains them, and signs where the lanes are then: once, for all. */
export function buildCommit(
  epoch: { readonly no: number; readonly origin: string },
  commitNo: number,
  entries: readonly { readonly lane: Lane; readonly entry: NewEntry }[],
  key: KeyPair,
): BuiltCommit {
  const drafts = new Map<Lane, Draft>();
  const placed: LaneEntry[] = [];
  const digests: Buffer[] = [];
  for (const { lane, entry } of entries) {
    let draft = drafts.get(lane);
    if (draft === undefined) {
      draft = { lane, from: lane.tree.size, tree: lane.tree.clone(), nodes: [], head: lane.head };
      drafts.set(lane, draft);
    }
    const sequence = draft.tree.size;
    const previous = draft.head.toString("hex");
    const statement = placeInLane(entry.statement, { epoch: epoch.no, previous, sequence });
    const digest = hash("sha256", statement, "buffer");
    draft.nodes.push(...draft.tree.append(digest));
    draft.head = digest;
    digests.push(digest);
    placed.push({ ...entry, sequence, statement });
  }
  const moved = [...drafts.values()];
  const heads = moved.map(({ lane, tree }) => ({ origin: lane.origin, size: tree.size, root: tree.root() }));
  const { note, paths } = signCommit(commitOrigin(epoch.origin, commitNo), heads, key);
  const lanes = moved.map(
    ({ lane, from, tree, head, nodes }, i): LaneStep => ({
      accountId: lane.accountId,
      ...(!lane.opened && { certificate: lane.certificate }),
      from,
      to: tree.size,
      head,
      root: heads[i]?.root as Buffer,
      path: paths[i] as Buffer[],
      nodes,
    }),
  );
  const adopt = () => {
    for (const { lane, head, tree } of moved) Object.assign(lane, { opened: true, head, tree });
  };
  return { commit: { epoch: epoch.no, no: commitNo, note, lanes, entries: placed }, digests, adopt };
}

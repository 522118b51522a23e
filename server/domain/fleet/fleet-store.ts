import type { FleetKind, LiveFleetObject } from "../../../contracts/fleet/object.ts";
import type { Page, PageRequest } from "../page.ts";

export interface FleetRef {
  readonly kind: FleetKind;
  readonly name: string;
}

export interface FleetFilter {
  readonly kind?: FleetKind | undefined;
  /** All of these labels. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly owner?: string | undefined;
}

export type FleetWrite = Pick<LiveFleetObject, "kind" | "name" | "labels" | "annotations" | "spec" | "owner"> & {
  readonly updatedBy: string;
};

/** One module needs another; both by name. */
export interface Dependency {
  readonly from: string;
  readonly to: string;
}

/** An object names another. */
export interface Referral {
  readonly from: FleetRef;
  readonly to: FleetRef;
}

export interface FleetReader {
  /** Undefined where there is none. */
  get(ref: FleetRef): Promise<LiveFleetObject | undefined>;
  /** Those of these that exist, by kind, then name. */
  find(refs: readonly FleetRef[]): Promise<readonly LiveFleetObject[]>;
  /** By kind, then name. */
  list(filter: FleetFilter, page: PageRequest): Promise<Page<LiveFleetObject>>;
  /** All that a repository owns, by kind, then name. */
  owned(owner: string): Promise<readonly LiveFleetObject[]>;
  /** Who refers to these, an object's reference to itself left out, by who refers, then to what. */
  referrers(refs: readonly FleetRef[]): Promise<readonly Referral[]>;
  /** What these modules need, what that needs in turn, and so on to the end. By name. */
  dependencies(modules: readonly string[]): Promise<readonly Dependency[]>;
}

/** All at once: what one call changes reaches the database in a few statements, however much it is. */
export interface FleetWriter {
  /** Those of these that exist, locked until the transaction ends. */
  lock(refs: readonly FleetRef[]): Promise<readonly LiveFleetObject[]>;
  /** Keeps those of these that exist from being changed or deleted until the transaction ends. */
  hold(refs: readonly FleetRef[]): Promise<void>;
  /** Until the transaction ends, no other one changes what modules depend on. To be taken before any `lock`. */
  holdDependencies(): Promise<void>;
  /** In the given order. Throws ALREADY_EXISTS where another transaction made one of them meanwhile. */
  insert(objects: readonly FleetWrite[]): Promise<readonly LiveFleetObject[]>;
  /** In the given order. Throws VERSION_CONFLICT where a `version` is not the one in force. */
  update(objects: readonly (FleetWrite & { readonly version: number })[]): Promise<readonly LiveFleetObject[]>;
  /** Throws IN_USE where something that stays refers to one of them. */
  remove(refs: readonly FleetRef[]): Promise<void>;
  /** Replaces what objects refer to. Throws REFERENCE_MISSING where a target is gone. */
  setReferences(objects: readonly { readonly from: FleetRef; readonly to: readonly FleetRef[] }[]): Promise<void>;
  /** Leaves all objects of a repository to nobody; answers with them. */
  disown(owner: string, updatedBy: string): Promise<readonly LiveFleetObject[]>;
}

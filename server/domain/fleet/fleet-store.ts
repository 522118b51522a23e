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

export interface FleetReader {
  /** Undefined where there is none. */
  get(ref: FleetRef): Promise<LiveFleetObject | undefined>;
  /** Those of these that exist, by kind, then name. */
  find(refs: readonly FleetRef[]): Promise<readonly LiveFleetObject[]>;
  /** By kind, then name. */
  list(filter: FleetFilter, page: PageRequest): Promise<Page<LiveFleetObject>>;
  /** Who refers to it, itself left out, by kind, then name. */
  referrers(ref: FleetRef): Promise<readonly FleetRef[]>;
  /** What these modules need, what that needs in turn, and so on to the end. By name. */
  dependencies(modules: readonly string[]): Promise<readonly Dependency[]>;
}

export interface FleetWriter {
  /** The object, locked until the transaction ends. */
  lock(ref: FleetRef): Promise<LiveFleetObject | undefined>;
  /** Keeps those of these that exist from being changed or deleted until the transaction ends. */
  hold(refs: readonly FleetRef[]): Promise<void>;
  /** Until the transaction ends, no other one changes what modules depend on. To be taken before any `lock`. */
  holdDependencies(): Promise<void>;
  /** Throws ALREADY_EXISTS where another transaction made it meanwhile. */
  insert(object: FleetWrite): Promise<LiveFleetObject>;
  /** Throws VERSION_CONFLICT where `version` is not the one in force. */
  update(object: FleetWrite, version: number): Promise<LiveFleetObject>;
  /** Throws IN_USE where something refers to it. */
  remove(ref: FleetRef): Promise<void>;
  /** Replaces what `from` refers to. Throws REFERENCE_MISSING where a target is gone. */
  setReferences(from: FleetRef, to: readonly FleetRef[]): Promise<void>;
}

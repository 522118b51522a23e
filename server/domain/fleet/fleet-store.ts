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

export interface FleetReader {
  /** Undefined where there is none. */
  get(ref: FleetRef): Promise<LiveFleetObject | undefined>;
  /** By kind, then name. */
  list(filter: FleetFilter, page: PageRequest): Promise<Page<LiveFleetObject>>;
  /** Which of these exist. */
  existing(refs: readonly FleetRef[]): Promise<readonly FleetRef[]>;
  /** Who refers to it. */
  referrers(ref: FleetRef): Promise<readonly FleetRef[]>;
}

export interface FleetWriter {
  /** The object, locked until the transaction ends. */
  lock(ref: FleetRef): Promise<LiveFleetObject | undefined>;
  /** Throws ALREADY_EXISTS where another transaction made it meanwhile. */
  insert(object: FleetWrite): Promise<LiveFleetObject>;
  /** Throws VERSION_CONFLICT where `version` is not the one in force. */
  update(object: FleetWrite, version: number): Promise<LiveFleetObject>;
  /** Throws IN_USE where something refers to it. */
  remove(ref: FleetRef): Promise<void>;
  /** Replaces what `from` refers to. Throws REFERENCE_MISSING where a target is gone. */
  setReferences(from: FleetRef, to: readonly FleetRef[]): Promise<void>;
}

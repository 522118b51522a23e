import type { DesiredFleetObject } from "../../../contracts/fleet/object.ts";

/** Where something stands in the repository. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** An object as the repository declares it: parsed, with defaults filled in. */
export interface DeclaredObject extends Place {
  readonly object: DesiredFleetObject;
  /** In the file: `assignments[3]`. */
  readonly path: string;
  /** Where its references and parameters are written, by their paths as services name them: `object.spec.template`. */
  readonly places?: Readonly<Record<string, Pick<Place, "line" | "column">>>;
}

/** What the files of one commit ask for, by kind, then name; each object once. */
export interface DesiredState {
  readonly objects: readonly DeclaredObject[];
}

/** A fault, where it stands. */
export interface DesiredStateProblem extends Place {
  /** In the file: `assignments[3].spec.template`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

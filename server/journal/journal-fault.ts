import type { JournalVerdict } from "../domain/evidence/journal-verifier.ts";

type FirstBad = NonNullable<JournalVerdict["firstBad"]>;

/** The first entry of a journal that does not hold. */
export class JournalFault extends Error {
  readonly place: Omit<FirstBad, "reason">;

  constructor(place: Omit<FirstBad, "reason">, reason: string, cause?: unknown) {
    super(reason, { cause });
    this.place = place;
  }
}

/** What one check came to. */
export interface Finding {
  /** Its name: `node`, `root key`. */
  readonly check: string;
  /** `unknown`: it could not be looked at, for a reason that another finding tells. */
  readonly state: "sound" | "broken" | "unknown";
  readonly says: string;
  /** Commands that mend it, for a shell or as they say; of what is broken alone. */
  readonly mend?: readonly string[];
}

export const sound = (check: string, says: string): Finding => ({ check, state: "sound", says });
export const unknown = (check: string, says: string): Finding => ({ check, state: "unknown", says });
export const broken = (check: string, says: string, ...mend: string[]): Finding => ({
  check,
  state: "broken",
  says,
  mend,
});

/** For a POSIX shell. */
export const shellWord = (text: string): string =>
  /^[\w./:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

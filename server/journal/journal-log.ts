/** The part of a logger that the journal uses. */
export interface JournalLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

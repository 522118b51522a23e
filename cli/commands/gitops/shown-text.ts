/** Text that comes from Git and from other people, as it is shown: it keeps to its line and moves no cursor. */
import type { RepositoryView } from "../../../contracts/gitops/repository.ts";
import { previewWords } from "../../decide-request.ts";
import { printable, type Terminal } from "../../terminal.ts";

export const onLine = (text: string): string => printable(text).replaceAll("\n", "\\n");

export const shortCommit = (id: string): string => onLine(id.slice(0, 10));

export const commitInWords = ({ id, author, subject }: NonNullable<RepositoryView["head"]>): string =>
  `${shortCommit(id)} by ${onLine(author)}: ${onLine(subject)}`;

interface Change {
  readonly field: string;
  readonly before?: string | undefined;
  readonly after?: string | undefined;
}

/** A sentence, and below it fields before and after, as approvers see them in a preview. */
export function changesInWords(terminal: Terminal, sentence: string, changes: readonly Change[]): string {
  return previewWords(terminal, {
    headline: onLine(sentence),
    changes: changes.map(({ field, before, after }) => ({
      field: onLine(field),
      ...(before !== undefined && { before: onLine(before) }),
      ...(after !== undefined && { after: onLine(after) }),
    })),
  });
}

export const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, "  ");

export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

import * as z from "zod";
import { type PolicyChecker, problemInWords } from "./policy-checker.ts";

export const policyLint = z.strictObject({
  ok: z.boolean(),
  hash: z.string().optional().describe("of the canonical document, where it is valid"),
  problems: z.array(
    z.strictObject({
      path: z.string(),
      line: z.int().optional(),
      column: z.int().optional(),
      policy: z.string().optional(),
      words: z.string(),
    }),
  ),
});

export async function lintPolicy(checker: PolicyChecker, document: unknown): Promise<z.input<typeof policyLint>> {
  const { problems, accepted } = await checker.check(document);
  return {
    ok: problems.length === 0,
    ...(accepted && { hash: accepted.hash }),
    problems: problems.map((problem) => {
      const { path, line, column, policy } = problem;
      return {
        path,
        ...(line !== undefined && { line }),
        ...(column !== undefined && { column }),
        ...(policy !== undefined && { policy }),
        words: problemInWords(problem),
      };
    }),
  };
}

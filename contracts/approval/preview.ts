import { z } from "zod";
import { parseStrictJson } from "../formats/strict-json.ts";

/**
 * The preview of a call as approvers see it: characters that hide, reorder or format text are written out as
 * `\u{...}`, long values are cut with a count. Its canonical JSON is what `previewDigest` in a request and in each
 * decision is the SHA-256 of.
 */
export const shownPreview = z.strictObject({
  headline: z.string(),
  changes: z.array(
    z.strictObject({
      field: z.string(),
      before: z.string().optional(),
      after: z.string().optional(),
    }),
  ),
});

export type ShownPreview = z.output<typeof shownPreview>;

/** Reads a preview's canonical text. Throws INPUT_INVALID where it is no JSON and a ZodError where it has another shape. */
export function parsePreview(text: string): ShownPreview {
  return shownPreview.parse(parseStrictJson(text));
}

import * as z from "zod";
import { PolicyDocument } from "../../../contracts/policy/policy-document.ts";
import { HubError } from "../../errors.ts";
import type { PolicyReader } from "./policy-store.ts";

export const policyView = z.strictObject({
  version: z.int(),
  hash: z.string().describe("hex SHA-256 of the canonical document"),
  document: PolicyDocument,
  createdBy: z.string(),
  createdAt: z.iso.datetime(),
});

/** Throws NOT_FOUND. */
export async function showPolicy(
  policies: PolicyReader,
  version: number | undefined,
): Promise<z.input<typeof policyView>> {
  const found = version === undefined ? await policies.current() : await policies.version(version);
  if (!found)
    throw new HubError("NOT_FOUND", `There is no version ${version} of this account's policy.`, { path: "version" });
  const { document, createdAt, ...rest } = found;
  return { ...rest, document: JSON.parse(document), createdAt: createdAt.toISOString() };
}

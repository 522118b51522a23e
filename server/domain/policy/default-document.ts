import { canonicalize, digest, type Json } from "../../../contracts/formats/canonical-json.ts";
import type { PolicyDocument } from "../../../contracts/policy/policy-document.ts";

/** What a new account starts with: the policies that ship with the hub and each action's own risk, nothing else. */
export const DEFAULT_POLICY_DOCUMENT: PolicyDocument = {
  apiVersion: "countersign/v1",
  kind: "Policy",
  authorization: { cedar: "" },
  intervention: { rules: [] },
};

const canonical = canonicalize(DEFAULT_POLICY_DOCUMENT as unknown as Json);

/** The same as it is kept: canonical JSON and its hash. */
export const DEFAULT_POLICY = { canonical, hash: digest(canonical) };

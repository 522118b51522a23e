import * as z from "zod";
import { fleetName } from "../fleet/object.ts";

/** A Git repository that declares a part of the fleet, as actions take and answer with it. */
export const repositoryName = fleetName.describe("name of the repository, a DNS label");

export const branchName = z.string().min(1).max(200).describe("branch, without refs/heads/");

/** From the root of the tree, with forward slashes. */
export const filePath = z
  .string()
  .min(1)
  .max(512)
  .regex(
    /^(?!\/)(?!(?:.*\/)?(?:\.{1,2}|\.git)(?:\/|$))[^\\\p{Cc}]+$/u,
    "a path inside the tree: no leading slash, no .., no .git",
  )
  .describe("the file that declares the fleet, from the root of the tree");

export const gitCommit = z.strictObject({
  id: z.string().describe("commit, hexadecimal"),
  author: z.string(),
  subject: z.string().describe("first line of its message"),
  committedAt: z.iso.datetime(),
});

export const repositoryView = z.strictObject({
  name: z.string(),
  id: z.string(),
  url: z.string(),
  branch: z.string(),
  path: z.string(),
  credential: z.string().nullable().describe("stored credential that it is fetched with; null: none"),
  head: gitCommit.nullable().describe("the last commit that was read whole; null before the first"),
  syncedAt: z.iso.datetime().nullable().describe("when that was"),
  objects: z.int().describe("fleet objects that it owns"),
  openProposals: z.array(z.string()).describe("ids, those of changes first"),
  lastRun: z.strictObject({ id: z.string(), status: z.string(), errorCode: z.string().nullable() }).nullable(),
  createdAt: z.iso.datetime(),
});
export type RepositoryView = z.output<typeof repositoryView>;

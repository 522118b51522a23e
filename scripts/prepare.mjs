// Runs after every install, under the system's Node: writes the Prisma client, which is not kept in the repository.
// Nothing is downloaded; an unchanged schema costs a few milliseconds.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const schema = join(root, "prisma", "schema");
const stamp = join(root, "prisma", "client", ".generated-from");

const files = existsSync(schema) ? readdirSync(schema).filter((name) => name.endsWith(".prisma")) : [];
if (files.length > 0) prepare(files.sort());

function prepare(files) {
  const manifest = findPrisma();
  const digest = digestOf([manifest, ...files.map((name) => join(schema, name))]);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return;
  const { bin } = JSON.parse(readFileSync(manifest, "utf8"));
  const run = spawnSync(process.execPath, [join(dirname(manifest), bin.prisma), "generate", "--schema", schema], {
    cwd: root,
    encoding: "utf8",
    env: {
      ...process.env,
      // generating needs no schema engine; naming any executable keeps Prisma from downloading one
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: "1",
      CHECKPOINT_DISABLE: "1",
    },
  });
  if (run.status !== 0) {
    const said = `${run.stdout ?? ""}${run.stderr ?? ""}${run.error?.message ?? ""}`.trim();
    fail(`The Prisma client could not be written from prisma/schema:\n${said}`);
  }
  writeFileSync(stamp, digest);
}

function findPrisma() {
  try {
    return createRequire(import.meta.url).resolve("prisma/package.json");
  } catch {
    return fail("The Prisma client cannot be written because the package prisma is missing; install with: npm ci");
  }
}

/** The manifest is part of it: another version of Prisma writes another client. */
function digestOf(paths) {
  const hash = createHash("sha256");
  for (const path of paths) hash.update(path.slice(root.length)).update("\0").update(readFileSync(path)).update("\0");
  return hash.digest("hex");
}

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}

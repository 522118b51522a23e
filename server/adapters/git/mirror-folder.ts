/**
 * The folder of one mirror, a bare repository whose refs and configuration are written here alone. A fetch fills a
 * repository of its own beside it; only what is complete is moved over, so that a fetch that fails or is killed leaves
 * the mirror as it was. All but reading is done under the repository's lock.
 */
import { mkdir, open, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Bytes of an object id in hexadecimal: SHA-1 or SHA-256. */
export type IdLength = 40 | 64;

export const HEAD_REF = "refs/countersign/head";
const DAMAGED = "damaged";

/** Makes a bare repository, or mends what is not objects of one that is there. */
export async function writeSkeleton(folder: string, idLength: IdLength): Promise<void> {
  for (const place of ["objects/pack", "objects/info", "refs/heads"]) {
    await mkdir(join(folder, place), { recursive: true, mode: 0o700 });
  }
  const format = idLength === 64 ? ["repositoryformatversion = 1", "bare = true"] : ["bare = true"];
  const extension = idLength === 64 ? "[extensions]\n\tobjectFormat = sha256\n" : "";
  await writeFile(join(folder, "config"), `[core]\n${format.map((line) => `\t${line}\n`).join("")}${extension}`);
  await writeFile(join(folder, "HEAD"), "ref: refs/heads/none\n");
}

/** Lets a repository that is being filled use the mirror's objects. */
export async function borrowObjects(folder: string, mirror: string): Promise<void> {
  await writeFile(join(folder, "objects/info/alternates"), `${join(mirror, "objects")}\n`);
}

/**
 * Moves every object of `from` into the mirror and sets its head. With `replace`, what the mirror had goes away after
 * that; whoever reads finds the head's objects all the time.
 */
export async function publish(
  from: string,
  mirror: string,
  head: string,
  { idLength, replace }: { readonly idLength: IdLength; readonly replace: boolean },
): Promise<void> {
  const before = replace ? await objectFiles(mirror) : [];
  await writeSkeleton(mirror, idLength);
  const moved = new Set(await objectFiles(from));
  // Git takes a pack for complete once it has an index: that comes last
  for (const file of [...moved].sort((a, b) => Number(a.endsWith(".idx")) - Number(b.endsWith(".idx")))) {
    await mkdir(dirname(join(mirror, file)), { recursive: true, mode: 0o700 });
    await rename(join(from, file), join(mirror, file));
  }
  await writeRef(mirror, head);
  for (const file of before) if (!moved.has(file)) await rm(join(mirror, file), { force: true });
  await rm(join(mirror, DAMAGED), { force: true });
}

/** Removes what a killed process left: packs that are not complete, and whatever is called temporary. */
export async function removeLeftovers(mirror: string): Promise<void> {
  const files = await objectFiles(mirror);
  const complete = new Set(files.filter((file) => file.endsWith(".idx")).map((file) => file.slice(0, -".idx".length)));
  for (const file of files) {
    const pack = /^(objects\/pack\/pack-[0-9a-f]+)\./.exec(file)?.[1];
    if (file.includes("/tmp_") || (pack !== undefined && !complete.has(pack))) await rm(join(mirror, file));
  }
}

/** The next fetch is to bring everything anew. */
export async function markDamaged(mirror: string): Promise<void> {
  await writeFile(join(mirror, DAMAGED), "").catch(() => {}); // a mirror that is gone is fetched anew as well
}

export function isDamaged(mirror: string): Promise<boolean> {
  return exists(join(mirror, DAMAGED));
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Bytes and packs of a repository's objects; of what grows or vanishes meanwhile, about. */
export async function measure(folder: string): Promise<{ bytes: number; packs: number }> {
  const files = await objectFiles(folder);
  let bytes = 0;
  for (const file of files)
    bytes += await stat(join(folder, file)).then(
      ({ size }) => size,
      () => 0,
    );
  return { bytes, packs: files.filter((file) => file.endsWith(".pack")).length };
}

/** Files below `objects`, from the repository's folder; not the list of lenders. */
async function objectFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  const names = (place: string) => readdir(join(folder, place), { withFileTypes: true }).catch(() => []);
  for (const entry of await names("objects")) {
    const place = `objects/${entry.name}`;
    if (entry.isFile()) files.push(place);
    else if (entry.name !== "info") files.push(...(await names(place)).map(({ name }) => `${place}/${name}`));
  }
  return files;
}

/** As Git does it, with a rename; under the lock nobody else writes it. */
async function writeRef(mirror: string, id: string): Promise<void> {
  const place = join(mirror, HEAD_REF);
  await mkdir(dirname(place), { recursive: true, mode: 0o700 });
  const draft = join(mirror, "head.draft");
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(`${id}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, place);
}

/** For tests of what is written down: secrets in all their forms, and everything that a hub leaves behind. */
import assert from "node:assert/strict";
import type { TestHub, TestHubs } from "./test-hub.ts";

/** A secret, in every form that it could be written down in. */
export interface Canary {
  readonly name: string;
  readonly forms: readonly string[];
}

export function canary(name: string, ...values: readonly (string | Buffer)[]): Canary {
  const forms = values.flatMap((value) => {
    const bytes = Buffer.from(value);
    const written = (["hex", "base64", "base64url"] as const).map((encoding) =>
      bytes.toString(encoding).replace(/=+$/, ""),
    );
    return typeof value === "string" ? [value, ...written] : written;
  });
  for (const form of forms) assert.ok(form.length >= 12, "shorter texts are found by chance");
  return { name, forms: [...new Set(forms)] };
}

/** All rows of all tables, of every schema of ours, as `table row`; bytes as hexadecimal digits. */
export async function everyRow(hubs: TestHubs): Promise<string[]> {
  const tables = await hubs.sql<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
  );
  const names = tables.map(({ name }) => name);
  for (const expected of [
    "public.receipt",
    "public.approval_request",
    "public.idempotency",
    "public.event",
    "pgboss.job",
  ])
    assert.ok(names.includes(expected), expected);
  const all = await Promise.all(
    names.map((name) => hubs.sql<{ row: string }>(`select '${name} ' || t::text as row from ${name} t`)),
  );
  return all.flat().map(({ row }) => row);
}

/** The text, and what is inside of it in Base 64 or as hexadecimal digits, and inside of that. */
function opened(text: string, depth = 2): string {
  if (depth === 0) return text;
  const inner = [
    ...[...text.matchAll(/[A-Za-z0-9+/_-]{24,}/g)].map(([run]) => Buffer.from(run, "base64")),
    ...[...text.matchAll(/(?:[0-9a-f]{2}){12,}/g)].map(([run]) => Buffer.from(run, "hex")),
  ];
  return [text, ...inner.map((bytes) => opened(bytes.toString("latin1"), depth - 1))].join("\n");
}

/** `place: secret` for each that is found. */
export function found(canaries: readonly Canary[], place: string, text: string): string[] {
  const all = opened(text);
  return canaries
    .filter(({ forms }) => forms.some((form) => all.includes(form)))
    .map(({ name }) => `${place}: ${name}`);
}

export function foundInRows(canaries: readonly Canary[], rows: readonly string[]): string[] {
  const places = rows.flatMap((row) => found(canaries, row.split(" ", 1)[0] ?? "", row));
  return [...new Set(places)].sort();
}

/** What the hub tells of everything that happened, page by page. */
export async function everythingTold(hubs: TestHubs, hub: TestHub, action: string): Promise<unknown[]> {
  const items: unknown[] = [];
  for (let cursor: unknown; ; ) {
    const { output } = await hubs.ada
      .operator(hub)
      .done(action, { limit: 200, ...(cursor !== undefined && { cursor }) });
    items.push(...(output.items as unknown[]));
    cursor = output.next;
    if (cursor === undefined || (output.items as unknown[]).length === 0) return items;
  }
}

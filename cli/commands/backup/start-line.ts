import { resolve } from "node:path";
import { inheritedEnv, type Variable, variables } from "../../../server/config/env.ts";
import { typedSettings } from "../../typed.ts";

/** Of these, whatever is set leads to the data and its keys; what is secret is named and not printed. */
const LEADING: readonly Variable["group"][] = ["folders", "keys"];

/**
 * How the hub of a restored database is started, in a shell that may have none of the settings that this command was
 * given; `into` is the data folder of a restore that took no other setting for its place.
 */
export function startLine(into: string | undefined, env: NodeJS.ProcessEnv = inheritedEnv()): string {
  const set = (name: string) => (env[name] ?? "") !== "";
  const leading = Object.entries<Variable>(variables).filter(([, { group }]) => LEADING.includes(group));
  const kept = leading.flatMap(([name]): [string, string][] => (set(name) ? [[name, env[name] as string]] : []));
  const urls = ["DATABASE_URL", "COUNTERSIGN_MIGRATION_URL"].filter(set);
  if (into === undefined && urls.length > 0)
    return `Start this one, with ${urls.join(" and ")} as for this restore: ${line(kept)}`;
  const here = into === undefined ? kept : kept.filter(([name]) => name !== "COUNTERSIGN_DATA_DIR");
  const place: [string, string][] = into === undefined ? [] : [["COUNTERSIGN_DATA_DIR", resolve(into)]];
  // what is still set in the shell would be taken before the folder
  return `Start this one: ${line([...urls.map((name): [string, string] => [name, ""]), ...place, ...here])}`;
}

const line = (settings: readonly [string, string][]): string =>
  `${typedSettings(settings)} npx countersign start`.trimStart();

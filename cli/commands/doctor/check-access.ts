import type { CliFolder } from "../../cli-folder.ts";
import { OPERATOR } from "../../context.ts";
import { broken, type Finding, sound, unknown } from "./finding.ts";

/** Whether this command line knows a hub, and has the token that lets it in. `given`: one is set in the environment. */
export function checkAccess(folder: CliFolder, given: boolean): Finding {
  const check = "token";
  if (given) return sound(check, "set in the environment");
  if (!folder.hub()) return unknown(check, "this command line knows no hub yet: the first start tells it of one");
  if (folder.token(OPERATOR) !== undefined) return sound(check, `the operator's is in ${folder.path}`);
  const says = `The operator's token is not in ${folder.path}, so that no command is let in. A new one can be had with the root key.`;
  return broken(check, says, "npx countersign recover operator");
}

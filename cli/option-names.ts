import { HubError } from "../server/errors.ts";

/** How a command calls what the hub knows as an input field: `allowedHosts` is `--host`, `name` is `<name>`. */
export type OptionNames = Readonly<Record<string, string>>;

/** A command's work, whose refusals name what a person typed and not the tool's input fields. */
export function naming<Args extends readonly unknown[]>(
  names: OptionNames,
  run: (...args: Args) => Promise<void>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    try {
      await run(...args);
    } catch (error) {
      throw error instanceof HubError ? inOptions(error, names) : error;
    }
  };
}

/** The same refusal in a command's own words. Its code, its details and its receipt stay. */
export function inOptions(error: HubError, names: OptionNames): HubError {
  const { code, message, path, details, receipt } = error;
  const place = path === undefined ? undefined : optionOf(path, names);
  const said = Object.entries(names).reduce(
    (text, [field, option]) => text.replace(mentionsOf(field), option),
    path !== undefined && place !== undefined && message.startsWith(`${path}: `)
      ? `${place}${message.slice(path.length)}`
      : message,
  );
  const where = place ?? path;
  const told = new HubError(code, said, {
    ...(where !== undefined && { path: where }),
    ...(details && { details }),
    cause: error,
  });
  if (receipt) told.receipt = receipt;
  return told;
}

/** `allowedHosts[1]` is `--host` too. */
function optionOf(path: string, names: OptionNames): string | undefined {
  return names[/^[^.[]*/.exec(path)?.[0] ?? ""];
}

/** `widen: true` in a sentence, as an agent is told it. What may be an ordinary word is left alone. */
const mentionsOf = (field: string) => new RegExp(`(?<![\\w-])${field}: true(?!\\w)`, "g");

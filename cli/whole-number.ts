import { InvalidArgumentError } from "commander";

/** An option's value. @throws InvalidArgumentError where it is no whole number */
export function wholeNumber(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError("It is a whole number.");
  return Number(text);
}

import { InvalidArgumentError } from "commander";

/** An option's value: so many of these, `least` or more. @throws InvalidArgumentError where it is anything else */
export function wholeNumber(what: string, least: number): (text: string) => number {
  return (text) => {
    if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
    throw new InvalidArgumentError(`It is a whole number of ${what}, ${least} or more.`);
  };
}

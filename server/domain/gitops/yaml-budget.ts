/** What one reading may cost, all files together; it counts down. */
export interface YamlBudget {
  /** Of text, in UTF-16 code units. */
  characters: number;
  /** What the lexer cuts the text into: names, values, brackets, spaces, line ends. */
  tokens: number;
  /** Maps, lists, names and values, with aliases written out. */
  values: number;
  /** Each use of an alias, also of one inside of what an alias stands for. */
  aliases: number;
}

/** Room for 5,000 large objects. The slowest text that fits keeps the process busy for a few seconds. */
export const YAML_LIMITS: Readonly<YamlBudget> = {
  characters: 8_000_000,
  tokens: 1_500_000,
  values: 500_000,
  aliases: 1_000,
};

/** Maps and lists inside of each other. */
export const MAX_YAML_DEPTH = 64;
export const TOO_DEEP = `nested more than ${MAX_YAML_DEPTH} levels deep`;

/** What to say when something has run out. */
export const tooMuch = (what: keyof YamlBudget): string =>
  `too much for one fleet: the files together may have ${YAML_LIMITS[what].toLocaleString("en")} ${what}`;

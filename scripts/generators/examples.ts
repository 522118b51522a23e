/** docs/examples/<action>.json: one call of every action that was made to a real hub, and what came back. */
import { actions } from "../../tools/index.ts";
import { recordedExamples } from "./examples/record.ts";
import { type Generator, jsonText } from "./generator.ts";

/** What jobs alone carry out is at no door, so that nobody can call it. */
const shownActions = actions.filter(({ channels }) => !channels.includes("job")).map(({ name }) => name);

const fileOf = (action: string) => `docs/examples/${action}.json`;

async function texts(): Promise<ReadonlyMap<string, string>> {
  const examples = await recordedExamples();
  return new Map([...examples].map(([action, example]) => [fileOf(action), jsonText(example)]));
}

export const generator: Generator = { files: shownActions.map(fileOf), generate: texts };

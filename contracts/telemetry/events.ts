import * as z from "zod";
import catalogue from "./events.v1.json" with { type: "json" };

/** The catalogue of events: what may be told, about what, with which facts. Types are added; none changes its meaning. */

const field = z.strictObject({
  type: z.enum(["string", "integer", "boolean", "string-list"]),
  description: z.string().min(1),
  optional: z.literal(true).optional(),
});

export const eventCatalogue = z.strictObject({
  version: z.literal(1),
  events: z.array(
    z.strictObject({
      type: z.string().regex(/^[a-z]+\.[a-z]+(_[a-z]+)*$/),
      description: z.string().min(1),
      /** A path; what stands in angle brackets is filled in. */
      subject: z.string().min(1),
      data: z.record(z.string(), field),
    }),
  ),
});

type Field = z.output<typeof field>;
export type CataloguedEvent = z.output<typeof eventCatalogue>["events"][number];

export const EVENTS: ReadonlyMap<string, CataloguedEvent> = new Map(
  eventCatalogue.parse(catalogue).events.map((event) => [event.type, event]),
);

/** Why the catalogue does not know such an event; undefined where it does. */
export function uncatalogued(event: {
  type: string;
  subject: string;
  data: Readonly<Record<string, unknown>>;
}): string | undefined {
  const known = EVENTS.get(event.type);
  if (known === undefined) return `there is no event type ${event.type}`;
  const subject = new RegExp(`^${known.subject.replaceAll(/<[^>]+>/g, "[^/]+")}$`);
  if (!subject.test(event.subject)) return `${event.type} is about ${known.subject}, not ${event.subject}`;
  const strange = Object.keys(event.data).find((name) => !Object.hasOwn(known.data, name));
  if (strange !== undefined) return `${event.type} has no field ${strange}`;
  const wrong = Object.entries(known.data).find(([name, field]) => !fits(event.data[name], field));
  return wrong && `the field ${wrong[0]} of ${event.type} is a ${wrong[1].type}`;
}

function fits(value: unknown, { type, optional }: Field): boolean {
  if (value === undefined) return optional === true;
  if (type === "integer") return Number.isSafeInteger(value);
  if (type === "string-list") return Array.isArray(value) && value.every((item) => typeof item === "string");
  return typeof value === type;
}

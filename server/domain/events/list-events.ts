import type { Page, PageRequest } from "../page.ts";
import type { EventFilter, EventReader, EventRow } from "./event-store.ts";

export type ListedEvent = Omit<EventRow, "at"> & { readonly at: string };

export async function listEvents(
  events: EventReader,
  filter: EventFilter,
  page: PageRequest,
): Promise<Page<ListedEvent>> {
  const { items, ...rest } = await events.list(filter, page);
  return { ...rest, items: items.map((event) => ({ ...event, at: event.at.toISOString() })) };
}

import { parseRequest, peopleNeeded, type RequestPredicate } from "../../../contracts/approval/request.ts";
import { HubError } from "../../errors.ts";
import type { ApprovalRequest, Assurance } from "./approval-store.ts";

/** What a request asks of people, as far as arithmetic goes. */
export interface Rules {
  /** Solo only where the request was made in solo and the account still is. */
  readonly profile: "solo" | "team";
  readonly people: number;
  /** Each permission asks for an approver of its own. */
  readonly holding: readonly string[];
  readonly requesterKind: ApprovalRequest["requester"]["kind"];
  readonly requesterPersonId?: string;
  readonly ownerPersonId?: string;
}

/** One person's approval: whose, how sure, and which of the permissions asked for they hold. */
export interface Voice {
  readonly personId: string;
  readonly assurance: Assurance;
  readonly holding: readonly string[];
}

export function rulesOf(
  request: {
    readonly requester: Requester;
    readonly demand: { readonly people: number; readonly holding: readonly string[] };
    readonly profile: "solo" | "team";
  },
  accountProfile: "solo" | "team",
): Rules {
  const { kind, personId, ownerPersonId } = request.requester;
  return {
    profile: request.profile === "solo" && accountProfile === "solo" ? "solo" : "team",
    people: request.demand.people,
    holding: request.demand.holding,
    requesterKind: kind,
    ...(personId !== undefined && { requesterPersonId: personId }),
    ...(ownerPersonId !== undefined && { ownerPersonId }),
  };
}

/** Who asked, as identity knows them now. */
export type Requester = Pick<ApprovalRequest["requester"], "kind" | "personId" | "ownerPersonId">;

/** What people put their names to. Throws APPROVAL_STALE where the row's digests or its id are not the statement's. */
export function signedPredicate(
  request: Pick<ApprovalRequest, "id" | "statement" | "statementDigest" | "previewDigest">,
): RequestPredicate {
  const changed = (cause?: unknown) =>
    new HubError("APPROVAL_STALE", "The request is not any more what was asked for: its rows were changed.", { cause });
  let signed: ReturnType<typeof parseRequest>;
  try {
    signed = parseRequest(request.statement);
  } catch (cause) {
    throw changed(cause);
  }
  const { requestId, digest, predicate } = signed;
  const isWhole =
    requestId === request.id && digest === request.statementDigest && predicate.previewDigest === request.previewDigest;
  if (!isWhole) throw changed();
  return predicate;
}

/**
 * The rules that decide: demand and profile from the signed statement, the requester from identity. The columns beside
 * the statement are for lists, and whoever edits one changes nothing here.
 */
export function signedRules(predicate: RequestPredicate, requester: Requester, accountProfile: "solo" | "team"): Rules {
  const { demand, profile } = predicate;
  return rulesOf({ requester, demand, profile }, accountProfile);
}

/** Who may not decide: in a team, whoever asked, and where two people are needed the owner of the agent that asked. */
export function exclusion(rules: Rules, personId: string): "requester" | "owner" | undefined {
  if (rules.profile === "solo") return undefined;
  if (personId === rules.requesterPersonId) return "requester";
  if (personId === rules.ownerPersonId && peopleNeeded(rules) > 1) return "owner";
  return undefined;
}

/** Whether an approval counts at all. What only the hub vouches for never counts for two people, and never in solo. */
export function counts(rules: Rules, voice: Voice): boolean {
  if (exclusion(rules, voice.personId) !== undefined) return false;
  return voice.assurance === "signed" || (rules.profile === "team" && peopleNeeded(rules) === 1);
}

/** How many of the places to fill these people fill between them, each person one; in solo one person fills all. */
export function filled(rules: Rules, voices: readonly Voice[]): number {
  const counting = voices.filter((voice) => counts(rules, voice));
  if (rules.profile === "solo") {
    const enough = counting.some((voice) => rules.holding.every((permission) => voice.holding.includes(permission)));
    return enough ? peopleNeeded(rules) : 0;
  }
  return mostSeated(placesOf(rules), counting);
}

export function isAgreed(rules: Rules, voices: readonly Voice[]): boolean {
  return filled(rules, voices) >= peopleNeeded(rules);
}

/** A place for each permission; whoever fills a further one holds at least one of them too. */
function placesOf(rules: Rules): ((voice: Voice) => boolean)[] {
  const free = peopleNeeded(rules) - rules.holding.length;
  const named = rules.holding.map((permission) => (voice: Voice) => voice.holding.includes(permission));
  const any = (voice: Voice) => rules.holding.length === 0 || voice.holding.length > 0;
  return [...named, ...Array.from({ length: free }, () => any)];
}

/** The largest number of places that can be filled at once: augmenting paths over places and people. */
function mostSeated(places: readonly ((voice: Voice) => boolean)[], voices: readonly Voice[]): number {
  const people = [...new Map(voices.map((voice) => [voice.personId, voice])).values()];
  const seated = new Map<Voice, number>();
  const seat = (place: number, tried: Set<Voice>): boolean => {
    for (const voice of people) {
      if (tried.has(voice) || !places[place]?.(voice)) continue;
      tried.add(voice);
      const other = seated.get(voice);
      if (other === undefined || seat(other, tried)) {
        seated.set(voice, place);
        return true;
      }
    }
    return false;
  };
  return places.filter((_, place) => seat(place, new Set())).length;
}

/** Who has to agree, for people to read: "one other person", "two people, ...". */
export function needsInWords(rules: Rules): string {
  const people = peopleNeeded(rules);
  const holding = rules.holding.length > 0 ? ` holding ${rules.holding.join(" and ")}` : "";
  if (rules.profile === "solo") {
    const whose = rules.requesterKind === "operator" ? "your own signature" : "the operator's own signature";
    return `${whose} (solo)${holding}`;
  }
  if (people === 1) return `one other person${holding}`;
  const count = people === 2 ? "two" : String(people);
  const neither = rules.requesterKind === "agent" ? "not the owner of the agent that asks" : "not the one who asks";
  return `${count} people${holding}, ${neither}`;
}

import type { PrincipalKind, PrincipalReference } from "../../../contracts/identity/principal.ts";
import type { Page, PageRequest } from "../page.ts";
import type {
  AccountRow,
  BanRow,
  ClaimRow,
  ClaimSubject,
  InvitationRow,
  PersonKeyRow,
  PersonRow,
  PrincipalRow,
  TokenRow,
} from "./rows.ts";

export interface PrincipalFilter {
  readonly kind?: PrincipalKind | undefined;
  readonly role?: string | undefined;
  /** Operators that are this person, and agents that answer to it. */
  readonly personId?: string | undefined;
  readonly banned?: boolean | undefined;
}

export interface PrincipalListing extends PrincipalRow {
  readonly ban?: BanRow;
  /** Those that open something: neither revoked nor expired. */
  readonly tokens: readonly TokenRow[];
}

export interface BanFilter {
  readonly principalId?: string | undefined;
  readonly inForce?: boolean | undefined;
}

export interface BanListing extends BanRow {
  readonly principal: PrincipalReference;
  readonly by: PrincipalReference;
  readonly inForce: boolean;
  /** Absent while in force, and where it ended by itself. */
  readonly lifted?: { readonly at: Date; readonly by: PrincipalReference; readonly reason: string };
}

export interface KeyFilter {
  readonly personId?: string | undefined;
  /** Neither revoked nor expired. */
  readonly live?: boolean | undefined;
}

export interface KeyListing extends PersonKeyRow {
  readonly person: PersonRow;
  /** Absent where the hub's root key ended it. */
  readonly revokedBy?: PrincipalReference;
}

/** One account's identities. `now` is the call's time: what has expired or ended by then no longer counts. */
export interface IdentityReader {
  account(): Promise<AccountRow>;
  principal(id: string): Promise<PrincipalRow | undefined>;
  /** Without regard to case. */
  principalNamed(name: string): Promise<PrincipalRow | undefined>;
  person(id: string): Promise<PersonRow | undefined>;
  token(id: string): Promise<TokenRow | undefined>;
  banInForce(principalId: string, now: Date): Promise<BanRow | undefined>;
  invitation(id: string): Promise<InvitationRow | undefined>;
  /** Whoever's it is; revoked and expired ones too. */
  key(keyId: string): Promise<PersonKeyRow | undefined>;
  /** The person's keys that sign: neither revoked nor expired. */
  liveKeys(personId: string, now: Date): Promise<number>;
  /** Tokens of the principal that are neither revoked nor expired. */
  liveTokens(principalId: string, now: Date): Promise<number>;
  /** Principals of the person, or answering to it, that are not banned: at most 50. */
  unbannedOf(personId: string, now: Date): Promise<readonly PrincipalRow[]>;
  /** People with a key in force and an operator that is not banned: those who can sign. */
  enrolledPeople(now: Date): Promise<number>;
  /** Operators but this one that hold `admin`, are not banned, have a live token and whose person has a key in force. */
  otherAdmins(principalId: string, now: Date): Promise<number>;
  /** The same for all operators, as if there were no such key. */
  adminsWithout(keyId: string, now: Date): Promise<number>;
}

/** What people look through. Not for deciding: it is read apart from the transaction of a call. */
export interface IdentityDirectory {
  /** In the order of their creation. */
  listPrincipals(filter: PrincipalFilter, page: PageRequest, now: Date): Promise<Page<PrincipalListing>>;
  /** Newest first. */
  listBans(filter: BanFilter, page: PageRequest, now: Date): Promise<Page<BanListing>>;
  /** In the order of their ids. */
  listKeys(filter: KeyFilter, page: PageRequest, now: Date): Promise<Page<KeyListing>>;
}

/**
 * Changes, inside one transaction. What is locked stays so until it ends; who locks several takes the account first,
 * then the claim or invitation, then the principal, then the token.
 */
export interface IdentityWriter {
  /** For what weighs principals and people against each other. */
  lockAccount(): Promise<AccountRow>;
  lockPrincipal(id: string): Promise<PrincipalRow | undefined>;
  lockToken(id: string): Promise<TokenRow | undefined>;
  lockInvitation(id: string): Promise<InvitationRow | undefined>;
  lockClaim(id: string): Promise<ClaimRow | undefined>;

  addPerson(person: PersonRow & { readonly createdAt: Date }): Promise<void>;
  /** Throws ALREADY_EXISTS where the key is enrolled, whoever's it is. */
  addKey(key: PersonKeyRow): Promise<void>;
  /** The same key by a newer certificate. */
  renewKey(keyId: string, certificate: { readonly publicKey: Buffer; readonly expiresAt?: Date }): Promise<void>;
  revokeKey(keyId: string, revoked: { readonly at: Date; readonly by: string }): Promise<void>;
  /** Throws ALREADY_EXISTS where the name is taken. */
  addPrincipal(principal: NewPrincipal): Promise<void>;
  /** What waits for the principal in its old version becomes stale. */
  bumpPrincipal(id: string): Promise<void>;
  /** Throws ALREADY_EXISTS where the id is taken. */
  addToken(token: NewToken): Promise<void>;
  revokeToken(id: string, revoked: { readonly at: Date; readonly by: string }): Promise<void>;
  /** Closes one that ended by itself. */
  addBan(ban: BanRow): Promise<void>;
  liftBan(id: string, lifted: { readonly at: Date; readonly by: string; readonly reason: string }): Promise<void>;
  addInvitation(invitation: NewInvitation): Promise<void>;
  setInvitationSecret(id: string, sha256: Buffer): Promise<void>;
  acceptInvitation(id: string, accepted: { readonly at: Date; readonly personId: string }): Promise<void>;
  cancelInvitation(id: string, cancelled: { readonly at: Date; readonly by: string }): Promise<void>;
  addClaim(claim: NewClaim): Promise<void>;
  spendClaim(id: string, claimed: { readonly at: Date; readonly by: string }): Promise<void>;
  setProfile(profile: AccountRow["profile"]): Promise<void>;
}

export interface NewPrincipal {
  readonly id: string;
  readonly kind: PrincipalKind;
  readonly name: string;
  readonly personId?: string;
  readonly ownerPersonId?: string;
  readonly roles: readonly string[];
  readonly createdAt: Date;
}

export interface NewToken {
  readonly id: string;
  readonly principalId: string;
  /** Of the secret's 32 bytes. */
  readonly sha256: Buffer;
  readonly note: string;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export interface NewInvitation {
  readonly id: string;
  readonly personName: string;
  readonly roles: readonly string[];
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export interface NewClaim {
  readonly id: string;
  readonly subject: ClaimSubject;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

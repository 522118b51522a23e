import type { CredentialKind } from "./credential-kind.ts";

/** Kind, hosts and consumers as people read them before they agree. */

const KINDS: Readonly<Record<CredentialKind, string>> = {
  "git-https": "user and password or token for Git over https",
  "ssh-key": "private key for Git over ssh",
  "bearer-token": "bearer token for https",
};

export const kindInWords = (kind: CredentialKind): string => KINDS[kind];

export function hostsInWords(hosts: readonly string[]): string {
  return hosts
    .map((host) => (host.startsWith("*.") ? `${host} (any one name in front of ${host.slice(2)})` : host))
    .join(", ");
}

export function consumersInWords(consumers: readonly string[]): string {
  return consumers
    .map((consumer) => {
      const [area = "", name] = consumer.split("/");
      if (name !== undefined) return area === "gitops" ? `the Git repository ${name}` : `${name} of ${area}`;
      return area === "gitops" ? "every Git repository of the fleet" : `everything of ${area}`;
    })
    .join(", ");
}

/** Who gives the secret, and how. */
export const givingInWords = (name: string): string =>
  `a person gives the secret, unseen, within half an hour: npx countersign credentials provide ${name}, or on the page whose link the asker is given`;

export const expiryInWords = (expiresAt: Date | undefined): string => expiresAt?.toISOString() ?? "never";

export const policyInWords = (days: number | undefined): string =>
  days === undefined ? "never due" : days === 1 ? "every day" : `every ${days} days`;

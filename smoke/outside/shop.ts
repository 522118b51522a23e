/** A small fleet in three files, and the same as the hub should have it. */
import type { LiveFleetObject } from "../../contracts/fleet/object.ts";

export const HEAD = "apiVersion: countersign/v1\nkind: Fleet\n";
const DIGEST = `sha256:${"7".repeat(64)}`;

/** What the repository `name` holds; every object has the name in front of its own. */
export function shopFiles(name: string, version = "1.0.0"): Record<string, string> {
  return {
    "fleet.yaml": `${HEAD}include: [base.yaml, "prod/*.yaml"]
providerConfigs:
  - { name: ${name}-edge, spec: { driver: kubernetes, endpoint: "https://edge.example/", secretRef: edge/token } }
`,
    "base.yaml": `${HEAD}modules:
  - name: ${name}-base
    spec: { version: 1.0.0, source: "https://modules.example/base.tgz", digest: "${DIGEST}" }
templates:
  - name: ${name}-web
    labels: { team: edge }
    spec:
      version: ${version}
      modules: [${name}-base]
      parameters:
        replicas: { type: integer, default: 1 }
`,
    "prod/assignments.yaml": `${HEAD}assignments:
  - name: ${name}-prod
    spec:
      template: ${name}-web
      provider: ${name}-edge
      selector: { env: prod }
      parameters: { replicas: 2 }
`,
  };
}

type StatedObject = Pick<LiveFleetObject, "kind" | "name" | "labels" | "annotations" | "spec" | "owner">;

/** With everything that the files leave to defaults; the assignment first. */
export function shopObjects(name: string): [assignment: StatedObject, ...StatedObject[]] {
  const frame = { labels: {}, annotations: {}, owner: name };
  return [
    {
      kind: "Assignment",
      name: `${name}-prod`,
      ...frame,
      spec: {
        template: `${name}-web`,
        provider: `${name}-edge`,
        selector: { env: "prod" },
        parameters: { replicas: 2 },
      },
    },
    {
      kind: "Module",
      name: `${name}-base`,
      ...frame,
      spec: { version: "1.0.0", source: "https://modules.example/base.tgz", digest: DIGEST, dependsOn: [] },
    },
    {
      kind: "ProviderConfig",
      name: `${name}-edge`,
      ...frame,
      spec: { driver: "kubernetes", endpoint: "https://edge.example/", secretRef: "edge/token" },
    },
    {
      kind: "Template",
      name: `${name}-web`,
      ...frame,
      labels: { team: "edge" },
      spec: {
        version: "1.0.0",
        modules: [`${name}-base`],
        parameters: { replicas: { type: "integer", default: 1, required: false } },
      },
    },
  ];
}

/** Files that are wrong, each in one place. */
export const wrongFleets = {
  noYaml: `${HEAD}modules: [\n  { name: x }\n`,
  unknownList: `${HEAD}gadgets: []\n`,
  unknownKind: HEAD.replace("Fleet", "Gadget"),
  danglingReference: `${HEAD}templates:
  - { name: lone, spec: { version: 1.0.0 } }
assignments:
  - name: lone
    spec:
      template: lone
      provider: nowhere
      selector: { env: prod }
`,
  plainSecret: `${HEAD}providerConfigs:
  - name: lone
    spec:
      driver: kubernetes
      endpoint: "https://ada:hunter2@edge.example/"
`,
};

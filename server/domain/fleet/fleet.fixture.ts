import type { DesiredFleetObject, FleetKind } from "../../../contracts/fleet/object.ts";

type Of<K extends FleetKind> = Extract<DesiredFleetObject, { kind: K }>;

const frame = (name: string) => ({ name, labels: {}, annotations: {} });
const digest = `sha256:${"0123456789abcdef".repeat(4)}`;

export const module = (name: string, dependsOn: string[] = []): Of<"Module"> => ({
  kind: "Module",
  ...frame(name),
  spec: { version: "1.0.0", source: `https://modules.example/${name}.tgz`, digest, dependsOn },
});

export const template = (name: string, spec: Partial<Of<"Template">["spec"]> = {}): Of<"Template"> => ({
  kind: "Template",
  ...frame(name),
  spec: { version: "1.0.0", parameters: {}, modules: [], ...spec },
});

export const provider = (name: string): Of<"ProviderConfig"> => ({
  kind: "ProviderConfig",
  ...frame(name),
  spec: { driver: "kubernetes", endpoint: `https://${name}.example` },
});

export const assignment = (name: string, spec: Partial<Of<"Assignment">["spec"]> = {}): Of<"Assignment"> => ({
  kind: "Assignment",
  ...frame(name),
  spec: { template: "web", provider: "edge", selector: { env: "prod" }, parameters: {}, ...spec },
});

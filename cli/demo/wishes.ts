import { hash } from "node:crypto";

/** What the people and the agent of the demo ask for. */

export const MODULE = {
  kind: "Module",
  name: "nginx",
  labels: { tier: "web" },
  spec: {
    version: "1.4.0",
    source: "https://modules.example/nginx",
    digest: `sha256:${hash("sha256", "the demo's module")}`,
  },
};

export const TEMPLATE = {
  kind: "Template",
  name: "web",
  spec: { version: "1.0.0", modules: [MODULE.name], parameters: { replicas: { type: "integer", required: true } } },
};

const POLICY = { apiVersion: "countersign/v1", kind: "Policy", authorization: { cedar: "" } };

/** What the agent would like: nobody is asked any more. */
export const AGENTS_POLICY = {
  ...POLICY,
  intervention: {
    rules: [
      {
        id: "no-more-waiting",
        why: "Waiting for people is slow.",
        actions: ["system_fleet_put_object"],
        outcome: "auto",
        loosens: true,
      },
    ],
  },
};

export const ADAS_POLICY = {
  ...POLICY,
  intervention: {
    rules: [
      {
        id: "deleting",
        why: "What is deleted is gone: two people agree.",
        actions: ["system_fleet_delete_object"],
        outcome: { approve: 2, holding: "system.approval.decide" },
      },
    ],
  },
};

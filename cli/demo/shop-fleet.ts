import { hash } from "node:crypto";

/** What Grace's repository declares in the demo of GitOps, commit by commit. */

interface Shop {
  readonly replicas: number;
  /** Whether the banner is still there. */
  readonly banner: boolean;
  readonly port?: string;
}

const digest = (of: string) => `sha256:${hash("sha256", `the demo's ${of}`)}`;

export const shopFleet = ({ replicas, banner, port = "8080" }: Shop): string => `apiVersion: countersign/v1
kind: Fleet
templates:
  - name: shop
    spec:
      version: 1.0.0
      modules: [nginx${banner ? ", banner" : ""}]
      parameters:
        replicas: { type: integer, required: true }
        port: { type: integer, default: ${port} }
assignments:
  - name: shop-eu
    spec:
      template: shop
      provider: edge
      selector: { region: eu }
      parameters: { replicas: ${replicas} }
providerConfigs:
  - name: edge
    spec: { driver: kubernetes, endpoint: "https://edge.example", secretRef: edge/admin }
modules:
  - name: nginx
    spec:
      version: 1.27.0
      source: https://modules.example/nginx
      digest: ${digest("nginx")}
${banner ? bannerModule : ""}`;

const bannerModule = `  - name: banner
    spec:
      version: 0.3.0
      source: https://modules.example/banner
      digest: ${digest("banner")}
`;

/** What the conditions of a policy look at. */
import type { CedarSchemaJson, PolicyJson } from "./cedar-engine.ts";
import { onlyNamespace, type Scope } from "./policy-scope.ts";

/** From a variable inwards: `["context", "input", "kind"]`. */
type Path = readonly string[];
type Expr = PolicyJson["conditions"][number]["body"];
interface HasOperands {
  readonly left: Expr;
  readonly attr: string | string[];
}

export interface Conditions {
  /** Paths below `context` that are read, none within another; the empty path is the whole context. */
  readonly reads: readonly Path[];
  /** What `has` asks for; undefined where it asks something other than a variable or a field of one. */
  readonly tests: readonly (Path | undefined)[];
  /** Whether `hasTag` or `getTag` is used: they alone look into an open map of strings. */
  readonly readsTags: boolean;
  /** Whether the answer can depend on which resource it is, or on what that holds, beyond its account and type. */
  readonly readsResource: boolean;
  /** Of the expression that all clauses make together: `a && b && c` is two deep, and so are two operators in a row. */
  readonly depth: number;
}

export function conditionsOf(policy: PolicyJson): Conditions {
  const reads: Path[] = [];
  const tests: (Path | undefined)[] = [];
  let readsTags = false;
  let readsResource = false;
  let deepest = 0;
  const read = ([variable, ...below]: Path) => {
    if (variable === "context") reads.push(below);
    if (variable === "resource") readsResource = true;
  };
  // a node has one member, named after its operator; the members of a record literal are named by the policy
  const walk = (node: Expr, depth: number): void => {
    deepest = Math.max(deepest, depth);
    const [[operator, operands] = []] = Object.entries(node);
    const path = pathOf(node);
    if (path) return read(path);
    if (operator === "Value") return;
    if (operator === "in" && asksForOwnAccount(operands)) return;
    if (operator === "hasTag" || operator === "getTag") readsTags = true;
    if (operator === "has") return walkHas((node as { has: HasOperands }).has, depth);
    for (const [name, operand] of Object.entries(operands as object)) {
      if (typeof operand === "object" && name !== "pattern") walk(operand as Expr, depth + 1);
    }
  };
  const walkHas = ({ left, attr }: HasOperands, depth: number): void => {
    const tested = pathOf(left);
    if (!tested) {
      tests.push(undefined);
      return walk(left, depth + 1);
    }
    const attributes = [attr].flat();
    for (const index of attributes.keys()) tests.push([...tested, ...attributes.slice(0, index + 1)]);
    read([...tested, ...attributes]);
  };
  // clauses are joined with &&
  policy.conditions.forEach(({ body }, index) => walk(body, index + 1));
  return { reads: withoutInner(reads), tests, readsTags, readsResource, depth: deepest };
}

/** `resource in principal.account`: true or false for all resources of one account alike. */
function asksForOwnAccount(operands: unknown): boolean {
  const { left, right } = operands as { left?: Expr; right?: Expr };
  return (
    (left && pathOf(left)?.join(".")) === "resource" && (right && pathOf(right)?.join(".")) === "principal.account"
  );
}

/** Whether any resource, principal or action that the policy can meet has a field at this path. */
export function isDeclared(schema: CedarSchemaJson, path: Path, scope: Scope): boolean {
  const [variable, ...attributes] = path;
  const { actions } = onlyNamespace(schema);
  const roots = (): unknown[] => {
    if (variable === "context") return [...scope.actions].map((name) => actions[name]?.appliesTo?.context);
    const types = variable === "principal" ? scope.principals : variable === "resource" ? scope.resources : [];
    return [...types].map((name) => ({ type: "Entity", name }));
  };
  return roots().some((root) => {
    let type: unknown = root;
    for (const attribute of attributes) type = attributesOf(schema, type)?.[attribute];
    return type !== undefined;
  });
}

function pathOf(node: Expr): Path | undefined {
  if ("Var" in node) return [node.Var as string];
  if (!("." in node)) return undefined;
  const { left, attr } = node["."] as { left: Expr; attr: string };
  const outer = pathOf(left);
  return outer && [...outer, attr];
}

function attributesOf(schema: CedarSchemaJson, type: unknown): Record<string, unknown> | undefined {
  const { attributes, name } = (type ?? {}) as { attributes?: Record<string, unknown>; name?: string };
  if (attributes || name === undefined) return attributes;
  const { commonTypes, entityTypes } = onlyNamespace(schema);
  const named = commonTypes?.[name] ?? (entityTypes[name] as { shape?: unknown } | undefined)?.shape;
  return (named as { attributes?: Record<string, unknown> } | undefined)?.attributes;
}

/** The paths of which none begins with another. */
export function withoutInner(paths: readonly Path[]): Path[] {
  const within = (inner: Path, outer: Path) => outer.every((part, index) => inner[index] === part);
  return paths.filter(
    (path, index) =>
      !paths.some((other, at) => at !== index && within(path, other) && (other.length < path.length || at < index)),
  );
}

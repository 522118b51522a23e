/** The linter's rule `countersign/boundaries`: every import of a project's file is held against scripts/lint/zones.ts. */
import { builtinModules } from "node:module";
import { dirname, relative, resolve, sep } from "node:path";
import { refusal } from "./zones.ts";

/** The few shapes of the syntax tree (ESTree) that name a module. */
interface ModuleReference {
  readonly type: string;
  readonly source?: { readonly type: string; readonly value?: unknown } | null;
  readonly argument?: {
    readonly type: string;
    readonly literal?: { readonly value?: unknown };
    readonly value?: unknown;
  };
  readonly importKind?: "type" | "value";
  readonly exportKind?: "type" | "value";
  readonly specifiers?: readonly { readonly importKind?: "type" | "value"; readonly exportKind?: "type" | "value" }[];
}

interface RuleContext {
  readonly cwd: string;
  readonly filename: string;
  report(finding: { node: ModuleReference; message: string }): void;
}

const boundaries = {
  meta: { type: "problem" },
  create(context: RuleContext) {
    const file = fromRoot(context.cwd, context.filename);
    const check = (node: ModuleReference) => {
      const specifier = node.source?.value ?? node.argument?.literal?.value ?? node.argument?.value;
      if (typeof specifier !== "string" || isBuiltin(specifier)) return;
      const target = specifier.startsWith(".")
        ? { path: fromRoot(context.cwd, resolve(dirname(context.filename), specifier)) }
        : { package: specifier };
      const message = refusal(file, target, isTypeOnly(node));
      if (message !== undefined) context.report({ node, message });
    };
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
      TSImportType: check,
    };
  },
};

function isTypeOnly(node: ModuleReference): boolean {
  if (node.type === "TSImportType" || node.importKind === "type" || node.exportKind === "type") return true;
  const specifiers = node.specifiers ?? [];
  return specifiers.length > 0 && specifiers.every((one) => one.importKind === "type" || one.exportKind === "type");
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith("node:") || builtinModules.includes(specifier);
}

function fromRoot(root: string, file: string): string {
  return relative(root, file).split(sep).join("/");
}

export default { meta: { name: "countersign" }, rules: { boundaries } };

import assert from "node:assert/strict";
import { test } from "node:test";
import { cedarSchema } from "./cedar-schema.ts";
import { checkPolicies } from "./check-policies.ts";
import { allActions } from "./fixtures/actions.ts";
import { policy } from "./fixtures/requests.ts";

const schema = cedarSchema(allActions);
const check = (text: string) => checkPolicies(schema, "authorization.cedar", text);
const accepts = (text: string) => {
  const { problems, policies } = check(text);
  assert.deepEqual(problems, [], text);
  return policies;
};
/** The first problem, as `line:column message`. */
const refuses = (text: string, message: RegExp | string) => {
  const { problems, policies } = check(text);
  assert.deepEqual(policies, [], text);
  const [first] = problems;
  const told = `${first?.line}:${first?.column} ${first?.message}`;
  if (typeof message === "string") assert.equal(told, message, text);
  else assert.match(told, message, text);
  return problems;
};

test("tells of each policy its name, its reason and its text", () => {
  const text = `// for the night\n${policy("forbid", "night", "when { context.time.minuteOfDay < 360 }")}${policy("permit", "day")}`;
  const policies = accepts(text);
  assert.deepEqual(
    policies.map(({ id, why, effect }) => [id, why, effect]),
    [
      ["night", "because of night", "forbid"],
      ["day", "because of day", "permit"],
    ],
  );
  assert.deepEqual(policies[0]?.reads, [["time", "minuteOfDay"]]);
  assert.deepEqual([...(policies[0]?.scope.actions ?? [])], ["system_gateway_call"]);
  assert.deepEqual(accepts(" \n// nothing yet\n"), []);
});

test("each policy has a name of its own and a reason", () => {
  const head = "permit (principal, action, resource);";
  accepts(`@id("a") @why("b") ${head} @id("a2") @why("b") ${head}`);
  refuses(`@why("b") ${head}`, /^1:1 needs @id/);
  refuses(`@id("A b") @why("b") ${head}`, /^1:1 needs @id/);
  refuses(`@id("a")\n@why("") ${head}`, /^1:1 needs @why/);
  refuses(`@id("a") ${head}`, /^1:1 needs @why/);
  refuses(`@id("a") @why("two\\nlines") ${head}`, /^1:1 needs @why/);
  refuses(`@id("a") @why("right\\u{202E}left") ${head}`, /^1:1 needs @why/);
  refuses(`@id("a") @why("b") ${head}\n @id("a") @why("b") ${head}`, '2:2 @id("a") is used twice');
  refuses(`@id("base/own-account") @why("b") ${head}`, /^1:1 ids that begin with base\/ or role\//);
  accepts(`@id("bases/own-account") @why("b") ${head}`);
});

test("a misspelt value, attribute or type is refused where it stands, in characters", () => {
  const mode = (name: string) =>
    policy("permit", "ä", `when { context.input.mode == SystemGatewayCallMode::"${name}" }`);
  const text = (name: string) =>
    `// äöü 𝒳\n@id("m") @why("ä") permit (principal, action == Action::"system_gateway_call", resource)\nwhen { "ä" == context.input.text && context.input.mode == SystemGatewayCallMode::"${name}" };`;
  accepts(text("force"));
  const [problem] = refuses(
    text("forse"),
    /^3:59 entity `SystemGatewayCallMode::"forse"` is of an enumerated entity type/,
  );
  assert.equal(problem?.path, "authorization.cedar");
  assert.equal(problem?.policy, "m");
  assert.match(problem?.help ?? "", /"soft", "force"/);
  refuses(policy("permit", "a", "when { context.input.cuont > 3 }"), /^2:78 attribute `input.cuont`/);
  refuses(policy("permit", "a", "", "principal is Agnet, action, resource"), /Agnet/);
  refuses(
    policy("permit", "a", "", 'principal, action == Action::"system_gateway_cal", resource'),
    /system_gateway_cal/,
  );
  refuses(mode("force"), /needs @id/);
});

test("what does not parse is refused where it stands", () => {
  refuses(
    `${policy("permit", "a")}permit (principal, action, resource) when { context.é };`,
    /^3:53 invalid token|^3:\d+ /,
  );
  refuses("permit (principal, action, resource)", /unexpected end of input/);
  refuses(policy("permit", "a", "", "principal == ?principal, action, resource"), /slot/);
  refuses(`@id("a") @id("b") @why("c") permit (principal, action, resource);`, /duplicate annotation/);
});

test("has may ask for declared names alone, in whatever dress", () => {
  const unless = (condition: string) => policy("permit", "a", `unless { ${condition} }`);
  const undeclared = /^2:\d+ nothing that this policy covers has `/;
  accepts(unless("context.input has note"));
  refuses(unless("context.input has price && context.input.price > 9"), undeclared);
  accepts(unless("context has input.note"));
  refuses(unless("context has input.price"), undeclared);
  refuses(unless("context has inptu.note"), undeclared);
  accepts(unless('context.input["nested"] has "replicas"'));
  refuses(unless('context.input["nested"] has "replica"'), undeclared);
  accepts(unless("resource has owner"));
  refuses(unless("resource has ownr"), undeclared);
  refuses(unless("resource.labels has env"), undeclared); // tags are asked with hasTag
  accepts(unless('resource.labels.hasTag("env")'));
  refuses(unless("action has name"), undeclared);
  // a record whose members have the names of operators hides nothing
  accepts(unless("{Value: context.input has note}.Value"));
  refuses(unless("{Value: context.input has price}.Value"), undeclared);
  refuses(unless("{Var: context.input has price}.Var"), undeclared);
  refuses(unless("[context.input has price].contains(true)"), undeclared);
  // nor does asking something that is no variable
  refuses(unless("{note: 1} has price"), /may ask principal, resource, context and their fields alone/);
  refuses(unless("(if true then context.input else context.input) has price"), /fields alone/);
});

test("has is fine where one of the covered actions has the name", () => {
  const both = 'principal, action in [Action::"system_gateway_call", Action::"system_fleet_put_object"], resource';
  const condition = "when { context.input has note }";
  accepts(policy("permit", "a", condition, both));
  refuses(
    policy("permit", "a", condition, 'principal, action == Action::"system_fleet_put_object", resource'),
    /nothing that/,
  );
});

test("a policy that can never apply is refused", () => {
  accepts(policy("permit", "a", "when { resource is FleetObject }"));
  refuses(policy("permit", "a", "when { resource is Token }"), /impossible/);
  refuses(
    policy("permit", "a", "", 'principal, action == Action::"system_gateway_call", resource is Token'),
    /impossible|applicable action/i,
  );
  refuses(
    policy(
      "permit",
      "a",
      'when { resource in Role::"admin" }',
      'principal, action in Action::"system_identity_revoke_token", resource',
    ),
    /impossible/,
  );
});

test("an optional field is read after has alone, a tag after hasTag", () => {
  accepts(policy("permit", "a", 'when { context.input has note && context.input.note == "x" }'));
  refuses(policy("permit", "a", 'when { context.input.note == "x" }'), /note/);
  accepts(
    policy("permit", "a", 'when { context.input.labels.hasTag("env") && context.input.labels.getTag("env") == "p" }'),
  );
  refuses(policy("permit", "a", 'when { context.input.labels.getTag("env") == "p" }'), /tag/);
});

test("texts that would kill an engine are refused, their smaller twins are not", () => {
  const nested = (n: number) => policy("permit", "a", `when { ${"(".repeat(n)}context.input.dry${")".repeat(n)} }`);
  const negated = (n: number) => policy("permit", "a", `when { ${"!(".repeat(n)}context.input.dry${")".repeat(n)} }`);
  const clauses = (n: number) => policy("permit", "a", "when { true } ".repeat(n));
  const sum = (n: number) => policy("permit", "a", `when { context.input.count${" + 1".repeat(n)} > 0 }`);
  const ifs = (n: number) =>
    policy("permit", "a", `when { ${"if context.input.dry then ".repeat(n)}true${" else false".repeat(n)} }`);
  const hidden = (n: number) =>
    policy("permit", "a", `when { ${"(//)\n".repeat(n)}context.input.dry${")".repeat(n)} }`);
  const many = (n: number) => Array.from({ length: n }, (_, i) => policy("permit", `a${i}`)).join("");
  for (const make of [nested, negated, hidden, ifs]) {
    accepts(make(30));
    refuses(make(150), /nested deeper/);
  }
  accepts(clauses(100));
  refuses(clauses(200), /more than 150 operators/);
  refuses(clauses(1_000), /more than 1000 words/);
  accepts(sum(100));
  refuses(sum(300), /more than 150 operators/);
  accepts(many(100));
  refuses(many(200), /longer than 16384 bytes/);
  // an engine was killed by none of them: the next check works
  accepts(policy("permit", "a"));
});

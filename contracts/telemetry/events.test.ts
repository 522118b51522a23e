import assert from "node:assert/strict";
import { test } from "node:test";
import { EVENTS, uncatalogued } from "./events.ts";
import catalogue from "./events.v1.json" with { type: "json" };

test("the catalogue lists each type once, in order", () => {
  const types = catalogue.events.map(({ type }) => type);
  assert.deepEqual(types, [...new Set(types)].toSorted());
  assert.equal(EVENTS.size, types.length);
});

test("an event is taken as the catalogue has it: type, subject, and each field", () => {
  const banned = {
    type: "identity.principal_banned",
    subject: "identity/principal/7",
    data: { banId: "b", by: "p", until: "2026-11-22T00:00:00Z" },
  };
  assert.equal(uncatalogued(banned), undefined);
  assert.equal(uncatalogued({ ...banned, data: { banId: "b", by: "p" } }), undefined, "until may be left out");
  const invited = {
    type: "identity.person_invited",
    subject: "identity/invitation/1",
    data: { roles: ["a"], by: "p" },
  };
  assert.equal(uncatalogued(invited), undefined);
  for (const wrong of [
    { ...banned, type: "identity.principal_praised" },
    { ...banned, subject: "identity/principal" },
    { ...banned, subject: "identity/principal/7/8" },
    { ...banned, data: { by: "p" } },
    { ...banned, data: { banId: 1, by: "p" } },
    { ...banned, data: { ...banned.data, constructor: "x" } },
    { ...invited, data: { roles: [1], by: "p" } },
    { ...invited, data: { roles: "a", by: "p" } },
  ]) {
    assert.notEqual(uncatalogued(wrong), undefined, JSON.stringify(wrong));
  }
});

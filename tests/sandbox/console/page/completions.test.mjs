import assert from "node:assert/strict";
import { test } from "node:test";

import { accept, commandOf, complete } from "../../../../bot/sandbox/console/page/completions.js";

const known = {
  commands: [
    { command: "/monitor", description: "Listen", usage_hint: "0003*210 or @agent" },
    { command: "/calls", description: "List", usage_hint: "[a name]" },
  ],
  people: [
    { handle: "bob", name: "Bob Ionescu" },
    { handle: "ana", name: "Ana Pop" },
  ],
  channels: [{ name: "alerts" }],
};
const labels = (text, caret = text.length) => complete(text, caret, known)?.offers.map((offer) => offer.label) ?? null;

const OFFERED = [
  ["/", ["/monitor 0003*210 or @agent", "/calls [a name]"]],
  ["/mo", ["/monitor 0003*210 or @agent"]],
  ["/monitor", null],
  ["/x", null],
  ["hello", null],
  ["", null],
  ["/monitor @", ["@bob", "@ana"]],
  ["/monitor @b", ["@bob"]],
  ["/monitor @Bob", ["@bob"]],
  ["/monitor @bob", null],
  ["mail@b", null],
  ["see #a", ["#alerts"]],
  ["see /mo", null],
];

for (const [text, offered] of OFFERED) test(`${JSON.stringify(text)} is offered ${JSON.stringify(offered)}`, () => assert.deepEqual(labels(text), offered));

test("a command that is chosen is followed by a space, and the caret stands behind it", () => {
  const place = complete("/mo", 3, known);
  assert.deepEqual(accept("/mo", place, place.offers[0]), { text: "/monitor ", caret: 9 });
});

test("a name in the middle takes the place of the word around the caret alone", () => {
  const place = complete("/monitor @bo wait=5", 11, known);
  assert.deepEqual(accept("/monitor @bo wait=5", place, place.offers[0]), { text: "/monitor @bob wait=5", caret: 14 });
});

for (const [text, command] of [
  ["/monitor 210", "/monitor"],
  ["/monitor", "/monitor"],
  ["/monitors", undefined],
  ["say /monitor", undefined],
]) {
  test(`${text} is taken for the command ${command}`, () => assert.equal(commandOf(text, known)?.command, command));
}

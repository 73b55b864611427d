import assert from "node:assert/strict";
import { test } from "node:test";

import { about, news } from "../../../../bot/sandbox/console/page/phones.js";

const line = (more) => ({ call: "c", kind: "party", state: "on_call", action: null, with: ["Carla Caller"], since: 1, until: null, recording_since: null, slot: null, can: [], ...more });
const phone = (state, ...lines) => ({ number: "1", name: "Bob", state, lines });

for (const [given, words] of [
  [{ kind: "intervention", state: "ringing", action: "Monitor" }, "Rings, to listen to"],
  [{ kind: "leg", action: "Whisper" }, "Whispering to"],
  [{ kind: "leg", action: null }, "In the call of"],
  [{ state: "ringing" }, "Call from"],
  [{ state: "on_hold" }, "On hold:"],
  [{ state: "parked", slot: 2 }, "Parked in slot 2:"],
  [{ action: "PickUp" }, "Picked up:"],
  [{}, "With"],
]) {
  test(`a line ${JSON.stringify(given)} says “${words}”`, () => assert.equal(about(line(given)), words));
}

for (const [what, before, now, said] of [
  ["rings", phone("idle"), phone("ringing", line({ state: "ringing" })), "Bob's phone: Call from Carla Caller."],
  ["is hung up", phone("on_call", line({})), phone("idle"), "Bob's phone is idle."],
  ["stays as it is", phone("on_call", line({})), phone("on_call", line({})), null],
  ["is recorded", phone("on_call", line({})), phone("on_call", line({ recording_since: 5 })), "Bob's call is being recorded."],
  ["was not known", undefined, phone("idle"), null],
]) {
  test(`a phone that ${what} is told as ${said}`, () => assert.equal(news(before, now), said));
}

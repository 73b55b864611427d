import assert from "node:assert/strict";
import { test } from "node:test";

import { merge, seenBy, unread } from "../../../../bot/sandbox/console/page/store.js";

const message = (ts, more = {}) => ({ channel: "C1", ts, user: "UBOT", only_for: null, thread_ts: null, version: 1, text: "", blocks: [], ...more });
const whole = (messages) => ({ type: "state", now: 1, messages, places: {}, floor: { phones: [] }, story: {}, bot: {} });
const begun = (...messages) => merge(null, whole(messages)).state;
const stamps = (state) => state.messages.map((each) => each.ts);

test("at first nothing counts as changed", () => assert.deepEqual(merge(null, whole([message("1")])).changed, []));

test("a new message comes in its place, by its time stamp", () => {
  assert.deepEqual(stamps(merge(begun(message("1"), message("3")), { type: "change", now: 2, messages: [message("2")] }).state), ["1", "2", "3"]);
});

test("a changed message takes the place of what it was", () => {
  const merged = merge(begun(message("1")), { type: "change", now: 2, messages: [message("1", { version: 2, text: "new" })] });
  assert.deepEqual([merged.state.messages[0].text, merged.changed.length], ["new", 1]);
});

test("what is gone is gone", () => assert.deepEqual(stamps(merge(begun(message("1"), message("2")), { type: "change", now: 2, gone: [["C1", "1"]] }).state), ["2"]));

test("a part that is not told stays", () => {
  const merged = merge(begun(), { type: "change", now: 2, bot: { state: "ended" } });
  assert.deepEqual([merged.state.floor, merged.state.bot, [...merged.parts]], [{ phones: [] }, { state: "ended" }, ["bot"]]);
});

test("after a lost connection only what is new counts as changed", () => {
  const merged = merge(begun(message("1"), message("2")), whole([message("1"), message("2", { version: 2 }), message("3")]));
  assert.deepEqual(merged.changed.map((each) => each.ts), ["2", "3"]);
});

test("a private answer is seen by its person alone", () => {
  const state = begun(message("1", { only_for: "UANA" }), message("2"));
  assert.deepEqual([seenBy(state, "UANA", "C1").length, seenBy(state, "UBOB", "C1").length], [2, 1]);
});

test("one's own messages and those seen are not unread", () => {
  assert.equal(unread(begun(message("1"), message("2", { user: "UANA" }), message("3")), "UANA", "C1", "1"), 1);
});

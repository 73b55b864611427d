// @ts-check
/**
 * The state of the demo: first a whole state, then changes (`interface.md`). Pure.
 *
 * @typedef {{channel: string, ts: string, user: string, only_for: string | null, thread_ts: string | null, version: number,
 *            text: string, blocks: any[]}} Message
 * @typedef {{messages: Message[], places: any, floor: any, story: any, bot: any, now: number}} State
 * @typedef {{state: State, changed: Message[], parts: Set<string>}} Merged
 */

const PARTS = ["places", "floor", "story", "bot"];

/** @param {{channel: string, ts: string}} message */
export const keyOf = (message) => `${message.channel} ${message.ts}`;

/**
 * The next state. `changed`: the messages that are new or have changed; `parts`: the other parts that have changed.
 * @param {State | null} before
 * @param {any} told
 * @returns {Merged}
 */
export function merge(before, told) {
  if (told.type === "state" || !before) return whole(before, told);
  const gone = new Set((told.gone ?? []).map((/** @type {string[]} */ name) => name.join(" ")));
  const changed = /** @type {Message[]} */ (told.messages ?? []);
  const messages = new Map(before.messages.filter((each) => !gone.has(keyOf(each))).map((each) => [keyOf(each), each]));
  for (const each of changed) messages.set(keyOf(each), each);
  const state = { ...before, now: told.now, messages: sorted([...messages.values()]) };
  const parts = new Set(PARTS.filter((name) => name in told));
  for (const name of parts) state[/** @type {"places"} */ (name)] = told[name];
  if (gone.size || changed.length) parts.add("messages");
  return { state, changed, parts };
}

/**
 * A whole state. After a lost connection, only what is new in it counts as changed.
 * @param {State | null} before
 * @param {any} told
 * @returns {Merged}
 */
function whole(before, told) {
  const { messages, places, floor, story, bot, now } = told;
  const known = new Map((before?.messages ?? []).map((each) => [keyOf(each), each.version]));
  const changed = before ? messages.filter((/** @type {Message} */ each) => known.get(keyOf(each)) !== each.version) : [];
  return { state: { messages: sorted(messages), places, floor, story, bot, now }, changed, parts: new Set([...PARTS, "messages"]) };
}

/** @param {Message[]} messages */
function sorted(messages) {
  return [...messages].sort((one, other) => (one.ts < other.ts ? -1 : one.ts > other.ts ? 1 : 0));
}

/**
 * What one person sees in one channel.
 * @param {State} state
 * @param {string} user
 * @param {string} channel
 */
export function seenBy(state, user, channel) {
  return state.messages.filter((each) => each.channel === channel && (each.only_for ?? user) === user);
}

/**
 * How many messages of others a person has not seen in a channel; `seen`: the last time stamp that they have.
 * @param {State} state
 * @param {string} user
 * @param {string} channel
 * @param {string} seen
 */
export function unread(state, user, channel, seen) {
  return seenBy(state, user, channel).filter((each) => each.user !== user && each.ts > seen).length;
}

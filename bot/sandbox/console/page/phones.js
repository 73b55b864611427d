// @ts-check
/** What a desk phone says about itself, in words. Pure. */

/** @typedef {{call: string, kind: string, state: string, action: string | null, with: string[], since: number | null, until: number | null, recording_since: number | null, slot: number | null, can: string[]}} Line */
/** @typedef {{number: string, name: string, state: string, lines: Line[]}} Phone */

/** @type {Record<string, string>} */
export const STATES = { idle: "Idle", ringing: "Ringing", calling: "Calling", on_call: "On call", on_hold: "On hold", parked: "Parked" };

/** What a hand can do, as its button says. @type {Record<string, string>} */
export const HANDS = { lift: "Pick up", hold: "Hold", unhold: "Resume", park: "Park", unpark: "Retrieve", hang_up: "Hang up" };

/** @type {Record<string, string>} */
const RINGS_FOR = { Monitor: "listen to", Whisper: "whisper to", BargeIn: "join the call of", PickUp: "take the call of" };
/** @type {Record<string, string>} */
const IS_ON_IT = { Monitor: "Listening to", Whisper: "Whispering to", BargeIn: "In the call of" };

/**
 * The state of a line, without the other party.
 * @param {Line} line
 */
export function about(line) {
  if (line.kind === "intervention") return `Rings, to ${RINGS_FOR[line.action ?? ""] ?? "join"}`;
  if (line.kind === "leg") return IS_ON_IT[line.action ?? ""] ?? "In the call of";
  if (line.state === "ringing") return "Call from";
  if (line.state === "calling") return "Calling";
  if (line.state === "on_hold") return "On hold:";
  if (line.state === "parked") return `Parked in slot ${line.slot}:`;
  return line.action === "PickUp" ? "Picked up:" : "With";
}

/**
 * What happened to a phone, for screen readers; null if there is nothing to announce.
 * @param {Phone | undefined} before
 * @param {Phone} now
 */
export function news(before, now) {
  if (!before) return null;
  const recorded = (/** @type {Phone} */ phone) => phone.lines.some((line) => line.recording_since);
  if (before.state === now.state && before.lines.length === now.lines.length) {
    if (recorded(before) === recorded(now)) return null;
    return `${now.name}'s call is ${recorded(now) ? "being recorded" : "no longer recorded"}.`;
  }
  const line = now.lines.at(-1);
  if (now.state === "idle" || !line) return `${now.name}'s phone is idle.`;
  const first = now.lines.find((each) => each.state === now.state) ?? line;
  return `${now.name}'s phone: ${about(first)} ${first.with[0] ?? ""}`.trim().replace(/:?$/, ".");
}

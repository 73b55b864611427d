// @ts-check
/**
 * What the message box offers while somebody types: commands, people and channels; and what a command takes. Pure.
 *
 * @typedef {{command: string, description: string, usage_hint: string}} Command
 * @typedef {{commands: Command[], people: {handle: string, name: string}[], channels: {name: string}[]}} Known
 * @typedef {{insert: string, label: string, detail: string}} Offer
 */

/**
 * The offers at the caret; null if there are none. `from` and `to` mark the text that an offer replaces.
 * @param {string} text
 * @param {number} caret
 * @param {Known} known
 * @returns {{offers: Offer[], from: number, to: number} | null}
 */
export function complete(text, caret, known) {
  const before = text.slice(0, caret);
  const command = /^\/[a-z-]*$/.exec(before);
  const word = command ? null : /(?:^|\s)([@#])([\w.-]*)$/.exec(before);
  if (!command && !word) return null;
  const offers = command ? commands(before, known) : word?.[1] === "@" ? people(word[2], known) : channels(word?.[2] ?? "", known);
  const from = command ? 0 : caret - (word?.[2].length ?? 0) - 1;
  const to = caret + (/^[\w.-]*/.exec(text.slice(caret))?.[0].length ?? 0);
  const typed = text.slice(from, to);
  const done = offers.length === 1 && offers[0].insert.trimEnd() === typed;
  return offers.length && !done ? { offers, from, to } : null;
}

/**
 * The text with the offer inserted, and the new position of the caret.
 * @param {string} text
 * @param {{from: number, to: number}} place
 * @param {Offer} offer
 */
export function accept(text, { from, to }, offer) {
  const rest = text.slice(to).replace(/^ /, "");
  return { text: text.slice(0, from) + offer.insert + rest, caret: from + offer.insert.length };
}

/**
 * The command that is being typed; null if it is not one.
 * @param {string} text
 * @param {Known} known
 * @returns {Command | null}
 */
export function commandOf(text, known) {
  const typed = /^(\/\S+)(?:\s|$)/.exec(text)?.[1];
  return known.commands.find((each) => each.command === typed) ?? null;
}

/** @param {string} typed @param {Known} known @returns {Offer[]} */
function commands(typed, known) {
  return known.commands
    .filter((each) => each.command.startsWith(typed))
    .map((each) => ({ insert: `${each.command} `, label: `${each.command} ${each.usage_hint}`, detail: each.description }));
}

/** @param {string} typed @param {Known} known @returns {Offer[]} */
function people(typed, known) {
  const wanted = typed.toLowerCase();
  return known.people
    .filter((each) => each.handle.startsWith(wanted) || each.name.toLowerCase().startsWith(wanted))
    .map((each) => ({ insert: `@${each.handle} `, label: `@${each.handle}`, detail: each.name }));
}

/** @param {string} typed @param {Known} known @returns {Offer[]} */
function channels(typed, known) {
  return known.channels
    .filter((each) => each.name.startsWith(typed.toLowerCase()))
    .map((each) => ({ insert: `#${each.name} `, label: `#${each.name}`, detail: "channel" }));
}

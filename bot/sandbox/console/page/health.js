// @ts-check
/** The state of the bot in words. Pure. */

/** @typedef {{state: string, connected: boolean, exit_code: number | null}} Bot */

/**
 * The state of the bot: one word for the colours, a few for people, and what to do about it; "" if all is well.
 * @param {Bot} bot
 */
export function health({ state: process, connected, exit_code }) {
  const state = process === "running" ? (connected ? "connected" : "starting") : process;
  const code = exit_code === null ? "" : ` (exit code ${exit_code})`;
  const words = { connected: "callbot is connected", starting: "callbot is connecting …", restarting: "callbot is restarting …", ended: `callbot has ended${code}` }[state] ?? "";
  if (state === "connected") return { state, words, trouble: "" };
  const trouble = state === "ended" ? `${words}. Commands fail until you restart it.` : `${words} The page goes on by itself.`;
  return { state, words, trouble };
}

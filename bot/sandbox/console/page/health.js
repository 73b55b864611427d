// @ts-check
/** How the bot is, in words. Pure. */

/** @typedef {{state: string, connected: boolean, exit_code: number | null}} Bot */

/**
 * How it is: in one word for the colours, in a few for people, and what that means for whoever looks; "" where all is well.
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

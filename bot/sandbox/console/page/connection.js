// @ts-check
/** The interface of the demo (`interface.md`): the token of the address, the changes, the acts. */

import { keepAs, kept } from "./kept.js";

const KEY = "callbot-demo-token";
const WAITS = [300, 600, 1200, 2000];

/** Take the token out of the address; it is kept for this tab and this port alone. If the browser keeps nothing, it stays in the address. */
export function takeToken() {
  const address = new URL(location.href);
  const token = address.searchParams.get("token");
  if (token && keepAs("sessionStorage", KEY, token)) {
    address.searchParams.delete("token");
    history.replaceState(null, "", address);
  }
  return token ?? kept("sessionStorage", KEY) ?? "";
}

export class Connection {
  /**
   * @param {string} token
   * @param {{told: (message: any) => void, trouble: (what: "none" | "lost" | "token") => void}} listener
   */
  constructor(token, listener) {
    this.token = token;
    this.listener = listener;
    this.lost = 0;
  }

  /** Connect, and again whenever the connection is lost, until the token is refused. */
  open() {
    const socket = new WebSocket(`ws://${location.host}/v1/changes`, ["callbot.v1", `token.${this.token}`]);
    socket.addEventListener("message", (event) => {
      this.lost = 0;
      this.listener.trouble("none");
      this.listener.told(JSON.parse(event.data));
    });
    socket.addEventListener("close", () => void this.#again());
  }

  async #again() {
    if (await this.#isRefused()) {
      this.listener.trouble("token");
      return;
    }
    this.listener.trouble("lost");
    const wait = WAITS[Math.min(this.lost, WAITS.length - 1)];
    this.lost += 1;
    setTimeout(() => this.open(), wait);
  }

  /** A browser does not say why a WebSocket was refused, so ask with a plain request. */
  async #isRefused() {
    try {
      return (await fetch("/v1/state", { headers: this.#headers() })).status === 401;
    } catch {
      return false;
    }
  }

  /**
   * Do something; the answer has `ok`, and where it is false a `message` for people.
   * @param {"type" | "click" | "phone" | "ring" | "story" | "bot"} act
   * @param {Record<string, unknown>} fields
   * @returns {Promise<any>}
   */
  async post(act, fields) {
    try {
      const headers = { ...this.#headers(), "Content-Type": "application/json" };
      const answer = await fetch(`/v1/${act}`, { method: "POST", headers, body: JSON.stringify(fields) });
      return await answer.json();
    } catch {
      return { ok: false, error: "lost", message: "The demo does not answer. It may or may not have been done." };
    }
  }

  #headers() {
    return { Authorization: `Bearer ${this.token}` };
  }
}

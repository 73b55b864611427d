// @ts-check
/** The top of the page: the state of the bot, light and dark, sound, and problems of the connection. */

import { el, icon } from "./elements.js";
import { health } from "./health.js";
import { keepAs, kept } from "./kept.js";
import { Ringing } from "./ringing.js";

const THEMES = [
  { name: "system", label: "as the system", icon: "screen" },
  { name: "light", label: "light", icon: "sun" },
  { name: "dark", label: "dark", icon: "moon" },
];
const KEPT = "callbot-demo-theme";

export class Top {
  /** @param {() => void} restart */
  constructor(restart) {
    this.words = el("span", { class: "bot-words" });
    this.button = el("button", { type: "button", class: "button quiet", on: { click: () => this.#restarts() || restart() } }, icon("again"), el("span", { class: "wide", text: "Restart callbot" }));
    this.button.setAttribute("aria-label", "Restart callbot");
    this.bot = byId("bot");
    this.bot.append(el("span", { class: "dot" }), this.words, this.button);
    this.trouble = byId("trouble");
    this.ringing = new Ringing();
    this.sound = el("button", { type: "button", class: "button quiet square", "aria-pressed": "false", on: { click: () => this.#sound() } });
    this.theme = el("button", { type: "button", class: "button quiet square", on: { click: () => this.#theme(1) } });
    byId("tools").append(this.sound, this.theme);
    this.kept = Math.max(0, THEMES.findIndex((each) => each.name === kept("localStorage", KEPT)));
    this.#theme(0);
    this.#showSound(false);
  }

  /** @param {import("./health.js").Bot} bot */
  drawBot(bot) {
    const { state, words, trouble } = health(bot);
    this.bot.dataset.state = state;
    if (this.words.textContent !== words) this.words.textContent = words;
    // Not `disabled`: that would take the focus away from the button that was just clicked.
    this.button.setAttribute("aria-disabled", String(state === "restarting"));
    this.botTrouble = trouble;
    this.#drawTrouble();
  }

  #restarts() {
    return this.bot.dataset.state === "restarting";
  }

  /** @param {"none" | "lost" | "token"} what */
  drawConnection(what) {
    this.connectionTrouble = {
      none: "",
      lost: "The demo does not answer. Reconnecting …",
      token: "This address does not open this demo. Open the one that `callbot demo` has printed; each start has a new one.",
    }[what];
    document.body.classList.toggle("cut-off", what !== "none");
    this.#drawTrouble();
  }

  #drawTrouble() {
    const says = this.connectionTrouble || this.botTrouble || "";
    if (this.trouble.textContent === says) return;
    this.trouble.replaceChildren(...(says ? [icon("warning"), says] : []));
  }

  #sound() {
    this.#showSound(this.ringing.toggle());
  }

  /** @param {boolean} on */
  #showSound(on) {
    this.sound.replaceChildren(icon(on ? "sound" : "quiet"));
    this.sound.setAttribute("aria-pressed", String(on));
    this.sound.setAttribute("aria-label", "Hear phones ring");
    this.sound.title = on ? "Phones are heard" : "Phones are not heard";
  }

  /** @param {number} step */
  #theme(step) {
    this.kept = (this.kept + step) % THEMES.length;
    const theme = THEMES[this.kept];
    document.documentElement.dataset.theme = theme.name;
    if (step) keepAs("localStorage", KEPT, theme.name);
    this.theme.replaceChildren(icon(theme.icon));
    this.theme.setAttribute("aria-label", `Colours: ${theme.label}`);
    this.theme.title = `Colours: ${theme.label}`;
  }
}

/** @param {string} id @returns {HTMLElement} */
function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

// @ts-check
/** The message box: it completes commands, people and channels, and says what a command takes. */

import { accept, commandOf, complete } from "./completions.js";
import { el, icon } from "./elements.js";

export class Composer {
  /**
   * @param {HTMLElement} root
   * @param {(text: string) => Promise<string | null>} send gives back what went wrong, in a sentence; null: nothing
   * @param {() => void} takeOver somebody types: the story, if it plays, has to stop
   */
  constructor(root, send, takeOver) {
    this.send = send;
    this.takeOver = takeOver;
    /** @type {import("./completions.js").Known} */
    this.known = { commands: [], people: [], channels: [] };
    /** @type {{offers: any[], from: number, to: number} | null} */
    this.offered = null;
    this.chosen = 0;
    /** @type {string[]} */
    this.sent = [];
    this.back = 0;
    this.typing = 0;
    /** The id of the person who types here. */
    this.person = "";
    /** Each person's draft, kept while another person or the story uses the box. @type {Map<string, string>} */
    this.drafts = new Map();
    this.list = el("ul", { id: "offers", class: "offers", role: "listbox", "aria-label": "Suggestions", hidden: true });
    this.box = /** @type {HTMLInputElement} */ (
      el("input", {
        id: "message",
        type: "text",
        maxlength: 4000,
        role: "combobox",
        spellcheck: "false",
        autocomplete: "off",
        "aria-label": "Message",
        "aria-autocomplete": "list",
        "aria-expanded": "false",
        "aria-controls": "offers",
        "aria-describedby": "hint",
        on: { input: () => this.#typed(), keydown: (/** @type {KeyboardEvent} */ event) => this.#key(event), click: () => this.#offer(), blur: () => this.#close() },
      })
    );
    this.hint = el("p", { class: "hint", id: "hint" });
    this.problem = el("p", { class: "problem", role: "alert" });
    const button = el("button", { type: "button", class: "send", "aria-label": "Send", title: "Send", on: { click: () => void this.#go() } }, icon("send"));
    root.append(this.problem, el("div", { class: "box" }, this.list, this.box, button), this.hint);
    this.#say();
  }

  /** @param {string} person who types here @param {import("./completions.js").Known} known @param {string} invitation */
  draw(person, known, invitation) {
    this.known = known;
    this.box.placeholder = invitation;
    if (person === this.person) return;
    if (this.person) this.#keepDraft();
    else this.drafts.set(person, this.box.value);
    this.person = person;
    this.problem.textContent = "";
    if (!this.box.readOnly) this.#takeDraft();
  }

  /** The story types into the box too; its text is not kept as a draft. */
  #keepDraft() {
    if (!this.box.readOnly) this.drafts.set(this.person, this.box.value);
  }

  #takeDraft() {
    const text = this.drafts.get(this.person) ?? "";
    this.#set(text, text.length);
    this.#close();
  }

  /** Show somebody typing; null: stop showing it. @param {string | null} text @param {boolean} atOnce */
  play(text, atOnce) {
    clearInterval(this.typing);
    if (text === null) {
      if (this.box.readOnly) this.#takeDraft();
      this.box.readOnly = false;
      return;
    }
    this.#keepDraft();
    this.box.readOnly = true;
    let shown = atOnce ? text.length : 0;
    this.#set(text.slice(0, shown), shown);
    this.typing = window.setInterval(() => {
      shown += 1;
      this.#set(text.slice(0, shown), shown);
      if (shown >= text.length) clearInterval(this.typing);
    }, 90);
  }

  #typed() {
    this.takeOver();
    this.problem.textContent = "";
    this.#say();
    this.#offer();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing) return;
    const leaves = event.key === "Tab" || event.key === "Shift";
    if (this.box.readOnly && !leaves) return this.takeOver(); // before this key is typed, so that it goes into the person's own draft
    const moves = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1 })[event.key];
    if (this.offered && moves) this.#choose(this.chosen + moves);
    else if (this.offered && ((event.key === "Tab" && !event.shiftKey) || (event.key === "Enter" && !this.#complete()))) this.#accept(this.chosen);
    else if (this.offered && event.key === "Escape") this.#close();
    else if (event.key === "Enter") void this.#go();
    else if (moves && this.#recall(moves)) return event.preventDefault();
    else return;
    event.preventDefault();
  }

  /** Whether the text is a command that can be sent as it is. */
  #complete() {
    return this.box.value.trim() === this.offered?.offers[this.chosen]?.insert.trim();
  }

  /** Bring back what was sent before. @param {number} moves */
  #recall(moves) {
    const back = this.back - moves;
    if ((this.box.value !== "" && this.box.value !== this.sent.at(-this.back)) || back < 0 || back > this.sent.length) return false;
    this.back = back;
    const text = back ? (this.sent.at(-back) ?? "") : "";
    this.#set(text, text.length);
    return true;
  }

  #offer() {
    this.offered = complete(this.box.value, this.box.selectionStart ?? 0, this.known);
    this.list.hidden = !this.offered;
    this.box.setAttribute("aria-expanded", String(Boolean(this.offered)));
    if (!this.offered) return this.#close();
    this.list.replaceChildren(
      ...this.offered.offers.map((each, number) =>
        el(
          "li",
          { id: `offer-${number}`, role: "option", on: { mousedown: (/** @type {Event} */ event) => (event.preventDefault(), this.#accept(number)) } },
          el("span", { class: "offer-label" }, el("b", { text: each.label.split(" ", 1)[0] }), each.label.slice(each.label.split(" ", 1)[0].length)),
          el("span", { class: "offer-detail", text: each.detail }),
        ),
      ),
    );
    this.#choose(0);
  }

  /** @param {number} number */
  #choose(number) {
    const options = [...this.list.children];
    this.chosen = (number + options.length) % options.length;
    options.forEach((option, at) => option.setAttribute("aria-selected", String(at === this.chosen)));
    this.box.setAttribute("aria-activedescendant", `offer-${this.chosen}`);
    options[this.chosen].scrollIntoView({ block: "nearest" });
  }

  /** @param {number} number */
  #accept(number) {
    if (!this.offered) return;
    const { text, caret } = accept(this.box.value, this.offered, this.offered.offers[number]);
    this.#set(text, caret);
    this.#offer();
  }

  #close() {
    this.offered = null;
    this.list.hidden = true;
    this.box.setAttribute("aria-expanded", "false");
    this.box.removeAttribute("aria-activedescendant");
  }

  async #go() {
    const text = this.box.value.trim();
    if (!text || this.box.readOnly) return;
    this.#set("", 0);
    this.#close();
    this.sent = [...this.sent.slice(-49), text];
    this.back = 0;
    const person = this.person;
    const problem = (await this.send(text)) ?? "";
    if (person !== this.person) return void (problem && this.drafts.set(person, text));
    this.problem.textContent = problem;
    if (problem && !this.box.value) this.#set(text, text.length);
  }

  /** @param {string} text @param {number} caret */
  #set(text, caret) {
    this.box.value = text;
    if (document.activeElement === this.box) this.box.setSelectionRange(caret, caret);
    this.#say();
  }

  /** Show what the command takes, or how to begin. */
  #say() {
    const command = commandOf(this.box.value, this.known);
    this.hint.replaceChildren(
      ...(command ? [el("b", { text: command.command }), ` ${command.usage_hint}`] : [el("kbd", { text: "/" }), " commands  ", el("kbd", { text: "@" }), " people  ", el("kbd", { text: "Enter" }), " sends"]),
    );
  }
}

// @ts-check
/** The desk phones: the state of each, and what can be done with it by hand. */

import { lasting } from "./dates.js";
import { el, icon, keep } from "./elements.js";
import { HANDS, STATES, about } from "./phones.js";

const ICONS = /** @type {Record<string, string>} */ ({ on_hold: "pause", parked: "pause", leg: "ear" });
const AGENT = /\*2/;

export class Floor {
  /**
   * @param {HTMLElement} root
   * @param {{hand: (fields: Record<string, string>) => Promise<string | null>, ring: (to: string) => Promise<string | null>, now: () => number}} parts
   */
  constructor(root, { hand, ring, now }) {
    this.hand = hand;
    this.now = now;
    /** @type {any[]} */
    this.phones = [];
    this.to = /** @type {HTMLSelectElement} */ (el("select", { "aria-label": "Who is called" }));
    this.problem = el("p", { class: "problem", role: "alert" });
    this.desks = el("div", { class: "desks" });
    const call = async () => this.#say(await ring(this.to.value));
    root.append(
      el(
        "header",
        { class: "floor-head" },
        el("div", {}, el("h2", { text: "Floor" }), el("p", { class: "muted", text: "The desk phones of the sandbox PBX. Pick them up and hang up by hand." })),
        el("div", { class: "incoming" }, el("button", { type: "button", class: "button", on: { click: call } }, icon("plus"), "New incoming call"), el("span", { class: "muted", text: "to" }), this.to),
      ),
      this.problem,
      this.desks,
    );
  }

  /** @param {any[]} phones @param {string | null} touched the phone that the story is about */
  draw(phones, touched) {
    this.phones = phones;
    if (this.to.options.length !== phones.length) {
      this.to.replaceChildren(...phones.map((each) => el("option", { value: each.number, text: each.name, selected: AGENT.test(each.number) && !phones.slice(0, phones.indexOf(each)).some((other) => AGENT.test(other.number)) })));
    }
    keep(this.desks, phones, (each) => each.number, (each) => this.#desk(each), (desk, each) => this.#renew(desk, each, touched));
    this.tick();
  }

  /** Count the seconds. */
  tick() {
    for (const time of /** @type {NodeListOf<HTMLElement>} */ (this.desks.querySelectorAll("[data-since]"))) {
      time.textContent = lasting(this.now() - Number(time.dataset.since));
    }
    for (const left of /** @type {NodeListOf<HTMLElement>} */ (this.desks.querySelectorAll("[data-until]"))) {
      const seconds = Math.max(0, Math.ceil((Number(left.dataset.until) - this.now()) / 1000));
      const [bar, words] = [/** @type {HTMLProgressElement} */ (left.firstElementChild), /** @type {Element} */ (left.lastElementChild)];
      bar.value = Math.max(0, Number(left.dataset.until) - this.now());
      words.textContent = `${seconds} s left`;
    }
  }

  /** @param {string | null} problem */
  #say(problem) {
    this.problem.textContent = problem ?? "";
  }

  /** @param {any} phone */
  #desk(phone) {
    const agent = AGENT.test(phone.number);
    return el(
      "div",
      { class: "desk", role: "group", tabindex: "-1", "aria-label": `${phone.name}, phone ${phone.number}`, data: { number: phone.number } },
      el(
        "div",
        { class: "desk-head" },
        el("span", { class: "desk-icon" }, icon("handset")),
        el("div", { class: "desk-who" }, el("h3", { text: phone.name }), el("p", { class: "muted" }, el("span", { class: "number", text: phone.number }), agent ? " agent" : " supervisor")),
        el("span", { class: "state" }),
      ),
      el("div", { class: "lines" }),
    );
  }

  /** @param {HTMLElement} desk @param {any} phone @param {string | null} touched */
  #renew(desk, phone, touched) {
    const recorded = phone.lines.some((/** @type {any} */ line) => line.recording_since);
    desk.dataset.state = phone.state;
    desk.classList.toggle("touched", touched === phone.number);
    const state = /** @type {HTMLElement} */ (desk.querySelector(".state"));
    if (state.textContent !== STATES[phone.state]) state.textContent = STATES[phone.state];
    desk.classList.toggle("recorded", recorded);
    const lines = /** @type {HTMLElement} */ (desk.querySelector(".lines"));
    keep(lines, phone.lines, (line) => `${line.call} ${line.kind}`, (line) => this.#line(line), (element, line) => this.#renewLine(element, line, phone));
  }

  /** @param {any} line */
  #line(line) {
    const name = ICONS[line.kind];
    return el(
      "div",
      { class: "line" },
      el("p", { class: "line-words" }, name && icon(name), el("span", { class: "about" }), " ", el("b", { class: "with" }), " ", el("span", { class: "number with-number" })),
      el("p", { class: "line-times" }),
      el("div", { class: "hands" }),
    );
  }

  /** @param {HTMLElement} element @param {any} line @param {any} phone */
  #renewLine(element, line, phone) {
    element.dataset.state = line.state;
    put(element, ".about", about(line));
    put(element, ".with", line.with[0] ?? "");
    put(element, ".with-number", line.with[1] ?? "");
    const times = /** @type {HTMLElement} */ (element.querySelector(".line-times"));
    const parts = [
      ...(line.until ? [{ key: "left", at: line.until, from: line.since }] : line.since ? [{ key: "since", at: line.since }] : []),
      ...(line.recording_since ? [{ key: "recorded", at: line.recording_since }] : []),
    ];
    keep(times, parts, (part) => `${part.key} ${part.at}`, (part) => this.#time(part));
    const hands = /** @type {HTMLElement} */ (element.querySelector(".hands"));
    keep(hands, line.can, (each) => String(each), (each) => this.#hand(String(each), line, phone));
  }

  /** @param {{key: string, at: number, from?: number}} part */
  #time({ key, at, from = 0 }) {
    if (key === "left") return el("span", { class: "left", data: { until: at } }, el("progress", { max: at - from, "aria-hidden": "true" }), el("span", {}));
    const clock = el("span", { class: "clock", data: { since: at } });
    return key === "since" ? el("span", {}, clock) : el("span", { class: "recording" }, icon("record"), "Recording ", clock);
  }

  /** @param {string} does @param {any} line @param {any} phone */
  #hand(does, line, phone) {
    const styles = /** @type {Record<string, string>} */ ({ lift: "primary", hang_up: "danger" });
    const other = does === "hop" ? this.#next(phone) : null;
    const fields = { number: phone.number, do: does, call: line.call, ...(other ? { to: other.number } : {}) };
    const label = other ? `Pass on to ${other.name.split(" ")[0]}` : HANDS[does];
    return el("button", { type: "button", class: `button ${styles[does] ?? ""}`.trim(), text: label, on: { click: async () => this.#say(await this.hand(fields)) } });
  }

  /** The agent's phone that a call would go on to. @param {any} phone */
  #next(phone) {
    const agents = this.phones.filter((each) => AGENT.test(each.number));
    const others = agents.length > 1 ? agents : this.phones;
    return others[(others.findIndex((each) => each.number === phone.number) + 1) % others.length];
  }
}

/** @param {HTMLElement} element @param {string} where @param {string} text */
function put(element, where, text) {
  const found = /** @type {HTMLElement} */ (element.querySelector(where));
  if (found.textContent !== text) found.textContent = text;
}

// @ts-check
/** The messages of one place, as one person sees them. A message that changes is drawn again and highlighted. */

import { drawBlocks } from "./blocks.js";
import { el, icon, keep } from "./elements.js";
import { keyOf } from "./store.js";

const NEAR = 80;

export class Messages {
  /**
   * @param {HTMLElement} log
   * @param {{texts: import("./text.js").Texts, press: (message: any, button: any, block: any) => void}} parts
   */
  constructor(log, { texts, press }) {
    this.log = log;
    this.texts = texts;
    this.press = press;
    this.place = "";
    /** @type {any} */
    this.places = null;
  }

  /**
   * Draw what is seen at a place.
   * @param {string} place one name for each person and channel
   * @param {import("./store.js").Message[]} messages
   * @param {any} places
   * @param {Node} empty what to show where nothing was said yet
   */
  draw(place, messages, places, empty) {
    const elsewhere = place !== this.place;
    const atEnd = elsewhere || this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR;
    this.place = place;
    this.places = places;
    const within = elsewhere && this.log !== document.activeElement && this.log.contains(document.activeElement);
    if (elsewhere) this.log.replaceChildren();
    if (within) this.log.focus({ preventScroll: true });
    this.log.querySelector(".empty")?.remove();
    keep(this.log, messages, keyOf, (message) => this.#article(message), (article, message) => this.#renew(article, message));
    if (!messages.length) this.log.append(empty);
    if (atEnd) this.log.scrollTop = this.log.scrollHeight;
  }

  /**
   * Show which button is about to be pressed; null: none.
   * @param {{channel: string, ts: string, block_id: string, action_id: string} | null} where
   */
  point(where) {
    for (const pointed of this.log.querySelectorAll(".button.pointed")) pointed.classList.remove("pointed");
    if (!where) return;
    const button = this.button(where);
    button?.classList.add("pointed");
    button?.scrollIntoView({ block: "nearest" });
  }

  /**
   * The button that is there now, of that block or else of that action; undefined: none.
   * @param {{channel: string, ts: string, block_id: string, action_id: string}} where
   */
  button(where) {
    const article = [...this.log.children].find((each) => /** @type {HTMLElement} */ (each).dataset.key === keyOf(where));
    return article && this.#button(article, where.block_id, where.action_id);
  }

  /** @param {Element} article @param {string | undefined} block @param {string | undefined} action */
  #button(article, block, action) {
    const buttons = /** @type {HTMLElement[]} */ ([...article.querySelectorAll("button[data-action]")]);
    return buttons.find((each) => each.dataset.block === block && each.dataset.action === action) ?? buttons.find((each) => each.dataset.action === action);
  }

  /** @param {any} message */
  #article(message) {
    const article = el("article", { class: "message", tabindex: "-1", data: { ts: message.ts, channel: message.channel } });
    this.#fill(article, message);
    return article;
  }

  /** @param {HTMLElement} article @param {any} message */
  #renew(article, message) {
    if (article.dataset.version === String(message.version)) return;
    const focused = article.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
    const { block, action } = focused?.dataset ?? {};
    this.#fill(article, message);
    article.classList.remove("changed");
    void article.offsetWidth; // the highlight begins anew only after a layout without it
    article.classList.add("changed");
    if (focused) (action ? (this.#button(article, block, action) ?? article) : article).focus({ preventScroll: true });
  }

  /** @param {HTMLElement} article @param {any} message */
  #fill(article, message) {
    const own = message.user === this.places.app.user;
    const person = this.places.people.find((/** @type {any} */ each) => each.id === message.user);
    const name = own ? this.places.app.name : (person?.name ?? message.user);
    article.dataset.version = String(message.version);
    article.classList.toggle("private", Boolean(message.only_for));
    article.setAttribute("aria-label", `${name}${message.only_for ? ", only visible to you" : ""}`);
    article.replaceChildren(
      ...(message.only_for ? [el("p", { class: "only" }, icon("eye"), "Only visible to you")] : []),
      own ? el("img", { class: "avatar", src: "/page/icon.svg", alt: "", width: 36, height: 36 }) : el("span", { class: `avatar ${person?.handle ?? ""}`, "aria-hidden": "true", text: name.slice(0, 1) }),
      el(
        "div",
        { class: "message-body" },
        el("p", { class: "message-head" }, el("strong", { text: name }), own && el("span", { class: "badge", text: "App" }), this.texts.time(Number(message.ts), "{time}")),
        el("div", { class: "message-blocks" }, ...this.#body(message)),
        message.version > 1 && el("p", { class: "edited", text: "(edited)" }),
      ),
    );
  }

  /** @param {any} message @returns {Node[]} */
  #body(message) {
    if (!message.blocks.length) return [el("p", {}, this.texts.mrkdwn(message.text, true))];
    const press = (/** @type {any} */ button, /** @type {any} */ block) => this.press(message, button, block);
    return drawBlocks(message.blocks, { texts: this.texts, press });
  }
}

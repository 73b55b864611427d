// @ts-check
/** Drawing texts: mrkdwn and dates as elements, plain text as text. */

import { formatted } from "./dates.js";
import { el } from "./elements.js";
import { parse, read } from "./mrkdwn.js";

const TAGS = /** @type {Record<string, string>} */ ({ bold: "strong", italic: "em", strike: "s", quote: "blockquote" });
const HALF_DAYS = new Intl.DateTimeFormat(undefined, { hour: "numeric" }).resolvedOptions().hour12 === true;

export class Texts {
  /** @param {() => {places: any, now: () => number}} world who and what there is, and the time */
  constructor(world) {
    this.world = world;
  }

  /**
   * A text object of Slack's.
   * @param {{type: string, text: string, verbatim?: boolean}} text
   * @returns {Node}
   */
  object(text) {
    return text.type === "mrkdwn" ? this.mrkdwn(text.text, text.verbatim === true) : this.plain(text.text);
  }

  /** Plain text with its line breaks. @param {string} text */
  plain(text) {
    const drawn = document.createDocumentFragment();
    text.split("\n").forEach((line, number) => drawn.append(...(number ? [el("br"), line] : [line])));
    return drawn;
  }

  /** @param {string} text @param {boolean} verbatim */
  mrkdwn(text, verbatim) {
    const drawn = document.createDocumentFragment();
    drawn.append(...this.#parsed(text, verbatim).map((piece) => this.#draw(piece)));
    return drawn;
  }

  /** A text as a screen reader says it. @param {string} text */
  read(text) {
    return read(this.#parsed(text, true), (piece) => this.#word(piece));
  }

  /** A date in the format that Slack's messages use. @param {number} seconds @param {string} format */
  time(seconds, format) {
    return this.#date({ type: "date", seconds, format, fallback: "" });
  }

  /** Update every date that says how long ago it was. @param {ParentNode} root */
  tick(root) {
    for (const time of /** @type {NodeListOf<HTMLTimeElement>} */ (root.querySelectorAll("time[data-format]"))) {
      this.#say(time, Number(time.dataset.seconds), time.dataset.format ?? "");
    }
  }

  /** @param {string} text @param {boolean} verbatim */
  #parsed(text, verbatim) {
    const channels = Object.fromEntries(this.world().places.channels.map((/** @type {any} */ each) => [each.name, each.id]));
    return parse(text, { verbatim, channels });
  }

  /** @param {import("./mrkdwn.js").Piece} piece @returns {Node} */
  #draw(piece) {
    if (piece.children) return el(TAGS[piece.type], {}, ...piece.children.map((each) => this.#draw(each)));
    switch (piece.type) {
      case "text":
        return document.createTextNode(piece.text ?? "");
      case "break":
        return el("br");
      case "code":
        return el("code", { text: piece.text });
      case "pre":
        return el("pre", { text: piece.text });
      case "link":
        return el("a", { href: piece.href, rel: "noopener noreferrer", target: "_blank", text: piece.label });
      case "date":
        return piece.href
          ? el("a", { href: piece.href, rel: "noopener noreferrer", target: "_blank" }, this.#date(piece))
          : this.#date(piece);
      default:
        return el("span", { class: `mention ${piece.type}`, text: this.#word(piece) });
    }
  }

  /** @param {import("./mrkdwn.js").Piece} piece */
  #word(piece) {
    const { people, channels, app } = this.world().places;
    switch (piece.type) {
      case "user": {
        const person = people.find((/** @type {any} */ each) => each.id === piece.id);
        return `@${person?.handle ?? (piece.id === app.user ? app.name : piece.label || piece.id)}`;
      }
      case "channel":
        return `#${channels.find((/** @type {any} */ each) => each.id === piece.id)?.name ?? (piece.label || "private channel")}`;
      case "broadcast":
        return `@${piece.name}`;
      case "date":
        return formatted(piece.seconds ?? 0, piece.format ?? "", { now: this.world().now(), halfDays: HALF_DAYS });
      default:
        return piece.label ?? "";
    }
  }

  /** @param {import("./mrkdwn.js").Piece} piece */
  #date({ seconds = 0, format = "", fallback }) {
    const counts = format.includes("{ago}");
    const time = el("time", {
      datetime: new Date(seconds * 1000).toISOString(),
      title: fallback,
      data: counts ? { seconds, format } : {},
    });
    this.#say(time, seconds, format);
    return time;
  }

  /** @param {HTMLElement} time @param {number} seconds @param {string} format */
  #say(time, seconds, format) {
    const said = formatted(seconds, format, { now: this.world().now(), halfDays: HALF_DAYS });
    if (time.textContent !== said) time.textContent = said;
  }
}

// @ts-check
/** Whose view the page shows, and the channels that this person has. */

import { el, icon, keep } from "./elements.js";

/** The people whose view can be chosen. */
const PERSONAS = ["ana", "lis", "bob", "eve"];

export class Sidebar {
  /**
   * @param {HTMLElement} root
   * @param {{choosePerson: (user: string) => void, chooseChannel: (channel: string) => void}} choices
   */
  constructor(root, choices) {
    this.choices = choices;
    this.people = el("div", { class: "people" });
    this.channels = el("ul", { class: "channels" });
    this.direct = el("ul", { class: "channels" });
    root.append(
      el("fieldset", { class: "personas" }, el("legend", { text: "Look through the eyes of" }), this.people),
      el(
        "nav",
        { class: "places", "aria-label": "Channels" },
        el("h2", { class: "places-title", text: "Channels" }),
        this.channels,
        el("h2", { class: "places-title", text: "Direct messages" }),
        this.direct,
      ),
    );
  }

  /**
   * @param {any} places
   * @param {string} user
   * @param {string} channel
   * @param {(channel: string) => number} unread
   */
  draw(places, user, channel, unread) {
    const personas = places.people.filter((/** @type {any} */ each) => PERSONAS.includes(each.handle));
    const person = places.people.find((/** @type {any} */ each) => each.id === user);
    keep(this.people, personas, (each) => each.id, (each) => this.#persona(each), (label, each) => {
      label.querySelector("input").checked = each.id === user;
    });
    const place = (/** @type {any} */ button, /** @type {any} */ each) => renew(button.firstChild, each, channel, unread(each.id));
    const make = (/** @type {any} */ each) => el("li", {}, this.#place(each));
    keep(this.channels, places.channels.map((/** @type {any} */ each) => ({ ...each, sign: "#" })), (each) => each.id, make, place);
    keep(this.direct, [{ id: person.dm, name: places.app.name, sign: "" }], () => "direct", make, place);
  }

  /** @param {any} person */
  #persona(person) {
    return el(
      "label",
      { class: "persona" },
      el("input", { type: "radio", name: "persona", value: person.id, "aria-label": `${person.name}, ${person.part}`, on: { change: () => this.choices.choosePerson(person.id) } }),
      el("span", { class: `avatar ${person.handle}`, "aria-hidden": "true", text: person.name.slice(0, 1) }),
      el("span", { class: "persona-words" }, el("span", { class: "persona-name", text: person.name }), el("span", { class: "persona-part", text: person.part })),
    );
  }

  /** @param {any} place */
  #place(place) {
    return el(
      "button",
      { type: "button", class: "place", on: { click: (/** @type {any} */ event) => this.choices.chooseChannel(event.currentTarget.dataset.place) } },
      place.sign ? el("span", { class: "sign", text: place.sign }) : el("span", { class: "sign" }, icon("chat")),
      " ",
      el("span", { class: "place-name", text: place.name }),
      " ",
      el("span", { class: "count" }),
      el("span", { class: "unseen" }),
    );
  }
}

/** @param {HTMLElement} button @param {any} place @param {string} channel @param {number} unread */
function renew(button, place, channel, unread) {
  const here = place.id === channel;
  button.dataset.place = place.id;
  if (here) button.setAttribute("aria-current", "page");
  else button.removeAttribute("aria-current");
  button.classList.toggle("unread", unread > 0 && !here);
  const news = unread > 0 && !here ? [String(unread), " unread"] : ["", ""];
  [".count", ".unseen"].forEach((part, number) => {
    /** @type {HTMLElement} */ (button.querySelector(part)).textContent = news[number];
  });
}

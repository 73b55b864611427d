// @ts-check
/** On a narrow page one half is shown at a time: the workspace or the floor. */

import { el } from "./elements.js";

const HALVES = [
  { name: "workspace", label: "Workspace" },
  { name: "floor", label: "Floor" },
];

export class Halves {
  /** @param {HTMLElement} root @param {() => void} chosen called when somebody chooses a half, so that the story does not change it back */
  constructor(root, chosen) {
    this.buttons = HALVES.map(({ name, label }) =>
      el("button", { type: "button", class: "half", data: { name }, on: { click: () => (this.show(name), chosen()) } }, el("span", { text: label }), el("span", { class: "half-news" })),
    );
    root.append(...this.buttons);
    this.show("workspace");
  }

  /** @param {string} name */
  show(name) {
    document.body.dataset.half = name;
    for (const button of this.buttons) {
      if (button.dataset.name === name) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  /** Show the half in which the story is, unless the focus would be lost with the other one. @param {string} name */
  follow(name) {
    const used = HALVES.some((half) => half.name !== name && document.getElementById(half.name)?.contains(document.activeElement));
    if (!used) this.show(name);
  }

  /** Show on each button the news of the half that is hidden. @param {Record<string, string>} news */
  draw(news) {
    for (const button of this.buttons) {
      const said = /** @type {HTMLElement} */ (button.lastElementChild);
      const words = news[button.dataset.name] ?? "";
      if (said.textContent !== words) said.textContent = words;
    }
  }
}

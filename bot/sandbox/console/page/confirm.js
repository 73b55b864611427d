// @ts-check
/** The dialog of a button that asks first. */

import { el } from "./elements.js";

/**
 * Ask; the focus stays in the dialog until it is answered, and goes back to where it was.
 * @param {any} confirm Slack's confirm object
 * @param {import("./text.js").Texts} texts
 * @param {() => HTMLElement} instead where the focus goes if the element that had it is gone by then
 * @returns {Promise<boolean>}
 */
export function ask(confirm, texts, instead) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("confirm"));
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  const answer = (/** @type {string} */ value) => () => dialog.close(value);
  dialog.returnValue = "";
  dialog.replaceChildren(
    el("h2", { id: "confirm-title" }, texts.object(confirm.title)),
    el("p", { id: "confirm-text" }, texts.object(confirm.text)),
    el(
      "div",
      { class: "confirm-answers" },
      el("button", { type: "button", class: "button", text: confirm.deny.text, autofocus: true, on: { click: answer("no") } }),
      el("button", { type: "button", class: `button ${confirm.style ?? "primary"}`, text: confirm.confirm.text, on: { click: answer("yes") } }),
    ),
  );
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        // If the browser could not restore the focus, it is still on the answer, which is hidden now.
        const lost = document.activeElement === document.body || dialog.contains(document.activeElement);
        if (lost) (before?.isConnected && before !== document.body ? before : instead()).focus({ preventScroll: true });
        resolve(dialog.returnValue === "yes");
      },
      { once: true },
    );
  });
}

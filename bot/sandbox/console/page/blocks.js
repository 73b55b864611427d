// @ts-check
/** Drawing the blocks of a message as Slack draws them (Block Kit reference); what is not known here says so. */

import { el } from "./elements.js";

/**
 * @typedef {{texts: import("./text.js").Texts, press: (button: any, block: any, element: HTMLElement) => void}} Drawing
 */

/**
 * All blocks of a message.
 * @param {any[]} blocks
 * @param {Drawing} drawing
 * @returns {HTMLElement[]}
 */
export function drawBlocks(blocks, drawing) {
  return blocks.map((block) => (Object.hasOwn(DRAWN, block.type) ? DRAWN[block.type] : unknown)(block, drawing));
}

/** @type {Record<string, (block: any, drawing: Drawing) => HTMLElement>} */
const DRAWN = {
  header: (block, { texts }) => el("h3", { class: "block header" }, texts.object(block.text)),
  section,
  context: (block, drawing) =>
    el("div", { class: "block context" }, ...block.elements.map((/** @type {any} */ each) => contextual(each, drawing))),
  actions: (block, drawing) =>
    el("div", { class: "block actions" }, ...block.elements.map((/** @type {any} */ each) => button(each, block, drawing))),
  divider: () => el("hr", { class: "block divider" }),
  image: (block) => described(block),
  markdown: (block, { texts }) => el("div", { class: "block section" }, texts.plain(block.text)),
};

/** @param {any} block @param {Drawing} drawing */
function section(block, drawing) {
  const { texts } = drawing;
  const words = el("div", { class: "section-words" });
  if (block.text) words.append(el("p", {}, texts.object(block.text)));
  if (block.fields) {
    words.append(el("ul", { class: "fields" }, ...block.fields.map((/** @type {any} */ each) => el("li", {}, texts.object(each)))));
  }
  const accessory = block.accessory && (block.accessory.type === "button" ? button(block.accessory, block, drawing) : described(block.accessory));
  return el("div", { class: "block section" }, words, accessory);
}

/** @param {any} element @param {Drawing} drawing */
function contextual(element, { texts }) {
  return element.type === "image" ? described(element) : el("p", {}, texts.object(element));
}

/** @param {any} element @param {any} block @param {Drawing} drawing */
function button(element, block, { press }) {
  return el("button", {
    type: "button",
    class: `button ${element.style ?? ""}`.trim(),
    text: element.text.text,
    "aria-label": element.accessibility_label,
    "aria-haspopup": element.confirm ? "dialog" : null,
    data: { action: element.action_id, block: block.block_id },
    on: { click: (/** @type {Event} */ event) => press(element, block, /** @type {HTMLElement} */ (event.currentTarget)) },
  });
}

/** Nothing is fetched from elsewhere, so an image is what it says of itself. @param {any} image */
function described(image) {
  return el("p", { class: "block image", text: `Image: ${image.alt_text}` });
}

/** @param {any} block */
function unknown(block) {
  return el("p", { class: "block image", text: `A block of type ${block.type}, which this page does not draw.` });
}

// @ts-check
/** Drawing the blocks of a message as Slack draws them (Block Kit reference); an unknown block says that it is unknown. */

import { el } from "./elements.js";

/**
 * @typedef {{texts: import("./text.js").Texts, press: (button: any, block: any) => void}} Drawing
 */

/**
 * All blocks of a message.
 * @param {any[]} blocks
 * @param {Drawing} drawing
 * @returns {HTMLElement[]}
 */
export function drawBlocks(blocks, drawing) {
  return blocks.map((block) => (Object.hasOwn(DRAWN, block.type) ? DRAWN[block.type](block, drawing) : unknown(block)));
}

/** @type {Record<string, (block: any, drawing: Drawing) => HTMLElement>} */
const DRAWN = {
  header: (block, { texts }) => el("h3", { class: "block header" }, texts.object(block.text)),
  section,
  context: (block, drawing) =>
    el("div", { class: "block context" }, ...block.elements.map((/** @type {any} */ each) => contextual(each, drawing))),
  actions: (block, drawing) =>
    el("div", { class: "block actions" }, ...block.elements.map((/** @type {any} */ each) => element(each, block, drawing))),
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
  return el("div", { class: "block section" }, words, block.accessory && element(block.accessory, block, drawing));
}

/** A button, an image, or a note that the element is not drawn here. @param {any} each @param {any} block @param {Drawing} drawing */
function element(each, block, drawing) {
  if (each.type === "button") return button(each, block, drawing);
  return each.type === "image" ? described(each) : unknown(each, "An element");
}

/** @param {any} each @param {Drawing} drawing */
function contextual(each, { texts }) {
  return each.type === "image" ? described(each) : el("p", {}, texts.object(each));
}

/** @param {any} each @param {any} block @param {Drawing} drawing */
function button(each, block, { press }) {
  return el("button", {
    type: "button",
    class: `button ${each.style ?? ""}`.trim(),
    text: each.text.text,
    "aria-label": each.accessibility_label,
    "aria-haspopup": each.confirm ? "dialog" : null,
    data: { action: each.action_id, block: block.block_id },
    on: { click: () => press(each, block) },
  });
}

/** Nothing is fetched from elsewhere, so an image is drawn as its alternative text. @param {any} image */
function described(image) {
  return el("p", { class: "block image", text: `Image: ${image.alt_text}` });
}

/** @param {any} part @param {string} [what] */
function unknown(part, what = "A block") {
  return el("p", { class: "block image", text: `${what} of type ${part.type}, which this page does not draw.` });
}

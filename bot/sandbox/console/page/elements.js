// @ts-check
/** Building the page: elements, texts and icons, never markup from strings. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element. Attributes: `class`, `text`, `on` (listeners by event), `data` and plain attributes; false and null are left out.
 * @param {string} name
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any}
 */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (key === "data") {
      for (const [datum, content] of Object.entries(value)) element.dataset[datum] = String(content);
    } else if (key === "text") element.textContent = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const HANDSET =
  "M8.1 4.1 5.600 4.500C4.700 4.700 4 5.500 4.100 6.400 4.800 13.600 10.400 19.200 17.600 19.900c.9.100 1.700-.6 1.900-1.500l.4-2.500c.1-.8-.3-1.500-1-1.800l-2.900-1.200c-.6-.3-1.400-.1-1.900.4l-1.100 1.300a12 12 0 0 1-4.600-4.600l1.300-1.100c.5-.5.7-1.200.4-1.900L8.900 5.100C8.600 4.400 8.900 4 8.100 4.100z";

/** Outlines of 24 by 24; the second part says whether they are filled. @type {Record<string, [string, boolean]>} */
const ICONS = {
  handset: [HANDSET, true],
  pause: ["M7 5h3.500v14H7zM13.500 5H17v14h-3.500z", true],
  record: ["M12 6a6 6 0 1 0 0 12 6 6 0 0 0 0-12z", true],
  ear: ["M8 9.500a4.500 4.500 0 1 1 8.200 2.600c-1.300 1.800-2.700 2.400-2.700 4.400 0 1.700-1.200 3-2.800 3-1.500 0-2.700-1.200-2.700-2.700M10.800 10a1.800 1.800 0 1 1 2.400 1.700", false],
  eye: ["M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12zM12 9.200a2.800 2.800 0 1 0 0 5.600 2.800 2.800 0 0 0 0-5.600z", false],
  send: ["M4 4.500 20.500 12 4 19.500l2.300-7.500zM6.300 12h7", false],
  plus: ["M12 5v14M5 12h14", false],
  again: ["M19.500 12a7.500 7.500 0 1 1-2.400-5.500M19.500 3.500v4.200h-4.200", false],
  play: ["M7.5 4.5v15l12-7.500z", true],
  stop: ["M6.500 6.500h11v11h-11z", true],
  moon: ["M20 14.500A8.500 8.500 0 0 1 9.500 4 8.500 8.500 0 1 0 20 14.500z", false],
  sun: ["M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.500v2.500M12 19v2.500M2.500 12H5M19 12h2.500M5.300 5.300 7 7M17 17l1.700 1.700M5.300 18.700 7 17M17 7l1.700-1.700", false],
  screen: ["M3.500 5h17v11.500h-17zM9 20h6M12 16.500V20", false],
  sound: ["M4 9.500v5h3.500L12 18.500v-13L7.500 9.500zM15.500 9a4 4 0 0 1 0 6M18 6.500a8 8 0 0 1 0 11", false],
  quiet: ["M4 9.500v5h3.500L12 18.500v-13L7.500 9.500zM16 9.500l5 5M21 9.500l-5 5", false],
  warning: ["M12 3.500 22 20.500H2zM12 10v5M12 17.300v.4", false],
  chat: ["M4 5h16v11.500H11L6.500 20v-3.500H4z", false],
};

/**
 * An icon beside words. Screen readers skip it.
 * @param {string} name
 * @returns {SVGElement}
 */
export function icon(name) {
  const [outline, filled] = ICONS[name];
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", filled ? "icon filled" : "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", outline);
  svg.append(path);
  return svg;
}

/**
 * Update the children of a parent from a list. An element whose key stays is kept, and so is the focus.
 * If the focused element is removed, the focus moves to the parent.
 * @template T
 * @param {HTMLElement} parent
 * @param {T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => HTMLElement} make
 * @param {(element: any, item: T) => void} [update]
 */
export function keep(parent, items, keyOf, make, update) {
  /** @type {Map<string | undefined, HTMLElement>} */
  const known = new Map([...parent.children].map((child) => [/** @type {HTMLElement} */ (child).dataset.key, /** @type {HTMLElement} */ (child)]));
  const focused = /** @type {HTMLElement | null} */ (parent.contains(document.activeElement) ? document.activeElement : null);
  const wanted = new Set(items.map(keyOf));
  // Remove first: otherwise everything behind a removed element would move, and a moved element loses the focus.
  for (const child of [...parent.children]) if (!wanted.has(/** @type {HTMLElement} */ (child).dataset.key ?? "")) child.remove();
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let element = known.get(key);
    if (!element) {
      element = make(item);
      element.dataset.key = key;
    }
    if (update) update(element, item);
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  if (!focused || document.activeElement !== document.body) return;
  const next = focused.isConnected ? focused : /** @type {HTMLElement | null} */ (parent.closest("[tabindex]"));
  next?.focus({ preventScroll: true });
}

// @ts-check
/** What the browser keeps for the page. Where it may keep nothing (site data blocked), the page goes on without. */

/**
 * What was kept under a name; null: nothing, or nothing may be kept.
 * @param {"localStorage" | "sessionStorage"} where
 * @param {string} name
 */
export function kept(where, name) {
  try {
    return window[where].getItem(name);
  } catch {
    return null;
  }
}

/**
 * Keep a text under a name; whether it is kept.
 * @param {"localStorage" | "sessionStorage"} where
 * @param {string} name
 * @param {string} text
 */
export function keepAs(where, name, text) {
  try {
    window[where].setItem(name, text);
    return true;
  } catch {
    return false;
  }
}

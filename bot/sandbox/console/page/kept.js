// @ts-check
/** What the browser stores for the page. If it may store nothing (site data blocked), the page works without. */

/**
 * The text stored under a name; null if there is none, or nothing may be stored.
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
 * Store a text under a name. Returns whether it was stored.
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

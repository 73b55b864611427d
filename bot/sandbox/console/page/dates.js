// @ts-check
/** Slack's dates (`<!date^…>`, "Formatting message text") on the reader's own clock, and how long ago something was. Pure. */

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/**
 * A format with its tokens filled in; unknown tokens stay as they are.
 * @param {number} seconds since 1970
 * @param {string} format
 * @param {{now: number, halfDays?: boolean}} reader `now` in milliseconds since 1970; `halfDays`: 6:39 PM, not 18:39
 */
export function formatted(seconds, format, { now, halfDays = false }) {
  const at = new Date(seconds * 1000);
  const known = tokens(at, new Date(now), halfDays);
  return format.replace(/\{(\w+)\}/g, (token, name) => (Object.hasOwn(known, name) ? known[name]() : token));
}

/**
 * @param {Date} at
 * @param {Date} now
 * @param {boolean} halfDays
 * @returns {Record<string, () => string>}
 */
function tokens(at, now, halfDays) {
  const day = at.getDate();
  const month = MONTHS[at.getMonth()];
  const year = at.getFullYear();
  const short = `${month.slice(0, 3)} ${day}, ${year}`;
  const long = `${month} ${ordinal(day)}, ${year}`;
  const pretty = (/** @type {string} */ otherwise) => near(at, now) ?? otherwise;
  return {
    date_num: () => `${year}-${two(at.getMonth() + 1)}-${two(day)}`,
    date: () => long,
    date_short: () => short,
    date_long: () => `${DAYS[at.getDay()]}, ${long}`,
    date_pretty: () => pretty(long),
    date_short_pretty: () => pretty(short),
    date_long_pretty: () => pretty(`${DAYS[at.getDay()]}, ${long}`),
    time: () => clock(at, halfDays, false),
    time_secs: () => clock(at, halfDays, true),
    ago: () => ago(now.getTime() - at.getTime()),
  };
}

/**
 * A time of day.
 * @param {Date} at
 * @param {boolean} halfDays
 * @param {boolean} withSeconds
 */
export function clock(at, halfDays, withSeconds) {
  const hours = at.getHours();
  const rest = `${two(at.getMinutes())}${withSeconds ? `:${two(at.getSeconds())}` : ""}`;
  return halfDays ? `${hours % 12 || 12}:${rest} ${hours < 12 ? "AM" : "PM"}` : `${two(hours)}:${rest}`;
}

/**
 * How long ago something was, or when it will be.
 * @param {number} milliseconds
 */
export function ago(milliseconds) {
  const seconds = Math.floor(Math.abs(milliseconds) / 1000);
  if (seconds < 1) return "just now";
  const [size, unit] = seconds < 60 ? [1, "second"] : seconds < 3600 ? [60, "minute"] : seconds < 86400 ? [3600, "hour"] : [86400, "day"];
  const number = Math.floor(seconds / /** @type {number} */ (size));
  const length = `${number} ${unit}${number === 1 ? "" : "s"}`;
  return milliseconds < 0 ? `in ${length}` : `${length} ago`;
}

/**
 * How long something has lasted, as a phone shows it: 0:07, 12:30, 1:02:03.
 * @param {number} milliseconds
 */
export function lasting(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/**
 * Yesterday, today, tomorrow; null for any other day.
 * @param {Date} at
 * @param {Date} now
 */
function near(at, now) {
  const midnight = (/** @type {Date} */ day) => new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime();
  const days = Math.round((midnight(at) - midnight(now)) / 86_400_000);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days] ?? null;
}

/** @param {number} number */
function ordinal(number) {
  const ending = number % 100 > 10 && number % 100 < 14 ? "th" : (["th", "st", "nd", "rd"][number % 10] ?? "th");
  return `${number}${ending}`;
}

/** @param {number} number */
function two(number) {
  return String(number).padStart(2, "0");
}

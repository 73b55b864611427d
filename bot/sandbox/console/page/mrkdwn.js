// @ts-check
/**
 * Slack's mrkdwn as a tree ("Formatting message text", docs.slack.dev). Pure; `text.js` draws the result.
 *
 * Control sequences (`<@U…>`, `<#C…>`, `<!date^…>`, `<https://…|…>`) are read first and are one piece each; then code,
 * then `*bold*`, `_italic_` and `~strike~`, whose marks stand at the edges of words and on one line; a line that begins
 * with `>` is a quote. The three escapes are undone last, once. Emoji shortcodes are shown as they are written.
 *
 * @typedef {{type: string, text?: string, children?: Piece[], id?: string, label?: string, href?: string, name?: string,
 *            seconds?: number, format?: string, fallback?: string}} Piece
 */

const MARKS = /** @type {Record<string, string>} */ ({ "*": "bold", _: "italic", "~": "strike" });
const LINKED = /^(?:https?:\/\/|mailto:|tel:)/i;
const WORD = /[\p{L}\p{N}_]/u;
const BARE = /https?:\/\/[^\s<>|]+[^\s<>|.,;:!?'")\]]|(?<![\w&])[#@][a-z0-9][a-z0-9._-]*/giu;
const BROADCASTS = ["here", "channel", "everyone"];

/**
 * Read a text. `verbatim`: bare addresses, #channels and @here stay text, as in Slack's text objects.
 * @param {string} source
 * @param {{verbatim?: boolean, channels?: Record<string, string>}} [options] `channels`: ids by name
 * @returns {Piece[]}
 */
export function parse(source, options = {}) {
  /** @type {Piece[]} */
  const pieces = [];
  const lines = source.split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    if (pieces.length && pieces[pieces.length - 1].type !== "quote") pieces.push({ type: "break" });
    const opened = lines[at].indexOf("```");
    if (opened >= 0) {
      const rest = lines.slice(at).join("\n");
      const closed = rest.indexOf("```", opened + 3);
      if (closed > opened + 3) {
        pieces.push(...inline(rest.slice(0, opened), options), { type: "pre", text: unescaped(rest.slice(opened + 3, closed).replace(/^\n|\n$/g, "")) });
        const after = rest.slice(closed + 3);
        return after.trim() ? [...pieces, ...parse(after.replace(/^\n/, ""), options)] : pieces;
      }
    }
    const quote = /^(?:>|&gt;) ?/.exec(lines[at]);
    if (!quote) pieces.push(...inline(lines[at], options));
    else {
      const said = inline(lines[at].slice(quote[0].length), options);
      const last = pieces[pieces.length - 1];
      if (last?.type === "quote") last.children?.push({ type: "break" }, ...said);
      else {
        if (last?.type === "break") pieces.pop();
        pieces.push({ type: "quote", children: said });
      }
    }
  }
  return pieces;
}

/**
 * One line.
 * @param {string} source
 * @param {{verbatim?: boolean, channels?: Record<string, string>}} options
 * @param {string} [within] the marks that are open already
 * @returns {Piece[]}
 */
function inline(source, options, within = "") {
  /** @type {Piece[]} */
  const pieces = [];
  let plain = "";
  const flush = () => {
    pieces.push(...bare(plain, options));
    plain = "";
  };
  for (let at = 0; at < source.length; ) {
    const length = span(source, at);
    const mark = source[at];
    if (length > 1) {
      flush();
      pieces.push(mark === "<" ? control(source.slice(at + 1, at + length - 1)) : { type: "code", text: unescaped(source.slice(at + 1, at + length - 1)) });
      at += length;
      continue;
    }
    const end = MARKS[mark] && !within.includes(mark) ? closing(source, at) : -1;
    if (end > 0) {
      flush();
      pieces.push({ type: MARKS[mark], children: inline(source.slice(at + 1, end), options, within + mark) });
      at = end + 1;
    } else {
      plain += mark;
      at += 1;
    }
  }
  flush();
  return pieces;
}

/**
 * How many characters belong together from here: a control sequence, a piece of code, or one.
 * @param {string} source
 * @param {number} at
 */
function span(source, at) {
  const closes = /** @type {Record<string, string>} */ ({ "<": ">", "`": "`" })[source[at]];
  const end = closes ? source.indexOf(closes, at + 1) : -1;
  return end > at + 1 ? end - at + 1 : 1;
}

/**
 * The position where the mark that opens here closes; -1 if it does not close.
 * @param {string} source
 * @param {number} open
 */
function closing(source, open) {
  const mark = source[open];
  const isWord = (/** @type {string | undefined} */ character) => character !== undefined && WORD.test(character);
  if (isWord(source[open - 1]) || source[open - 1] === mark || /\s|^$/.test(source[open + 1] ?? "")) return -1;
  for (let at = open + 1; at < source.length; at += span(source, at)) {
    const closes = source[at] === mark && at > open + 1 && !/\s/.test(source[at - 1]);
    if (closes && !isWord(source[at + 1]) && source[at + 1] !== mark) return at;
  }
  return -1;
}

/**
 * What stands between `<` and `>`.
 * @param {string} inside
 * @returns {Piece}
 */
function control(inside) {
  const bar = inside.indexOf("|");
  const [target, label] = bar < 0 ? [inside, ""] : [inside.slice(0, bar), unescaped(inside.slice(bar + 1))];
  if (/^@[UW]\w+$/.test(target)) return { type: "user", id: target.slice(1), label };
  if (/^#C\w+$/.test(target)) return { type: "channel", id: target.slice(1), label };
  if (target.startsWith("!date^")) return date(target, label);
  if (/^!(here|channel|everyone)$/.test(target)) return { type: "broadcast", name: target.slice(1) };
  if (target.startsWith("!subteam^")) return { type: "broadcast", name: label.replace(/^@/, "") || "group" };
  if (LINKED.test(target)) return { type: "link", href: unescaped(target), label: label || unescaped(target).replace(/^(mailto|tel):/i, "") };
  return { type: "text", text: label || unescaped(`<${inside}>`) };
}

/**
 * `!date^SECONDS^FORMAT^LINK`, and what stands for it where it cannot be shown.
 * @param {string} target
 * @param {string} fallback
 * @returns {Piece}
 */
function date(target, fallback) {
  const [, seconds, format, href] = target.split("^");
  if (!/^\d{1,12}$/.test(seconds ?? "") || !format) return { type: "text", text: fallback };
  const link = href && LINKED.test(href) ? unescaped(href) : undefined;
  return { type: "date", seconds: Number(seconds), format: unescaped(format), fallback, href: link };
}

/**
 * Text without marks. Verbatim text stays plain text.
 * @param {string} source
 * @param {{verbatim?: boolean, channels?: Record<string, string>}} options
 * @returns {Piece[]}
 */
function bare(source, options) {
  /** @type {Piece[]} */
  const pieces = [];
  let end = 0;
  for (const found of options.verbatim ? [] : source.matchAll(BARE)) {
    const piece = linked(found[0], options.channels ?? {});
    if (!piece) continue;
    if (found.index > end) pieces.push({ type: "text", text: unescaped(source.slice(end, found.index)) });
    pieces.push(piece);
    end = found.index + found[0].length;
  }
  if (end < source.length) pieces.push({ type: "text", text: unescaped(source.slice(end)) });
  return pieces;
}

/**
 * How Slack links an address or a name in text that is not verbatim.
 * @param {string} found
 * @param {Record<string, string>} channels
 * @returns {Piece | null}
 */
function linked(found, channels) {
  const name = found.slice(1);
  if (found.startsWith("#")) return Object.hasOwn(channels, name) ? { type: "channel", id: channels[name], label: name } : null;
  if (found.startsWith("@")) return BROADCASTS.includes(name) ? { type: "broadcast", name } : null;
  return { type: "link", href: unescaped(found), label: unescaped(found) };
}

/**
 * Undo the three escapes that Slack knows, once.
 * @param {string} text
 */
export function unescaped(text) {
  return text.replace(/&(lt|gt|amp);/g, (_, name) => ({ lt: "<", gt: ">", amp: "&" })[/** @type {"lt"|"gt"|"amp"} */ (name)]);
}

/**
 * A text as a screen reader says it: without marks, people and channels by their names.
 * @param {Piece[]} pieces
 * @param {(piece: Piece) => string} say what to say of people, channels and dates
 * @returns {string}
 */
export function read(pieces, say) {
  return pieces.map((piece) => (piece.children ? read(piece.children, say) : piece.type === "break" ? "\n" : (piece.text ?? say(piece)))).join("");
}

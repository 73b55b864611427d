import assert from "node:assert/strict";
import { test } from "node:test";

import { parse, read, unescaped } from "../../../../bot/sandbox/console/page/mrkdwn.js";

const text = (words) => ({ type: "text", text: words });
const CHANNELS = { alerts: "C0ALERTS" };

/** What a text is read as, and what is made of it. */
const READ = [
  ["plain", [text("plain")]],
  ["*bold*", [{ type: "bold", children: [text("bold")] }]],
  ["_slanted_", [{ type: "italic", children: [text("slanted")] }]],
  ["~gone~", [{ type: "strike", children: [text("gone")] }]],
  ["*a _b_ c*", [{ type: "bold", children: [text("a "), { type: "italic", children: [text("b")] }, text(" c")] }]],
  ["`*code*`", [{ type: "code", text: "*code*" }]],
  ["`a &lt;b`", [{ type: "code", text: "a <b" }]],
  ["```one\n*two*```", [{ type: "pre", text: "one\n*two*" }]],
  ["a\nb", [text("a"), { type: "break" }, text("b")]],
  ["&gt; said\n&gt; more\nafter", [{ type: "quote", children: [text("said"), { type: "break" }, text("more")] }, text("after")]],
  ["<@U0BOB>", [{ type: "user", id: "U0BOB", label: "" }]],
  ["<@U0BOB|bob>", [{ type: "user", id: "U0BOB", label: "bob" }]],
  ["<#C0ALERTS>", [{ type: "channel", id: "C0ALERTS", label: "" }]],
  ["<!here>", [{ type: "broadcast", name: "here" }]],
  ["<https://example.com/a?b=1&amp;c=2|see>", [{ type: "link", href: "https://example.com/a?b=1&c=2", label: "see" }]],
  ["<https://example.com>", [{ type: "link", href: "https://example.com", label: "https://example.com" }]],
  ["<tel:+15550142|+15550142>", [{ type: "link", href: "tel:+15550142", label: "+15550142" }]],
  ["<!date^1392734382^{time_secs}|14:39:42 UTC>", [{ type: "date", seconds: 1392734382, format: "{time_secs}", fallback: "14:39:42 UTC", href: undefined }]],
  ["*<@U0BOB>*", [{ type: "bold", children: [{ type: "user", id: "U0BOB", label: "" }] }]],
];

for (const [source, pieces] of READ) {
  test(`${JSON.stringify(source)} is read as Slack reads it`, () => assert.deepEqual(parse(source, { verbatim: true }), pieces));
}

/** What looks like markup and is none. */
const TEXT = [
  ["0003*210 and 0003*211", "0003*210 and 0003*211"],
  ["snake_case_name", "snake_case_name"],
  ["2*3* is 6", "2*3* is 6"],
  ["*a*b c", "*a*b c"],
  ["* not bold *", "* not bold *"],
  ["*", "*"],
  ["**", "**"],
  ["*open", "*open"],
  ["*one\ntwo*", null],
  ["a < b > c", null],
  ["&lt;@U0BOB&gt;", "<@U0BOB>"],
  ["&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"],
  ["&amp;lt;", "&lt;"],
  ["&quot;", "&quot;"],
  ["#alerts https://example.com @here", "#alerts https://example.com @here"],
  [":tada:", ":tada:"],
];

for (const [source, shown] of TEXT) {
  test(`${JSON.stringify(source)} formats nothing where it is verbatim`, () => {
    const pieces = parse(source, { verbatim: true, channels: CHANNELS });
    assert.ok(pieces.every((piece) => piece.type === "text" || piece.type === "break"), JSON.stringify(pieces));
    if (shown !== null) assert.deepEqual(pieces, [text(shown)]);
  });
}

for (const target of ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "vbscript:x", " https://example.com"]) {
  test(`${target} is never an address to follow`, () => {
    assert.deepEqual(parse(`<${target}|click>`, { verbatim: true }).map((piece) => [piece.type, piece.href]), [["text", undefined]]);
  });
}

test("a date links only where an address may lead", () => {
  const [good, bad] = ["https://example.com", "javascript:alert(1)"].map((href) => parse(`<!date^1^{time}^${href}|x>`)[0]);
  assert.deepEqual([good.href, bad.href], ["https://example.com", undefined]);
});

test("a date that is none shows what stands for it", () => assert.deepEqual(parse("<!date^soon^{time}|later>"), [text("later")]));

test("a bare address is a link where the text is not verbatim, without the full stop after it", () => {
  assert.deepEqual(parse("see https://example.com/a."), [text("see "), { type: "link", href: "https://example.com/a", label: "https://example.com/a" }, text(".")]);
});

test("a channel that exists is linked by its name, another is not", () => {
  assert.deepEqual(parse("#alerts #nowhere", { channels: CHANNELS }), [{ type: "channel", id: "C0ALERTS", label: "alerts" }, text(" #nowhere")]);
});

test("names of what every object has are no channels", () => assert.deepEqual(parse("#constructor", { channels: CHANNELS }), [text("#constructor")]));

test("@here notifies where the text is not verbatim, an address of mail does not", () => {
  assert.deepEqual(parse("@here me@here.example").map((piece) => piece.type), ["broadcast", "text"]);
});

test("escapes are undone once", () => assert.equal(unescaped("&amp;lt; &lt; &gt;"), "&lt; < >"));

test("a text is read out without its marks", () => {
  assert.equal(read(parse("*Ana* is on <@U0BOB>'s call\nnow"), (piece) => `@${piece.id}`), "Ana is on @U0BOB's call\nnow");
});

test("no character is lost, whatever is written", () => {
  const signs = ["*", "_", "~", "`", "<", ">", "&", "a", " ", "|", "!", "\n"];
  let seed = 7;
  for (let round = 0; round < 3000; round += 1) {
    let source = "";
    for (let at = 0; at < 14; at += 1) {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      source += signs[seed % signs.length];
    }
    const letters = read(parse(source, { verbatim: true }), (piece) => piece.label ?? "").replace(/[^a]/g, "");
    assert.ok(letters.length <= source.replace(/[^a]/g, "").length, source);
    if (!source.includes("<")) assert.equal(letters.length, source.replace(/[^a]/g, "").length, source);
  }
});

test("the longest text that Slack takes is read in no time", () => {
  const started = performance.now();
  for (const hostile of ["*a ".repeat(1000), "<".repeat(3000), "_*~".repeat(1000), "`".repeat(3000), "&gt;".repeat(750)]) parse(hostile);
  assert.ok(performance.now() - started < 1000);
});

// @ts-check
/** The page: messages of the demo update the state, the state is drawn, and what people do is sent to the demo. */

import { Composer } from "./composer.js";
import { ask } from "./confirm.js";
import { Connection, takeToken } from "./connection.js";
import { el } from "./elements.js";
import { Floor } from "./floor.js";
import { Halves } from "./halves.js";
import { Messages } from "./messages.js";
import { news } from "./phones.js";
import { Sidebar } from "./sidebar.js";
import { merge, seenBy, unread } from "./store.js";
import { Story } from "./story.js";
import { Texts } from "./text.js";
import { Top } from "./top.js";
import { View } from "./view.js";

const MOST_SAID = 300;
const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

/** @type {import("./store.js").State | null} */
let state = null;
let ahead = 0;
const now = () => Date.now() + ahead;
const view = new View();
const texts = new Texts(() => ({ places: state?.places ?? { people: [], channels: [], app: {} }, now }));
const connection = new Connection(takeToken(), { told, trouble: (what) => top.drawConnection(what) });
const top = new Top(() => void connection.post("bot", { do: "restart" }));
const halves = new Halves(byId("halves"), () => ((view.following = false), draw()));
const story = new Story(byId("story"), (act) => void connection.post("story", { do: act }));
const sidebar = new Sidebar(byId("sidebar"), {
  choosePerson: (user) => (view.choosePerson(user), draw()),
  chooseChannel: (channel) => (view.chooseChannel(channel), draw(), composer.box.focus({ preventScroll: true })),
});
const messages = new Messages(byId("log"), { texts, press: (message, button, block) => void press(message, button, block) });
const composer = new Composer(byId("composer"), send, takeOver);
const floor = new Floor(byId("floor"), { hand: (fields) => problem("phone", fields), ring: (to) => problem("ring", { to }), now });

/** @param {any} message as `interface.md` describes it */
function told(message) {
  const before = state;
  const merged = merge(state, message);
  document.body.classList.remove("loading");
  state = merged.state;
  ahead = state.now - Date.now();
  view.begin(state, before === null);
  const scene = state.story.scene;
  if (merged.parts.has("story")) view.follow(state.story);
  if (merged.parts.has("story") && view.following && scene) halves.follow(scene.phone ? "floor" : "workspace");
  draw();
  if (before) announce(before, merged.changed);
}

/** Draw what has changed. */
function draw() {
  if (!state) return;
  const { places } = state;
  const channel = view.channelId(places);
  if (!document.hidden) view.saw(channel, seenBy(state, view.user, channel));
  const count = (/** @type {string} */ each) => unread(/** @type {any} */ (state), view.user, each, view.seenUntil(each));
  sidebar.draw(places, view.user, channel, count);
  const place = placeOf(channel);
  byId("log").setAttribute("aria-label", place.name);
  drawHead(place);
  messages.draw(`${view.user} ${channel}`, seenBy(state, view.user, channel), places, empty(place));
  drawElsewhere(channel, count);
  composer.draw(view.user, { commands: places.commands, people: places.people, channels: places.channels }, place.direct ? "Type / for what callbot can do" : `Message ${place.name}, or type / for callbot`);
  floor.draw(state.floor.phones, state.story.scene?.phone ?? null);
  story.draw(state.story);
  top.drawBot(state.bot);
  const ringing = state.floor.phones.filter((/** @type {any} */ each) => each.state === "ringing").length;
  top.ringing.set(ringing > 0);
  halves.draw({ floor: ringing ? "ringing" : "" });
  drawScene(channel);
}

/** @param {string} channel */
function drawScene(channel) {
  const scene = view.following ? state?.story.scene : null;
  const here = scene && scene.user === view.user && scene.channel === channel;
  if (view.played !== (here ? (scene.typing ?? null) : null)) {
    view.played = here ? (scene.typing ?? null) : null;
    composer.play(view.played, STILL.matches);
  }
  messages.point(here ? scene.press : null);
}

/** @param {string} channel */
function placeOf(channel) {
  const found = state?.places.channels.find((/** @type {any} */ each) => each.id === channel);
  return found ? { name: `#${found.name}`, direct: false } : { name: state?.places.app.name, direct: true };
}

/** @param {{name: string, direct: boolean}} place */
function drawHead(place) {
  const person = state?.places.people.find((/** @type {any} */ each) => each.id === view.user);
  const about = place.direct ? `Direct messages between ${person.name} and callbot` : "Ana, Lis, Bob, Dan, Eve and callbot are here";
  const head = byId("place");
  const key = `${view.user} ${place.name}`;
  if (head.dataset.key === key) return;
  head.dataset.key = key;
  head.replaceChildren(el("h2", { text: place.name }), el("p", { class: "muted", text: about }));
}

/** @param {{name: string, direct: boolean}} place */
function empty(place) {
  const advice = place.direct
    ? "Cards of Monitor and Whisper come here, where no agent reads them."
    : place.name === "#alerts"
      ? "When a phone rings for longer than five seconds, callbot says so here."
      : "Type /calls to see the live calls, or /monitor @bob while Bob is on a call.";
  return el("div", { class: "empty" }, el("p", { class: "empty-title", text: place.name }), el("p", { text: advice }));
}

/** Announce that there is something new in another place. @param {string} channel @param {(channel: string) => number} count */
function drawElsewhere(channel, count) {
  const all = [...(state?.places.channels ?? []).map((/** @type {any} */ each) => each.id), view.direct(state?.places)];
  const other = state?.story.state === "playing" && view.following ? undefined : all.find((each) => each !== channel && count(each) > 0);
  const root = byId("elsewhere");
  const key = other ? `${other} ${count(other)}` : "";
  if (root.dataset.key === key) return;
  root.dataset.key = key;
  const name = other ? placeOf(other).name : "";
  const go = () => (view.chooseChannel(/** @type {string} */ (other)), draw(), byId("log").focus({ preventScroll: true }));
  const focused = root.contains(document.activeElement);
  root.replaceChildren(...(other ? [el("button", { type: "button", class: "button elsewhere-button", on: { click: go } }, `New in ${name}`, el("b", { text: "Show" }))] : []));
  if (focused) (root.querySelector("button") ?? byId("log")).focus({ preventScroll: true });
}

/**
 * Announce what is new to people who use a screen reader.
 * @param {import("./store.js").State} before
 * @param {import("./store.js").Message[]} changed
 */
function announce(before, changed) {
  const { places, floor: seen } = /** @type {import("./store.js").State} */ (state);
  const mine = changed.filter((each) => (each.only_for ?? view.user) === view.user && (!each.channel.startsWith("D") || each.channel === view.direct(places)));
  const phones = new Map(before.floor.phones.map((/** @type {any} */ each) => [each.number, each]));
  const said = [
    ...mine.map((each) => `${each.only_for ? "Only visible to you" : placeOf(each.channel).name}: ${texts.read(each.text).slice(0, MOST_SAID)}`),
    ...seen.phones.map((/** @type {any} */ each) => news(phones.get(each.number), each)).filter(Boolean),
  ];
  if (said.length) byId("said").replaceChildren(...said.map((each) => el("p", { text: each })));
}

/** Somebody does something: the story stops at once and gives the message box back. */
function takeOver() {
  view.following = false;
  if (!["playing", "waiting"].includes(state?.story.state)) return;
  drawScene(view.channelId(state?.places));
  void connection.post("story", { do: "stop" });
}

/** @param {any} message @param {any} button @param {any} block */
async function press(message, button, block) {
  // Remember who clicks before the dialog asks: the person shown may change behind it.
  const fields = { user: view.user, channel: message.channel, ts: message.ts, block_id: block.block_id, action_id: button.action_id };
  if (button.confirm) takeOver();
  const confirmed = button.confirm ? await ask(button.confirm, texts, () => messages.button(fields) ?? byId("log")) : undefined;
  if (confirmed === false) return;
  const wrong = await problem("click", { ...fields, ...(confirmed ? { confirmed } : {}) });
  composer.problem.textContent = wrong ?? "";
}

/** @param {string} text */
function send(text) {
  return problem("type", { user: view.user, channel: view.channelId(state?.places), text });
}

/**
 * Do something, and return what went wrong, or null.
 * @param {"type" | "click" | "phone" | "ring"} act
 * @param {Record<string, unknown>} fields
 */
async function problem(act, fields) {
  view.following = false;
  const answer = await connection.post(act, fields);
  return answer.ok ? (answer.delivered?.problem ?? null) : answer.message;
}

setInterval(() => (texts.tick(byId("log")), floor.tick()), 1000);
document.addEventListener("visibilitychange", draw);
document.querySelector(".skip")?.addEventListener("click", () => halves.show("workspace"));
connection.open();

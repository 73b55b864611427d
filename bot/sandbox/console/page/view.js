// @ts-check
/** Whose view the page shows, which channel, and what each person has seen. Kept over a reload, for this tab. */

import { keepAs, kept } from "./kept.js";

const KEPT = "callbot-demo-view";
const DIRECT = "direct";

export class View {
  constructor() {
    const before = JSON.parse(kept("sessionStorage", KEPT) ?? "{}");
    /** @type {string} */
    this.user = before.user ?? "";
    /** A channel's id, or `direct` for the person's own direct message. @type {string} */
    this.channel = before.channel ?? "";
    /** The last time stamp that somebody has seen in a place. @type {Record<string, string>} */
    this.seen = before.seen ?? {};
    /** Whether the page follows the story. */
    this.following = true;
    this.plays = 0;
    /** What the story types in the message box. @type {string | null} */
    this.played = null;
  }

  /** Messages that were there at the start count as seen. @param {any} state @param {boolean} first */
  begin(state, first) {
    const people = state.places.people;
    if (!people.some((/** @type {any} */ each) => each.id === this.user)) this.user = people[0].id;
    if (!this.channel) this.channel = state.places.channels[0].id;
    if (!first || Object.keys(this.seen).length) return;
    for (const message of state.messages) for (const person of people) this.seen[`${person.id} ${message.channel}`] = message.ts;
  }

  /** @param {any} places */
  channelId(places) {
    return this.channel === DIRECT ? this.direct(places) : this.channel;
  }

  /** @param {any} places */
  direct(places) {
    return places.people.find((/** @type {any} */ each) => each.id === this.user)?.dm;
  }

  /** @param {string} user */
  choosePerson(user) {
    this.following = false;
    this.user = user;
    this.#keep();
  }

  /** @param {string} channel */
  chooseChannel(channel) {
    this.following = false;
    this.#place(channel);
    this.#keep();
  }

  /** Follow the story, unless somebody has chosen another view since it began. @param {any} story */
  follow(story) {
    if (story.plays !== this.plays || story.state !== "playing") this.following = story.state === "playing";
    this.plays = story.plays;
    if (!this.following || !story.scene) return;
    this.user = story.scene.user;
    this.#place(story.scene.channel);
  }

  /** @param {string} channel @param {{ts: string}[]} messages */
  saw(channel, messages) {
    const last = messages.at(-1)?.ts;
    const key = `${this.user} ${channel}`;
    if (!last || last <= (this.seen[key] ?? "")) return;
    this.seen[key] = last;
    this.#keep();
  }

  /** @param {string} channel */
  seenUntil(channel) {
    return this.seen[`${this.user} ${channel}`] ?? "";
  }

  /** @param {string} channel */
  #place(channel) {
    this.channel = channel.startsWith("D") ? DIRECT : channel;
  }

  #keep() {
    keepAs("sessionStorage", KEPT, JSON.stringify({ user: this.user, channel: this.channel, seen: this.seen }));
  }
}

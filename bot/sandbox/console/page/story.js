// @ts-check
/** The caption of the story, and its buttons. */

import { el, icon } from "./elements.js";

/** @type {Record<string, string>} */
const SAYS = {
  waiting: "The story begins in a moment …",
  playing: "The story begins in a moment …",
  stopped: "The floor is yours. Type /calls, or let a new call come in.",
  over: "The story has been played often enough. The floor is yours.",
  broken: "The story stopped: callbot did not do its part in time. The floor is yours.",
};

export class Story {
  /** @param {HTMLElement} root @param {(act: "play" | "stop") => void} tell */
  constructor(root, tell) {
    this.caption = el("p", { class: "caption", role: "status" });
    this.kind = el("span", { class: "story-kind", text: "Story" });
    this.stop = el("button", { type: "button", class: "button quiet", "aria-label": "Stop the story", title: "Stop the story", on: { click: () => tell("stop") } }, icon("stop"), el("span", { class: "wide", text: "Stop the story" }));
    this.again = el("button", { type: "button", class: "button quiet", "aria-label": "Play it again", title: "Play it again", on: { click: () => tell("play") } }, icon("play"), el("span", { class: "wide", text: "Play it again" }));
    root.append(this.kind, this.caption, el("div", { class: "story-tools" }, this.stop, this.again));
  }

  /** @param {{state: string, scene: {caption: string} | null}} story */
  draw(story) {
    const caption = story.scene?.caption ?? SAYS[story.state] ?? "";
    if (this.caption.textContent !== caption) this.caption.textContent = caption;
    const playing = story.state === "playing" || story.state === "waiting";
    this.kind.textContent = playing ? "Story" : "Your turn";
    /** @type {HTMLElement} */ (this.kind.parentElement).dataset.state = playing ? "playing" : story.state;
    const focused = this.stop === document.activeElement;
    this.stop.hidden = !playing;
    if (focused && !playing) this.again.focus();
  }
}

// @ts-check
/** The ringing tone of a desk phone: two tones, one second on and two off. */

const TONES = [440, 480];
const [ON, PERIOD, LOUDNESS] = [1, 3, 0.04];

export class Ringing {
  constructor() {
    this.wanted = false;
    this.rings = false;
    /** @type {AudioContext | null} */
    this.audio = null;
    this.timer = 0;
  }

  /** Switch the sound on or off, and return whether it is on. Browsers allow sound only after a click. */
  toggle() {
    this.wanted = !this.wanted;
    this.#follow();
    return this.wanted;
  }

  /** @param {boolean} rings whether any phone rings */
  set(rings) {
    if (rings === this.rings) return;
    this.rings = rings;
    this.#follow();
  }

  #follow() {
    clearInterval(this.timer);
    if (!this.wanted || !this.rings) {
      void this.audio?.close();
      this.audio = null;
      return;
    }
    this.audio = new AudioContext();
    this.#once(this.audio);
    this.timer = window.setInterval(() => this.audio && this.#once(this.audio), PERIOD * 1000);
  }

  /** @param {AudioContext} audio */
  #once(audio) {
    const volume = new GainNode(audio, { gain: LOUDNESS });
    volume.connect(audio.destination);
    for (const frequency of TONES) {
      const tone = new OscillatorNode(audio, { frequency });
      tone.connect(volume);
      tone.start();
      tone.stop(audio.currentTime + ON);
    }
  }
}

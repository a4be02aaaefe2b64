/** The first five minutes, in one line: what to try next, until all is done or it is dismissed. */
import { h, icon } from "./dom.js";

const STEPS = [
  ["chat", "Write something to the bot, such as “hello”."],
  ["why", "Click any message: you see each step behind it."],
  ["break", "Under “Faults”, switch “Is down” on, and write again."],
  ["recover", "Switch it off: what waited is answered, once and in order."],
  ["change", "Edit a file in bot/conversation and save it: the next answer is new."],
];
const KEPT = "tour"; // in this browser, for every sandbox: whoever has seen it knows it

export class Tour {
  constructor() {
    this.done = new Set(JSON.parse(localStorage.getItem(KEPT) ?? "[]"));
    this.step = h("strong");
    this.words = h("span");
    this.root = h("p", { class: "tour" }, this.step, this.words,
      h("button", { type: "button", class: "icon dismiss", "aria-label": "Dismiss the tour", on: { click: () => this.tick(...STEPS.map(([name]) => name)) } }, icon("close")));
    this.draw();
  }

  tick(...steps) {
    for (const step of steps) this.done.add(step);
    localStorage.setItem(KEPT, JSON.stringify([...this.done]));
    this.draw();
  }

  draw() {
    const index = STEPS.findIndex(([name]) => !this.done.has(name));
    this.root.hidden = index < 0;
    if (index < 0) return;
    // The button stays the same element, so that it keeps the keyboard's focus when the step changes.
    this.step.textContent = `${index + 1} of ${STEPS.length}`;
    this.words.textContent = STEPS[index][1];
  }
}

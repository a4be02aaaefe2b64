/** The first five minutes: what to try, ticked off as it is done. */
import { h } from "./dom.js";

const STEPS = [
  ["chat", "Chat", "Write something to the bot, such as “hello”."],
  ["why", "See why", "Press the question mark beside an answer: you see each step behind it, with its JSON."],
  ["break", "Break Facebook", "Under “Faults”, switch “Is down” on, and write again: your message is acknowledged at once, and waits."],
  ["recover", "Watch it recover", "Switch the fault off: what waited is answered, once and in order."],
  ["change", "Change an answer", "Edit a file in bot/conversation and save it: the new code gives the next answer, and the conversation continues."],
];

export class Tour {
  constructor(instance) {
    this.key = `tour-${instance}`;
    this.done = new Set(JSON.parse(sessionStorage.getItem(this.key) ?? "[]"));
    this.root = h("details", { class: "tour", open: this.done.size < STEPS.length && matchMedia("(min-width: 900px)").matches });
    this.draw();
  }

  tick(step) {
    if (this.done.has(step)) return;
    this.done.add(step);
    sessionStorage.setItem(this.key, JSON.stringify([...this.done]));
    this.draw();
  }

  draw() {
    const next = STEPS.find(([name]) => !this.done.has(name));
    this.root.replaceChildren(
      h("summary", {}, h("strong", {}, "Your first five minutes"), h("span", { class: "muted" }, ` ${this.done.size} of ${STEPS.length}`)),
      h("ol", {}, STEPS.map(([name, title]) => h("li", { class: this.done.has(name) ? "done" : name === next?.[0] ? "next" : "", "aria-current": name === next?.[0] && "step" },
        title, this.done.has(name) && h("span", { class: "hidden" }, " (done)")))),
      h("p", {}, next ? next[2] : "That is all. The rest is yours to break."));
  }
}

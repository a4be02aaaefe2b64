/** The first five minutes: what to try, ticked off as it is done. */
import { h } from "./dom.js";

const STEPS = [
  ["chat", "Chat", "Write “status” or a number of 8 digits."],
  ["why", "See why", "Press “Why?” beside a message."],
  ["break", "Break Facebook", "Under “Break”, switch “Is down” on; write again."],
  ["mend", "Watch it recover", "Switch it off: what waited is answered."],
  ["change", "Change an answer", "Edit bot/\u200bconversation\u200b.py and save it."],
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
    const next = STEPS.find(([name]) => !this.done.has(name))?.[0];
    this.root.replaceChildren(
      h("summary", {}, h("strong", {}, "Your first five minutes"), h("span", { class: "muted" }, ` ${this.done.size} of ${STEPS.length}`)),
      h("ol", {}, STEPS.map(([name, title, words]) => h("li", { class: this.done.has(name) ? "done" : name === next ? "next" : "" },
        h("strong", {}, title, this.done.has(name) && h("span", { class: "hidden" }, " (done)")), h("span", { class: "muted" }, words)))));
  }
}

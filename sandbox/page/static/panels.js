/** The panel's other views: faults, memory, and the function's log. */
import { clock, h, json } from "./dom.js";
import { get, post } from "./api.js";
import { outcome, summary } from "./store.js";

const LATEST = 3; // events shown above the faults

export class FaultPanel {
  constructor(store, page) {
    Object.assign(this, { store, page, latest: [] });
    this.root = h("div", { class: "pane" });
    this.events = h("ol", { class: "watched", "aria-label": "The latest events" });
  }

  /** Show the outcome of the latest events: whether the promise holds. */
  watch(event) {
    if (!event.item || event.item.reaction) return;
    this.latest = [event, ...this.latest.filter((each) => each.key !== event.key)].sort((a, b) => b.at - a.at).slice(0, LATEST);
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.events.replaceChildren(...this.latest.map((each) => {
        const { state, text } = outcome(each);
        return h("li", {}, h("button", { type: "button", class: "event-head", on: { click: () => this.page.why(each.key) } },
          h("span", { class: `dot ${state}`, "aria-hidden": "true" }),
          h("span", { class: "event-words" }, h("strong", {}, this.store.people.get(each.person)?.name ?? ""), " ", summary(each)),
          h("span", { class: `badge ${state}` }, text), h("span", { class: "muted small" }, "Why?")));
      }));
    });
  }

  forget() {
    this.latest = [];
    this.events.replaceChildren();
  }

  draw() {
    const { faults } = this.store.hello;
    const on = this.store.on;
    if (!this.inputs) {
      this.inputs = new Map();
      this.off = h("button", { type: "button", class: "quiet", on: { click: () => this.set([]) } }, "Switch everything off");
      const groups = [...new Set(faults.map((each) => each.group))];
      this.root.replaceChildren(
        h("div", { class: "row spread pad" }, h("p", { class: "lead" }, "Switch a fault on, write to the bot, and see whether the promise holds."), this.off),
        this.events,
        ...groups.map((group) => h("fieldset", { class: "group" }, h("legend", {}, group),
          faults.filter((each) => each.group === group).map((each) => {
            const input = h("input", { type: "checkbox", role: "switch", id: `fault-${each.name}`, "aria-describedby": `promise-${each.name}`,
              on: { change: () => this.set([...this.inputs].filter(([, one]) => one.checked).map(([name]) => name)) } });
            this.inputs.set(each.name, input);
            return h("div", { class: "switch" }, input, h("label", { for: `fault-${each.name}` }, each.title), h("p", { id: `promise-${each.name}`, class: "promise" }, each.promise));
          }))));
    }
    for (const [name, input] of this.inputs) input.checked = on.has(name);
    this.off.disabled = on.size === 0;
  }

  set(on) {
    post("/api/faults", { on });
  }
}

export class Memory {
  constructor(store, page) {
    Object.assign(this, { store, page });
    this.root = h("div", { class: "pane" });
    this.queues = h("div", { class: "tiles" });
    this.user = h("div", {});
    this.letters = h("div", {});
    this.root.append(h("h3", { class: "pad" }, "Queues"), this.queues, this.user, this.letters);
  }

  count(counts) {
    if (!counts) return;
    const tile = (number, words, state) => h("div", { class: `tile ${number ? state : ""}` }, h("strong", {}, String(number)), h("span", {}, words));
    this.queues.replaceChildren(
      tile(counts.events.waiting + counts.events.delayed, "wait in the queue", "waits"),
      tile(counts.events.inFlight, "being answered, or waiting for another try", "works"),
      tile(counts.deadLetters.waiting + counts.deadLetters.inFlight, "dead letters", "dead"));
  }

  async draw() {
    const person = this.store.people.get(this.page.current());
    if (!person) return;
    const memory = await get(`/api/memory?person=${person.id}`);
    if (!memory) return;
    this.count(memory.queues);
    this.user.replaceChildren(h("h3", { class: "pad" }, `What the bot remembers of ${person.name}`),
      memory.user ? h("div", {}, h("p", { class: "muted pad" }, `Version ${memory.user.version}, kept until ${new Date(memory.user.expires * 1000).toLocaleDateString()}.`), json(memory.user.state))
        : h("p", { class: "muted pad" }, "Nothing yet."));
    this.letters.replaceChildren(h("h3", { class: "pad" }, "Dead letters"),
      ...(memory.deadLetters.length ? memory.deadLetters.map((each) => h("details", { class: "step-json pad" }, h("summary", {}, h("strong", {}, each.reason), h("span", { class: "muted" }, ` ${clock(each.sent)}`)), json(each)))
        : [h("p", { class: "muted pad" }, "None. An event becomes one only if it is itself at fault, after several tries.")]));
  }
}

export class Log {
  constructor(store) {
    this.store = store;
    this.all = h("input", { type: "checkbox", id: "log-all", on: { change: () => this.draw() } });
    this.lines = h("ol", { class: "lines", tabindex: "0", "aria-label": "The function’s log" });
    this.root = h("div", { class: "pane" },
      h("div", { class: "row spread pad" }, h("p", { class: "lead" }, "The bot’s log, from CloudWatch Logs."),
        h("span", {}, this.all, " ", h("label", { for: "log-all" }, "Lambda’s lines too"))), this.lines);
  }

  draw() {
    this.lines.replaceChildren();
    for (const line of this.store.lines) this.add(line);
  }

  add(line) {
    if (!line.fields && !this.all.checked) return;
    const follow = this.lines.scrollHeight - this.lines.scrollTop - this.lines.clientHeight < 60;
    const { level, kind, ...rest } = line.fields ?? {};
    this.lines.append(h("li", { class: `log-line ${level ?? "lambda"}` }, h("time", { class: "muted" }, clock(line.at, true)), " ",
      line.fields ? [h("strong", {}, `${level} ${kind}`), " ", Object.entries(rest).map(([name, value]) => `${name}=${/^[0-9a-f]{32,}$/.test(value) ? `${value.slice(0, 8)}…` : value}`).join(" ")] : line.text));
    if (follow) this.lines.scrollTop = this.lines.scrollHeight;
  }
}

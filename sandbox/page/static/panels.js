/** The panel's other views: faults, memory, and the function's log. */
import { clock, h, json } from "./dom.js";
import { get, post } from "./api.js";
import { badge, sieve } from "./events.js";
import { summary } from "./store.js";

const LATEST = 3; // events shown above the faults

export class FaultPanel {
  constructor(store, page) {
    Object.assign(this, { store, page, latest: [] });
    this.root = h("div", { class: "pane" });
    this.events = h("ol", { class: "latest", "aria-label": "The latest events" });
    this.promise = h("p", { class: "count", role: "status" });
    this.watched = h("div", { class: "watched" }, this.promise, this.events);
  }

  /** Show what was kept since the faults changed. */
  count({ state, sentence }) {
    this.promise.className = `count ${state}`;
    this.promise.textContent = sentence;
  }

  /** Show the outcome of the latest events: whether the promise holds. */
  watch(event) {
    if (!event.known || event.item?.reaction) return;
    this.latest = [event, ...this.latest.filter((each) => each.key !== event.key)].sort((a, b) => b.at - a.at).slice(0, LATEST);
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.events.replaceChildren(...this.latest.map((each) => {
        return h("li", {}, h("button", { type: "button", class: "event-head", on: { click: () => this.page.why(each.key) } },
          h("span", { class: `dot ${this.store.outcome(each).colour}`, "aria-hidden": "true" }),
          h("span", { class: "event-words" }, h("strong", {}, this.store.people.get(each.person)?.name ?? ""), " ", summary(each)),
          badge(this.store, each), h("span", { class: "muted small" }, "Why?")));
      }));
    });
  }

  forget() {
    this.latest = [];
    this.events.replaceChildren();
    this.promise.textContent = "";
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
        this.watched,
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
    const text = JSON.stringify(memory.deadLetters);
    if (this.shown === text) return; // what is open stays open
    this.shown = text;
    const open = new Set([...this.letters.querySelectorAll("details[open]")].map((each) => each.dataset.id));
    this.letters.replaceChildren(h("h3", { class: "pad" }, "Dead letters"),
      ...(memory.deadLetters.length ? memory.deadLetters.map((each) => h("details", { class: "step-json pad", data: { id: each.id }, open: open.has(each.id) }, h("summary", {}, h("strong", {}, each.reason), h("span", { class: "muted" }, ` ${clock(each.sent)}`)),
        h("div", { class: "row acts" }, ["Redrive", "Drop"].map((words) => h("button", { type: "button", class: "quiet", on: { click: async () => { await post(`/api/${words.toLowerCase()}`, { letter: each.id }); this.draw(); } } }, words))), json(each)))
        : [h("p", { class: "muted pad" }, "None. An event becomes one only if it is itself at fault, after several tries.")]));
  }
}

const LEVELS = [["bot", "The bot’s lines"], ["WARN", "Warnings and errors"], ["ERROR", "Errors"], ["", "Lambda’s lines too"]];

export class Log {
  constructor(store, page) {
    Object.assign(this, { store, page });
    this.sieve = sieve("log", LEVELS, () => this.draw());
    this.lines = h("ol", { class: "lines", tabindex: "0", "aria-label": "The function’s log" });
    this.root = h("div", { class: "pane log-pane" }, h("p", { class: "lead pad" }, "The bot’s log, from CloudWatch Logs."), this.sieve.root, this.lines);
  }

  draw() {
    this.lines.replaceChildren();
    for (const line of this.store.lines) this.add(line);
  }

  fits({ fields, text }) {
    const chosen = this.sieve.filter.value;
    const levels = { bot: ["INFO", "WARN", "ERROR"], WARN: ["WARN", "ERROR"], ERROR: ["ERROR"] }[chosen];
    return (!levels || levels.includes(fields?.level)) && this.sieve.fits(text);
  }

  add(line) {
    if (!this.fits(line)) return;
    const follow = this.lines.scrollHeight - this.lines.scrollTop - this.lines.clientHeight < 60;
    const { level, kind, event, ...rest } = line.fields ?? {};
    const words = Object.entries({ ...(event && !line.key && { event }), ...rest }).map(([name, value]) => `${name}=${/^[0-9a-f]{32,}$/.test(value) ? `${value.slice(0, 8)}…` : value}`).join(" ");
    const link = line.key && h("button", { type: "button", class: "link", on: { click: () => this.page.why(line.key) } }, `event ${line.key.slice(0, 8)}…`);
    this.lines.append(h("li", { class: `log-line ${level ?? "lambda"}` }, h("time", { class: "muted" }, clock(line.at, true)), " ",
      line.fields ? [h("strong", {}, `${level} ${kind}`), " ", link || "", " ", words] : line.text));
    if (follow) this.lines.scrollTop = this.lines.scrollHeight;
  }
}

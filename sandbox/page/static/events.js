/** What happened behind the chat: each event step by step, with durations and JSON. */
import { clock, h, icon, json, span } from "./dom.js";
import { get, post } from "./api.js";
import { summary } from "./store.js";

const MOST_CARDS = 60;
const OVERVIEW = [
  ["chat", "Facebook delivers a webhook", "Signed, and again until it is acknowledged."],
  ["stack", "The function verifies it and puts it on the queue", "Only then does it answer 200: nothing acknowledged is lost."],
  ["memory", "The function takes it and reads the ledger", "Seen before? How far did it get? Nothing is answered twice."],
  ["events", "The conversation plans the answers", "They are stored with the person’s new state before the first is sent."],
  ["send", "Each answer is sent and recorded", "A slow or failing Facebook only makes it wait."],
];

/** A step's title and meaning; `minor` steps are drawn small. */
function meaning(step, event) {
  const failed = step.status !== 200;
  const code = step.detail?.error?.__type ?? step.detail?.answer?.code;
  const planned = event.steps.find((each) => each.name === "planned" && each.status === 200)?.detail.answers?.length;
  const number = step.number === "" || step.number === undefined ? null : Number(step.number) + 1;
  const answer = number === null ? "" : ` ${number}${planned ? ` of ${planned}` : ""}`;
  switch (step.name) {
    case "post": {
      const attempt = event.steps.filter((each) => each.name === "post").indexOf(step) + 1;
      return { title: attempt > 1 ? `Delivered again (${attempt})` : "Facebook delivers a webhook",
        about: failed ? `${step.status ? `Answered ${step.status}` : "No answer"}: not acknowledged, so Facebook delivers again.` : "Answered 200: it will not be lost." };
    }
    case "queued":
      return failed ? { title: "The queue refused it", about: "So the webhook is not acknowledged." }
        : { title: "Signature verified, put on the queue", about: "Each person has a message group, which keeps their order." };
    case "taken": {
      const known = step.detail?.ledger?.event;
      if (failed) return { title: "The ledger did not answer", about: "Without it the bot says nothing, and the event waits." };
      return { title: "Taken from the queue", about: known?.outcome ? "Answered before: it is not answered twice."
        : known?.answers ? `Planned before: it continues at answer ${(known.next ?? 0) + 1}.` : "New to the ledger." };
    }
    case "conversed": {
      const called = `One call, ${Math.round((step.seconds ?? 0) * 1000)} ms.`;
      if (failed) return { title: "The conversation’s function could not be called", about: "So the event waits." };
      return step.detail?.raised ? { title: "The conversation’s function failed", about: `${step.detail.raised}. ${called}` }
        : { title: "The conversation’s function answered", about: called };
    }
    case "planned": {
      const count = step.detail?.answers?.length ?? 0;
      return failed ? { title: "The plan could not be stored", about: String(code ?? "") }
        : { title: `Planned ${count} ${count === 1 ? "answer" : "answers"}`, about: "Stored with the person’s new state in one transaction, before anything is sent." };
    }
    case "joined": return { title: "Answered with an earlier message", about: "They waited together, so one plan answers both." };
    case "send": {
      const body = step.detail?.request ?? {};
      const what = body.sender_action ? { typing_on: "typing", typing_off: "end of typing", mark_seen: "seen mark", react: "reaction" }[body.sender_action] ?? body.sender_action : "answer";
      if (step.lost) return { title: `Sent ${what}${answer}, no answer came`, about: step.detail.answer.lost + "." };
      return failed ? { title: `Facebook refused ${what}${answer}`, about: `Error ${code}: ${step.detail?.answer?.message ?? ""}` }
        : { title: `Sent ${what}${answer}`, about: body.sender_action ? "" : "Facebook took it." };
    }
    case "done": return { title: "Done", about: "The ledger keeps that it is done, but no longer whose it was." };
    case "echo": return { title: `The page’s echo of answer${answer}`, about: failed ? "Not acknowledged yet." : "Facebook confirms that it took the message.", minor: true };
    case "delayed": return { title: `Back in the queue for ${step.detail?.visibleInSeconds ?? "some"} s`, about: "Later events of this person wait behind it." };
    case "send_failed": return { title: "Recorded: this answer was not sent", about: "The next run begins with it.", minor: true };
    case "sending": return { title: "Recorded: sending the next answer", about: "After a crash the bot knows that it tried.", minor: true };
    case "awaiting_echo": return { title: "Waits for the echo", about: "The echo shows whether Facebook took the message." };
    case "echo_noted": return { title: "Recorded: the echo came", about: failed ? "Too late to matter: everything was sent." : "", minor: true, fine: true };
    case "fault_counted": return { title: "Counted as the event’s own fault", about: "After three it becomes a dead letter." };
    case "attempt_counted": return { title: "Counted: another attempt", about: "", minor: true };
    case "attempt_taken_back": return { title: "Not counted as an attempt after all", about: "", minor: true };
    case "dead_lettered": return { title: "Put on the dead-letter queue", about: String(step.detail?.reason ?? "") };
    case "dead": return { title: "Recorded as dead", about: "Nobody else waits for it; an operator can redrive it." };
    case "killed": return { title: "The function was killed", about: "The next run finds in the ledger how far it got." };
    case "forgotten": return { title: "Its plan was deleted", about: "The person asked the bot to forget them." };
    case "no_answer": return { title: "No answer", about: "The bot has nothing to say, or said it before." };
    case "line": return { title: `The function’s log: ${step.detail.kind}`, about: "", minor: true };
    case "not_delivered": return { title: "Not delivered", about: step.detail?.reason ?? "" };
    default: return { title: step.call ?? step.name, about: "", minor: true };
  }
}

/** The badge of an event: its outcome in the table's word and colour, and a countdown while it waits. */
export function badge(store, event) {
  const { word, colour, countdown } = store.outcome(event);
  return h("span", { class: `badge ${colour}` }, word, colour === "good" ? ` in ${span(event.seconds)}` : "",
    countdown && event.until > Date.now() / 1000 && h("span", { class: "countdown", data: { until: event.until, words: countdown } }, ` · ${left(countdown, event.until)}`));
}

const left = (words, until) => words.replace("{}", String(Math.max(0, Math.ceil(until - Date.now() / 1000))));

setInterval(() => {
  for (const each of document.querySelectorAll(".countdown")) {
    each.textContent = Number(each.dataset.until) > Date.now() / 1000 ? ` · ${left(each.dataset.words, Number(each.dataset.until))}` : "";
  }
}, 500);

/** What the author's code raised: the message, the way to the author's line, and what the person got. */
export function defectBox(defect, name) {
  return h("div", { class: "defect" },
    h("strong", {}, "Your code failed"),
    h("p", { class: "raised" }, `${defect.type}: ${defect.message}`),
    defect.frames.length ? h("ol", { class: "trace", "aria-label": "Traceback, your line last" }, defect.frames.map((each, index) => h("li", { class: index === defect.frames.length - 1 ? "last" : "" },
      h("span", {}, `${each.file}, line ${each.line}, in ${each.function}`), h("code", {}, each.text)))) : h("p", {}, defect.at),
    h("p", {}, defect.said.length ? [`${name} got instead: `, h("q", {}, defect.said.join(" / "))] : `${name} got no answer.`));
}

/** A field that searches, and a choice that filters. */
export function sieve(what, options, change) {
  const search = h("input", { type: "search", placeholder: "Search", "aria-label": `Search the ${what}`, on: { input: change } });
  const filter = h("select", { "aria-label": `Filter the ${what}`, on: { change } }, options.map(([value, words]) => h("option", { value }, words)));
  return { search, filter, root: h("div", { class: "sieve", role: "search" }, search, filter), fits: (text) => text.toLowerCase().includes(search.value.trim().toLowerCase()) };
}

const SHOWN = [["", "All outcomes"], ["good", "Answered"], ["works", "At work"], ["waits", "Waiting"], ["code", "Your code failed"], ["lost", "Not delivered"], ["bad", "Dead"], ["quiet", "Nothing to do"]];

export class EventList {
  constructor(store, page) {
    Object.assign(this, { store, page, cards: new Map(), chosen: null, pinned: false, held: false, pending: new Map() });
    this.sieve = sieve("events", SHOWN, () => this.sift());
    this.follow = h("button", { type: "button", class: "quiet", "aria-pressed": "true", on: { click: () => this.pin(false) } }, "Follow the newest");
    this.sieve.root.append(this.follow);
    this.list = h("ol", { class: "events", on: { pointerdown: () => { this.held = true; } } });
    // What is redrawn between press and release loses the click.
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => { this.held = false; setTimeout(() => this.redraw()); });
    this.empty = h("div", {}, h("p", { class: "lead pad" }, "Say something in the chat: each event appears here, step by step."),
      h("ol", { class: "way" }, OVERVIEW.map(([glyph, title, words]) => h("li", {}, icon(glyph), h("strong", {}, title), h("span", { class: "muted" }, words)))));
    this.root = h("div", { class: "pane" }, this.sieve.root, this.empty, this.list);
  }

  draw(event) {
    if (!event.known) return; // of nobody on this page
    this.empty.hidden = true;
    if (!this.cards.has(event.key)) {
      const card = h("li", { class: "event-card", data: { key: event.key } });
      this.cards.set(event.key, card);
      this.list.prepend(card);
      while (this.list.children.length > MOST_CARDS) {
        this.cards.delete(this.list.lastChild.dataset.key);
        this.list.lastChild.remove();
      }
      if (!this.pinned && !this.held) this.open(event.key);
    }
    this.pending.set(event.key, event);
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (!this.held) this.redraw();
    });
  }

  redraw() {
    for (const each of this.pending.values()) this.fill(this.cards.get(each.key), each);
    this.pending.clear();
  }

  fill(card, event) {
    if (!card) return;
    const open = this.chosen === event.key;
    const name = this.store.people.get(event.person)?.name ?? "A person";
    const focused = card.contains(document.activeElement) ? document.activeElement.dataset.name ?? document.activeElement.className : null;
    const head = h("button", { type: "button", class: "event-head", "aria-expanded": String(open), on: { click: () => (open && this.pinned ? this.pin(true, null) : this.pin(true, event.key)) } },
      h("span", { class: `dot ${this.store.outcome(event).colour}`, "aria-hidden": "true" }),
      h("span", { class: "event-words" }, h("strong", {}, name), " ", summary(event)),
      badge(this.store, event), h("time", { class: "muted small" }, clock(event.at)));
    const hit = event.faults.length > 0 && h("p", { class: "hit" }, "Hit by: ", event.faults.map((each) => h("span", { class: "chip-fault" }, this.store.fault(each).title)));
    const opened = new Set([...card.querySelectorAll("details[open]")].map((each) => each.dataset.step));
    card.replaceChildren(head, hit || "", open ? this.details(event, opened, name) : "");
    card.classList.toggle("open", open);
    card.hidden = !this.fits(event, name);
    if (focused) [...card.querySelectorAll("button")].find((each) => (each.dataset.name ?? each.className) === focused)?.focus();
  }

  fits(event, name) {
    const colour = this.sieve.filter.value;
    return (!colour || this.store.outcome(event).colour === colour) && this.sieve.fits(`${name} ${summary(event)} ${this.store.outcome(event).word} ${event.key}`);
  }

  sift() {
    for (const [key, card] of this.cards) {
      const event = this.store.events.get(key);
      card.hidden = !this.fits(event, this.store.people.get(event.person)?.name ?? "");
    }
  }

  details(event, opened, name) {
    const steps = [...event.steps].sort((a, b) => a.began - b.began);
    const end = Math.max(...steps.map((step) => step.began + step.seconds), event.at + 0.001);
    const width = end - event.at;
    const record = h("details", { class: "step-json", on: { toggle: async () => {
      if (record.open) record.replaceChildren(record.firstChild, json(await get(`/api/record?key=${event.key}`)));
    } } }, h("summary", {}, "The ledger’s record now"));
    const act = (words, path, body) => h("button", { type: "button", class: "quiet", data: { name: words }, on: { click: () => post(path, body) } }, words);
    const dead = this.store.outcome(event).name === "dead";
    return h("div", { class: "steps-box" },
      h("div", { class: "row acts" }, event.item && !this.store.hello.real && act("Replay", "/api/replay", { key: event.key }),
        dead && [act("Redrive", "/api/redrive", { letter: event.key }), act("Drop", "/api/drop", { letter: event.key })]),
      event.defect && defectBox(event.defect, name),
      h("ol", { class: "steps" }, steps.map((step, index) => {
        const { title, about, minor, fine } = meaning(step, event);
        const bar = h("span", { class: "bar", "aria-hidden": "true" }, h("i", {}));
        bar.firstChild.style.left = `${Math.max(0, Math.min(99, 100 * (step.began - event.at) / width))}%`;
        bar.firstChild.style.width = `${Math.max(1, Math.min(100, 100 * step.seconds / width))}%`;
        return h("li", { class: `step ${minor ? "minor" : ""} ${step.status === 200 || fine ? "" : "bad"} ${step.lost ? "bad" : ""}` },
          h("span", { class: "when" }, `+${span(Math.max(0, step.began - event.at))}`),
          h("div", { class: "step-words" },
            h("details", { class: "step-json", open: opened.has(String(index)), data: { step: String(index) } },
              h("summary", {}, h("strong", {}, title), step.seconds > 0 && h("span", { class: "muted" }, span(step.seconds))),
              step.call && h("p", { class: "muted small" }, step.call), json(step.detail)),
            about && h("p", { class: "about" }, about), bar));
      })), record);
  }

  /** Show an event and keep it in sight, or follow the newest again. */
  pin(pinned, key = [...this.cards.keys()].at(-1) ?? null) {
    this.pinned = pinned;
    this.follow.setAttribute("aria-pressed", String(!pinned));
    this.open(key);
    this.page.mark(pinned ? key : null);
    if (key) this.cards.get(key)?.scrollIntoView({ block: "start", behavior: "smooth" });
  }

  open(key) {
    const before = this.chosen;
    this.chosen = key;
    for (const each of [before, key]) if (each && this.store.events.has(each)) this.fill(this.cards.get(each), this.store.events.get(each));
  }

  forget() {
    this.cards.clear();
    this.pending.clear();
    this.list.replaceChildren();
    this.pin(false, null);
    this.empty.hidden = false;
  }
}

/** What is known, made of the notes as they come. It draws nothing: who draws listens. */

const MOST_LINES = 2000;
const TAKEN_BY_BOT = 200;

export class Store extends EventTarget {
  constructor() {
    super();
    this.forget();
  }

  forget() {
    this.hello = null;
    this.people = new Map(); // id → { id, name, thread, typing, began }
    this.events = new Map(); // key → { key, person, item, act, at, steps }
    this.bubbles = new Map(); // mid → what is shown of it
    this.lines = [];
    this.on = new Set();
    this.code = null;
    this.queues = null;
  }

  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  listen(type, listener) {
    this.addEventListener(type, (event) => listener(event.detail));
  }

  greeted(hello) {
    const another = this.hello && this.hello.instance !== hello.instance;
    if (another) this.forget();
    const first = !this.hello;
    this.hello = hello;
    this.on = new Set(hello.on);
    if (first) this.tell("begin", { another });
    this.tell("profile", hello.profile);
    this.tell("switches");
  }

  take(notes) {
    for (const note of notes) this[`take_${note.kind}`]?.(note);
    this.tell("caught-up");
  }

  event(key, note) {
    if (!key) return null;
    if (!this.events.has(key)) {
      this.events.set(key, { key, person: note.person, item: null, act: "", at: note.began ?? note.at, steps: [] });
    }
    return this.events.get(key);
  }

  step(key, note, shown) {
    const event = this.event(key, note);
    if (!event) return;
    event.steps.push({ began: note.began ?? note.at, seconds: note.seconds ?? 0, ...shown });
    this.tell("event", event);
  }

  take_person(note) {
    const person = { id: note.person, name: note.name, thread: [], typing: false };
    this.people.set(person.id, person);
    this.tell("person", person);
  }

  take_item(note) {
    const event = this.event(note.key, note);
    Object.assign(event, { item: note.item, act: note.act, at: note.at, person: note.person });
    const person = this.people.get(note.person);
    const { message, reaction, message_edit: edit } = note.item;
    if (reaction) {
      const bubble = this.bubbles.get(reaction.mid);
      if (bubble) {
        bubble.reaction = reaction.action === "react" ? reaction.emoji : "";
        this.tell("bubble", bubble);
      }
    } else if (edit && this.bubbles.has(edit.mid)) {
      const bubble = this.bubbles.get(edit.mid);
      bubble.content = { ...bubble.content, text: edit.text };
      bubble.edited = edit.num_edit;
      this.tell("bubble", bubble);
    }
    const quiet = Boolean(reaction || edit);
    if (!quiet) {
      this.show(person, {
        id: `item-${note.seq}`, mine: true, key: note.key, mid: message?.mid ?? "", at: note.at,
        item: note.item, content: message ?? null, state: "sending", attempts: 0,
      });
    }
    this.tell("event", event);
  }

  show(person, bubble) {
    bubble.person = person.id;
    if (bubble.mid) this.bubbles.set(bubble.mid, bubble);
    person.thread.push(bubble);
    this.tell("said", bubble);
  }

  mine(key) {
    const event = this.events.get(key);
    return event && this.people.get(event.person)?.thread.find((bubble) => bubble.mine && bubble.key === key);
  }

  take_post(note) {
    const bubble = this.mine(note.key);
    if (bubble) {
      bubble.attempts += 1;
      if (note.status === 200 && bubble.state === "sending") bubble.state = "delivered";
      this.tell("bubble", bubble);
    }
    this.step(note.key, note, { name: "post", status: note.status, detail: {
      method: "POST", "X-Hub-Signature-256": note.signature, bytes: note.bytes, answer: note.status || "none",
      ...(note.together > 1 && { eventsInThisRequest: note.together }), item: this.events.get(note.key)?.item,
    } });
  }

  take_echo(note) {
    this.step(note.key, note, { name: "echo", status: note.status, number: note.number, detail: note.item });
  }

  take_step(note) {
    this.step(note.key, note, { name: note.name, status: note.status, call: note.call, lost: note.lost, detail: note.detail });
  }

  take_send(note) {
    const person = this.people.get(note.person);
    const failed = note.error ?? (note.lost ? { lost: note.status === TAKEN_BY_BOT
      ? "Facebook took it, and its answer was lost on purpose" : "The connection was closed, nothing was taken" } : null);
    this.step(note.key, note, { name: "send", status: note.lost ? 0 : note.status, number: note.number, lost: note.lost,
      detail: { request: note.body, answer: failed ?? { recipient_id: note.person, message_id: note.mid } } });
    if (!person || note.status !== TAKEN_BY_BOT) return;
    const { message, sender_action: action, payload } = note.body;
    if (action === "typing_on" || action === "typing_off") {
      person.typing = action === "typing_on";
      this.tell("typing", person);
    } else if (action === "mark_seen") {
      for (const bubble of person.thread) if (bubble.mine) bubble.state = "seen";
      this.tell("seen", person);
    } else if (action === "react" || action === "unreact") {
      const bubble = this.bubbles.get(payload?.message_id);
      if (bubble) {
        bubble.reaction = action === "react" ? payload.reaction : "";
        this.tell("bubble", bubble);
      }
    } else if (message) {
      person.typing = false;
      this.tell("typing", person);
      this.show(person, { id: `send-${note.seq}`, mine: false, key: note.key, mid: note.mid, at: note.at, content: message });
    }
  }

  take_line(note) {
    let told = null;
    try { told = JSON.parse(note.text); } catch { /* Lambda's own lines are no JSON */ }
    const line = { at: note.at, text: note.text, told };
    this.lines.push(line);
    if (this.lines.length > MOST_LINES) this.lines.shift();
    if (told?.event && this.events.has(told.event)) {
      this.step(told.event, note, { name: "line", status: told.level === "ERROR" ? 500 : 200, detail: told });
    }
    this.tell("line", line);
  }

  take_given_up(note) {
    for (const key of note.keys) {
      const bubble = this.mine(key);
      if (bubble) {
        bubble.state = "failed";
        this.tell("bubble", bubble);
      }
      this.step(key, note, { name: "given_up", status: 500, detail: { reason: note.sentence } });
    }
  }

  take_switches(note) {
    this.on = new Set(note.on);
    this.tell("switches");
  }

  take_queues(note) {
    this.queues = note.counts;
    this.tell("queues", note.counts);
  }

  take_code(note) {
    this.code = { state: note.state, at: note.at, ...note.content };
    this.tell("code", this.code);
  }

  take_profile(note) {
    if (note.profile) {
      this.hello.profile = note.profile;
      this.tell("profile", note.profile);
    }
  }

  take_killed(note) {
    this.tell("killed", note);
  }

  take_trouble(note) {
    this.tell("trouble", note.sentence);
  }
}

/** How an event stands: where it is on its way, and for how long it has been. */
export function standing(event) {
  const has = (name, ok = true) => event.steps.some((step) => step.name === name && (!ok || (step.status === 200 && !step.lost)));
  const last = Math.max(event.at, ...event.steps.filter((step) => !["echo", "echo_noted", "line"].includes(step.name))
    .map((step) => step.began + step.seconds));
  const seconds = last - event.at;
  if (has("dead") || has("buried")) return { state: "dead", text: "Dead letter", seconds };
  if (has("done")) return { state: "done", text: "Answered", seconds };
  const planned = event.steps.findLast((step) => step.name === "planned" && step.status === 200);
  if (planned && !planned.detail.answers?.length) return { state: "done", text: "Dealt with", seconds };
  if (has("given_up", false)) return { state: "dead", text: "Given up", seconds };
  const tail = event.steps.findLast((step) => !["echo", "line"].includes(step.name));
  if (tail?.name === "handed_back") return { state: "waits", text: "Waits in the queue", seconds };
  if (has("taken", false)) return { state: "works", text: "At work", seconds };
  if (has("queued")) return { state: "waits", text: "In the queue", seconds };
  return { state: "works", text: has("post", false) ? "Not acknowledged" : "On its way", seconds };
}

/** What somebody did, in a few words. */
export function summary(event) {
  const item = event.item ?? {};
  const message = item.message;
  if (message?.quick_reply) return `tapped “${message.text}”`;
  if (message?.sticker_id) return "sent a thumbs up";
  if (message?.attachments) return `sent ${{ image: "a picture", audio: "a sound", video: "a film", file: "a file" }[message.attachments[0].type] ?? "something"}`;
  if (message?.text) return `“${message.text}”`;
  if (item.postback) return `tapped “${item.postback.title}”`;
  if (item.reaction) return item.reaction.action === "react" ? `reacted with ${item.reaction.emoji}` : "took a reaction back";
  if (item.referral) return `came by the link “${item.referral.ref}”`;
  if (item.optin) return "wants to be notified";
  if (item.message_edit) return `changed a message to “${item.message_edit.text}”`;
  if (item.account_linking) return `${item.account_linking.status} their account`;
  if (item.messaging_feedback) return "gave feedback";
  return "did something";
}

/** The state of the page, built from the notes as they come. It draws nothing: what draws listens to it. */

const MOST_LINES = 2000;
const OK = 200;

export class Store extends EventTarget {
  constructor() {
    super();
    this.forget();
  }

  forget() {
    this.hello = null;
    this.people = new Map(); // id → { id, name, thread, typing }
    this.events = new Map(); // key → { key, person, item, at, steps }
    this.bubbles = new Map(); // mid → bubble
    this.lines = [];
    this.on = new Set();
    this.code = null;
    this.queues = null;
  }

  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  listen(type, listener) {
    this.addEventListener(type, (event) => listener(event.detail));
  }

  receiveHello(hello) {
    const restarted = this.hello && this.hello.instance !== hello.instance;
    if (restarted) this.forget();
    const first = !this.hello;
    this.hello = hello;
    this.on = new Set(hello.on);
    if (first) this.emit("begin", { restarted });
    this.emit("profile", hello.profile);
    this.emit("faults");
  }

  take(notes) {
    for (const note of notes) this[`take_${note.kind}`]?.(note);
    this.emit("caught-up");
  }

  event(key, note) {
    if (!key) return null;
    if (!this.events.has(key)) {
      this.events.set(key, { key, person: note.person, item: null, at: note.began ?? note.at, steps: [] });
    }
    return this.events.get(key);
  }

  step(key, note, content) {
    const event = this.event(key, note);
    if (!event) return;
    event.steps.push({ began: note.began ?? note.at, seconds: note.seconds ?? 0, ...content });
    this.emit("event", event);
  }

  take_person(note) {
    const person = { id: note.person, name: note.name, thread: [], typing: false };
    this.people.set(person.id, person);
    this.emit("person", person);
  }

  take_item(note) {
    const event = this.event(note.key, note);
    Object.assign(event, { item: note.item, at: note.at, person: note.person });
    const person = this.people.get(note.person);
    const { message, reaction, message_edit: edit } = note.item;
    if (reaction) {
      const bubble = this.bubbles.get(reaction.mid);
      if (bubble) {
        bubble.reaction = reaction.action === "react" ? reaction.emoji : "";
        this.emit("bubble", bubble);
      }
    } else if (edit && this.bubbles.has(edit.mid)) {
      const bubble = this.bubbles.get(edit.mid);
      bubble.content = { ...bubble.content, text: edit.text };
      bubble.edited = edit.num_edit;
      this.emit("bubble", bubble);
    }
    if (!reaction && !edit) {
      this.add(person, {
        id: `item-${note.seq}`, mine: true, key: note.key, mid: message?.mid ?? "", at: note.at,
        item: note.item, content: message ?? null, state: "sending", attempts: 0,
      });
    }
    this.emit("event", event);
  }

  add(person, bubble) {
    bubble.person = person.id;
    if (bubble.mid) this.bubbles.set(bubble.mid, bubble);
    person.thread.push(bubble);
    this.emit("message", bubble);
  }

  sentBubble(key) {
    const event = this.events.get(key);
    return event && this.people.get(event.person)?.thread.find((bubble) => bubble.mine && bubble.key === key);
  }

  take_post(note) {
    const bubble = this.sentBubble(note.key);
    if (bubble) {
      bubble.attempts += 1;
      if (note.status === OK && bubble.state === "sending") bubble.state = "delivered";
      this.emit("bubble", bubble);
    }
    this.step(note.key, note, { name: "post", status: note.status, detail: {
      method: "POST", "X-Hub-Signature-256": note.signature, bytes: note.bytes, answer: note.status || "none",
      ...(note.items > 1 && { itemsInThisRequest: note.items }), item: this.events.get(note.key)?.item,
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
    const failed = note.error ?? (note.lost ? { lost: note.status === OK
      ? "Facebook took it, but a fault lost the answer" : "A fault closed the connection before Facebook took it" } : null);
    this.step(note.key, note, { name: "send", status: note.lost ? 0 : note.status, number: note.number, lost: note.lost,
      detail: { request: note.body, answer: failed ?? { recipient_id: note.person, message_id: note.mid } } });
    if (!person || note.status !== OK) return;
    const { message, sender_action: action, payload } = note.body;
    if (action === "typing_on" || action === "typing_off") {
      person.typing = action === "typing_on";
      this.emit("typing", person);
    } else if (action === "mark_seen") {
      for (const bubble of person.thread) if (bubble.mine) bubble.state = "seen";
      this.emit("seen", person);
    } else if (action === "react" || action === "unreact") {
      const bubble = this.bubbles.get(payload?.message_id);
      if (bubble) {
        bubble.reaction = action === "react" ? payload.reaction : "";
        this.emit("bubble", bubble);
      }
    } else if (message) {
      person.typing = false;
      this.emit("typing", person);
      this.add(person, { id: `send-${note.seq}`, mine: false, key: note.key, mid: note.mid, at: note.at, content: message });
    }
  }

  take_line(note) {
    let fields = null;
    try { fields = JSON.parse(note.text); } catch { /* Lambda's own lines are not JSON */ }
    const line = { at: note.at, text: note.text, fields };
    this.lines.push(line);
    if (this.lines.length > MOST_LINES) this.lines.shift();
    if (fields?.event && this.events.has(fields.event)) {
      this.step(fields.event, note, { name: "line", status: fields.level === "ERROR" ? 500 : OK, detail: fields });
    }
    this.emit("line", line);
  }

  take_not_delivered(note) {
    for (const key of note.keys) {
      const bubble = this.sentBubble(key);
      if (bubble) {
        bubble.state = "failed";
        this.emit("bubble", bubble);
      }
      this.step(key, note, { name: "not_delivered", status: 500, detail: { reason: note.sentence } });
    }
  }

  take_faults(note) {
    this.on = new Set(note.on);
    this.emit("faults");
  }

  take_queues(note) {
    this.queues = note.counts;
    this.emit("queues", note.counts);
  }

  take_code(note) {
    this.code = { state: note.state, at: note.at, ...note.content };
    this.emit("code", this.code);
  }

  take_profile(note) {
    if (note.profile) {
      this.hello.profile = note.profile;
      this.emit("profile", note.profile);
    }
  }

  take_killed(note) {
    this.emit("killed", note);
  }

  take_failure(note) {
    this.emit("failure", note.sentence);
  }
}

/** The outcome of an event so far, and how many seconds it took. */
export function outcome(event) {
  const began = (name) => event.steps.some((step) => step.name === name);
  const has = (name) => event.steps.some((step) => step.name === name && step.status === OK && !step.lost);
  const last = Math.max(event.at, ...event.steps.filter((step) => !["echo", "echo_noted", "line"].includes(step.name))
    .map((step) => step.began + step.seconds));
  const seconds = last - event.at;
  if (has("dead") || has("dead_lettered")) return { state: "dead", text: "Dead letter", seconds };
  if (has("done")) return { state: "done", text: "Answered", seconds };
  const planned = event.steps.findLast((step) => step.name === "planned" && step.status === OK);
  if (planned && !planned.detail.answers?.length) return { state: "done", text: "No answer needed", seconds };
  if (began("not_delivered")) return { state: "dead", text: "Not delivered", seconds };
  const tail = event.steps.findLast((step) => !["echo", "line"].includes(step.name));
  if (tail?.name === "delayed") return { state: "waits", text: "Waits in the queue", seconds };
  if (began("taken")) return { state: "works", text: "Being answered", seconds };
  if (has("queued")) return { state: "waits", text: "In the queue", seconds };
  return { state: "works", text: began("post") ? "Not acknowledged" : "Being delivered", seconds };
}

/** What a person did, in a few words. */
export function summary(event) {
  const item = event.item ?? {};
  const message = item.message;
  if (message?.quick_reply) return `tapped “${message.text}”`;
  if (message?.attachments) return `sent ${{ sticker: "a thumbs up", image: "an image", audio: "an audio file", video: "a video", file: "a file" }[message.attachments[0].type] ?? "something"}`;
  if (message?.text) return `“${message.text}”`;
  if (item.postback) return `tapped “${item.postback.title}”`;
  if (item.reaction) return item.reaction.action === "react" ? `reacted with ${item.reaction.emoji}` : "removed a reaction";
  if (item.referral) return `came by the link “${item.referral.ref}”`;
  if (item.optin) return "wants to be notified";
  if (item.message_edit) return `edited a message to “${item.message_edit.text}”`;
  if (item.account_linking) return `${item.account_linking.status} their account`;
  if (item.messaging_feedback) return "gave feedback";
  return "sent an event";
}

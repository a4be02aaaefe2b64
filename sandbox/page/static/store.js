/** The state of the page, built from the notes as they come. It draws nothing: what draws listens to it. */

const MOST_LINES = 2000;
const OK = 200;
const FRESH_SECONDS = 5; // what is older, or was before this page, is history: shown in its place, and not announced
const OPENED = Date.now() / 1000;

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
    this.promise = null;
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

  isFresh(note) {
    return note.at > OPENED && Date.now() / 1000 - note.at < FRESH_SECONDS;
  }

  /** The row of the table of outcomes that an event has. */
  outcome(event) {
    return this.hello.outcomes[event.outcome];
  }

  fault(name) {
    return this.hello.faults.find((each) => each.name === name);
  }

  event(key, note) {
    if (!key) return null;
    if (!this.events.has(key)) {
      this.events.set(key, { key, person: note.person, item: null, at: note.began ?? note.at, steps: [], outcome: "delivering", until: 0, seconds: 0, faults: [], known: false });
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

  take_outcome(note) {
    const event = this.event(note.key, note);
    const { outcome, until, seconds, faults, person } = note;
    Object.assign(event, { outcome, until, seconds, faults, person, known: true });
    const bubble = this.sentBubble(note.key);
    if (bubble) this.emit("bubble", bubble);
    this.emit("event", event);
  }

  take_defect(note) {
    const event = this.event(note.key, note);
    event.defect = note;
    this.emit("event", event);
    if (this.isFresh(note)) this.emit("defect", note);
  }

  take_promise(note) {
    this.promise = note;
    this.emit("promise", note);
  }

  take_demonstrations(note) {
    this.hello.demonstrations = note.demonstrations;
  }

  take_inbox(note) {
    const person = this.people.get(note.person);
    this.add(person, { id: `inbox-${note.seq}`, mine: false, human: "from the page inbox", key: "", mid: note.mid, at: note.at, content: { text: note.text } });
  }

  divide(note, words) {
    this.add(this.people.get(note.person), { id: `divider-${note.seq}`, divider: words, key: "", mid: "", at: note.at });
  }

  take_day_later(note) {
    this.divide(note, "A day later");
  }

  take_forgotten(note) {
    this.divide(note, "The bot has forgotten this person");
  }

  take_item(note) {
    const event = this.event(note.key, note);
    Object.assign(event, { item: note.item, at: note.at, person: note.person, known: true });
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
    if (!reaction && !edit && !note.item.notice && !note.item.pass_thread_control) {
      this.add(person, {
        id: `item-${note.seq}`, mine: true, key: note.key, mid: message?.mid ?? "", at: note.at,
        item: note.item, content: message ?? null, seen: false,
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
    const { sender_action: action, payload } = note.body;
    const message = note.body.message && note.shown;
    const human = note.body.message?.metadata?.startsWith("human:") ? "by ops reply" : "";
    if (action === "typing_on" || action === "typing_off") {
      person.typing = action === "typing_on";
      this.emit("typing", person);
    } else if (action === "mark_seen") {
      for (const bubble of person.thread) if (bubble.mine) bubble.seen = true;
      this.emit("seen", person);
    } else if (action === "react" || action === "unreact") {
      const bubble = this.bubbles.get(payload?.message_id);
      if (bubble) {
        bubble.reaction = action === "react" ? payload.reaction : "";
        this.emit("bubble", bubble);
      }
    } else if (note.body.public_reply) {
      this.add(person, { id: `send-${note.seq}`, mine: false, everybody: true, key: note.key, mid: "", at: note.at, content: { text: note.body.public_reply } });
    } else if (message) {
      person.typing = false;
      this.emit("typing", person);
      this.add(person, { id: `send-${note.seq}`, mine: false, human, key: human ? "" : note.key, mid: note.mid, at: note.at, content: message });
    }
  }

  take_line(note) {
    let fields = null;
    try { fields = JSON.parse(note.text); } catch { /* Lambda's own lines are not JSON */ }
    const line = { at: note.at, text: note.text, fields, key: this.events.has(fields?.event) ? fields.event : "" };
    this.lines.push(line);
    if (this.lines.length > MOST_LINES) this.lines.shift();
    if (fields?.event && this.events.has(fields.event)) {
      this.step(fields.event, note, { name: "line", status: fields.level === "ERROR" ? 500 : OK, detail: fields });
    }
    this.emit("line", line);
  }

  take_not_delivered(note) {
    for (const key of note.keys) this.step(key, note, { name: "not_delivered", status: 500, detail: { reason: note.sentence } });
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
    this.code = { state: note.state, at: note.at, fresh: this.isFresh(note), ...note.content };
    this.emit("code", this.code);
  }

  take_profile(note) {
    if (note.profile) {
      this.hello.profile = note.profile;
      this.emit("profile", note.profile);
    }
  }

  take_killed(note) {
    this.step(note.key, note, { name: "killed", status: 500, detail: {} });
  }

  take_failure(note) {
    if (this.isFresh(note)) this.emit("failure", note.sentence);
  }
}

/** What a person did, in a few words. */
export function summary(event) {
  const { item } = event;
  if (!item) return "got news from outside this page";
  const message = item.message;
  if (message?.quick_reply) return `tapped “${message.text}”`;
  if (message?.attachments) return `sent ${{ sticker: "a thumbs up", image: "an image", audio: "an audio file", video: "a video", file: "a file" }[message.attachments[0].type] ?? "something"}`;
  if (message?.text) return `“${message.text}”`;
  if (item.field) return `commented “${item.value.message}”`;
  if (item.postback) return `tapped “${item.postback.title}”`;
  if (item.reaction) return item.reaction.action === "react" ? `reacted with ${item.reaction.emoji}` : "removed a reaction";
  if (item.referral) return `came by the link “${item.referral.ref}”`;
  if (item.optin) return "wants to be notified";
  if (item.message_edit) return `edited a message to “${item.message_edit.text}”`;
  if (item.account_linking) return `${item.account_linking.status} their account`;
  if (item.notice) return `gets news about “${item.notice.topic}”`;
  if (item.pass_thread_control) return "is given back to the bot";
  if (item.messaging_feedback) return "gave feedback";
  return "sent an event";
}

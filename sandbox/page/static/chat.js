/** One person's chat with the page, as Messenger shows it. */
import { ask, clock, h, icon, opener, toast } from "./dom.js";
import { post, upload } from "./api.js";
import { content } from "./bubbles.js";

const PAUSE_SECONDS = 20 * 60; // after a pause of this length the time is shown
const RECEIPT_MS = 250; // receipts are collected for so long
const NEAR_END = 80; // pixels: closer to the end than this, the chat follows new messages

/** The entry for the browser's language in a list of the profile. */
function inLanguage(list) {
  const own = navigator.language.replace("-", "_").toLowerCase();
  const by = (match) => list?.find((each) => match(each.locale.toLowerCase()));
  return by((locale) => locale === own) ?? by((locale) => locale.split("_")[0] === own.split("_")[0]) ?? by((locale) => locale === "default");
}

export class Chat {
  /**
   * @param {Object} store the state of the page.
   * @param {Object} person whose chat it is.
   * @param {{why: (key: string) => void, close: (id: string) => void, focus: (id: string) => void}} page what a chat can do with the page.
   */
  constructor(store, person, page) {
    Object.assign(this, { store, person, page, unseen: [], drawn: new Map(), before: null });
    this.log = h("ol", { class: "messages", "aria-label": `Messages of ${person.name} and the bot` });
    this.scroller = h("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": `Conversation of ${person.name}`, "aria-live": "polite", "aria-relevant": "additions" });
    this.welcome = h("div", { class: "welcome" });
    this.typing = h("p", { class: "typing", hidden: true }, h("span", { class: "hidden" }, "The bot is typing"), h("i"), h("i"), h("i"));
    this.quick = h("div", { class: "quick", role: "group", "aria-label": "Quick replies" });
    this.scroller.append(this.welcome, this.log, this.typing, this.quick);
    const world = opener("world", `Let something happen to ${person.name}`, () => this.worldEntries(), { className: "popover world" });
    this.root = h("article", { class: "chat", "aria-label": `Chat of ${person.name}`, data: { person: person.id }, on: { focusin: () => page.focus(person.id) } },
      this.composer(), // first, so that the keyboard reaches it first; the style puts it at the end
      h("header", { class: "chat-top" },
        h("span", { class: "avatar bot", "aria-hidden": "true" }, h("img", { src: "/static/icon.svg", alt: "" })),
        h("div", { class: "chat-names" }, h("h2", {}, "Your page"), h("span", { class: "muted small" }, `as ${person.name} sees it`)),
        world.button, world.popover,
        h("button", { type: "button", class: "icon close", "aria-label": `Close the chat of ${person.name}`, on: { click: () => page.close(person.id) } }, icon("close"))),
      this.scroller);
    this.atEnd = true;
    this.top = 0;
    this.scroller.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.scroller;
      if (scrollHeight - scrollTop - clientHeight < NEAR_END) this.atEnd = true;
      else if (scrollTop < this.top) this.atEnd = false; // the person scrolled up: new messages do not scroll down
      this.top = scrollTop;
    }, { passive: true });
    const size = new ResizeObserver(() => { if (this.atEnd) this.toEnd(); });
    for (const part of [this.scroller, ...this.scroller.children]) size.observe(part);
    for (const bubble of person.thread) this.add(bubble);
    this.greet();
    new IntersectionObserver((entries) => { this.visible = entries[0].isIntersecting; this.receive(); }).observe(this.root);
  }

  act(action) {
    return post("/api/actions", { person: this.person.id, ...action });
  }

  // What happens around the person

  worldEntries() {
    const { name, id: person } = this.person;
    const notify = (topic, data) => post("/api/notices", { person, topic, data });
    return [
      ...Object.entries(this.store.hello.demonstrations).map(([title, topic]) => [title, () => notify(topic, {})]),
      ["Send news…", async () => {
        const given = await ask(`News for ${name}`, { "Topic, as in @bot.notice(…)": "", "Data, as in number=12345678": "" });
        if (given) notify(given[0], Object.fromEntries(given[1].split(/\s+/).filter(Boolean).map((each) => [each.split("=")[0], each.split("=").slice(1).join("=")])));
      }],
      ["A day later", () => post("/api/day-later", { person })],
      ["Answer as a human…", async () => {
        const given = await ask(`Answer ${name} from the page inbox`, { "Your answer": "" });
        if (given?.[0]) post("/api/inbox", { person, text: given[0] });
      }],
      ["Reply as a human, with ops…", async () => {
        const given = await ask(`Write to ${name} with ops reply`, { "Your reply": "" });
        if (given?.[0]) post("/api/reply", { person, text: given[0] });
      }],
      ["Give the conversation back to the bot", () => this.act({ kind: "hand_back" })],
      [`Forget ${name}`, async () => {
        const done = await post("/api/forget", { person });
        if (done) toast(done.sentence);
      }],
    ];
  }

  // The composer

  composer() {
    this.field = h("textarea", {
      rows: "1", "aria-label": `Message of ${this.person.name}`, placeholder: "Aa", enterkeyhint: "send",
      on: { input: () => this.grow(), keydown: (event) => { if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.send(); } } },
    });
    this.sender = h("button", { type: "submit", class: "icon strong-icon send", "aria-label": "Send a thumbs up" });
    this.file = h("input", { type: "file", hidden: true, accept: "image/*,audio/*,video/*,application/pdf,text/plain", "aria-label": "File to send", on: { change: () => this.sendFile() } });
    const menu = opener("menu", "Menu", () => this.menuEntries());
    this.menuButton = menu.button;
    const more = opener("plus", "More to send", () => [
      ["An image, audio, video or other file…", () => this.file.click()],
      ["A sample image", () => this.act({ kind: "attachment", type: "image", url: `${location.origin}/static/icon.svg` })],
      ["Come by an m.me link…", async () => { const given = await ask("Come by an m.me link", { "The ref of the link": "spring" }); if (given?.[0]) this.act({ kind: "referral", ref: given[0] }); }],
      ["Comment on a post…", async () => { const given = await ask("Comment on a post of the page", { "Your comment": "", "The id of the post": "1001" }); if (given?.[0]) this.act({ kind: "comment", text: given[0], post: given[1] }); }],
      ["Edit the last message…", () => this.edit()],
    ]);
    const form = h("form", { class: "composer", on: { submit: (event) => { event.preventDefault(); this.send(); } } },
      this.field, this.file, this.sender, menu.button, menu.popover, more.button, more.popover);
    this.grow();
    return form;
  }

  menuEntries() {
    const menu = inLanguage(this.store.hello.profile.persistent_menu)?.call_to_actions ?? [];
    return menu.map((each) => [each.title, () => this.act({ kind: "postback", title: each.title, payload: each.payload }), each.type === "web_url" && /^https?:/.test(each.url) ? each.url : ""]);
  }

  grow() {
    this.field.style.height = "auto";
    if (this.field.scrollHeight) this.field.style.height = `${Math.min(this.field.scrollHeight, 140)}px`;
    const empty = !this.field.value.trim();
    if (this.empty === empty) return;
    this.empty = empty;
    this.sender.replaceChildren(empty ? h("img", { src: "/static/like.svg", alt: "", width: "24", height: "24" }) : icon("send"));
    this.sender.setAttribute("aria-label", empty ? "Send a thumbs up" : "Send");
  }

  send() {
    const text = this.field.value.trim();
    this.field.value = "";
    this.grow();
    if (text) this.page.write(this.person, text);
    else this.act({ kind: "sticker", url: `${location.origin}/static/like.svg` });
    this.field.focus();
  }

  async sendFile() {
    const [file] = this.file.files;
    this.file.value = "";
    if (!file) return;
    const url = await upload(file);
    const kind = file.type.split("/")[0];
    if (url) this.act({ kind: "attachment", type: ["image", "audio", "video"].includes(kind) ? kind : "file", url });
  }

  async edit() {
    const last = this.person.thread.findLast((bubble) => bubble.mine && bubble.content?.text);
    if (!last) return toast("There is no message to edit yet.");
    const given = await ask("Edit the last message", { "Its new text": last.content.text });
    const text = given?.[0];
    if (text) this.act({ kind: "edit", mid: last.mid, text, number: (last.edited ?? 0) + 1 });
  }

  // Messages

  greet() {
    const { profile } = this.store.hello;
    this.menuButton.hidden = !profile.persistent_menu;
    const began = this.person.thread.length > 0;
    const words = inLanguage(profile.greeting)?.text.replaceAll("{{user_first_name}}", this.person.name).replaceAll("{{user_full_name}}", this.person.name);
    const questions = began ? [] : inLanguage(profile.ice_breakers)?.call_to_actions ?? [];
    this.welcome.replaceChildren(
      h("img", { src: "/static/icon.svg", alt: "", width: "64", height: "64" }),
      h("p", { class: "greeting" }, words ?? "Say something to the bot."),
      h("p", { class: "muted small" }, "Automated: everything here stays on this machine."),
      questions.length > 0 && h("div", { class: "ice" }, questions.map((each) => h("button", { type: "button", class: "chip", on: { click: () => this.act({ kind: "postback", title: each.question, payload: each.payload }) } }, each.question))) || "",
      !began && !questions.length && profile.get_started && h("button", { type: "button", class: "strong wide", on: { click: () => this.act({ kind: "postback", title: "Get Started", payload: profile.get_started.payload }) } }, "Get started") || "");
  }

  add(bubble) {
    if (bubble.divider) {
      this.log.append(h("li", { class: "time divider" }, bubble.divider));
      this.before = null;
      return;
    }
    const previous = this.before;
    if (this.drawn.size === 0) queueMicrotask(() => this.greet());
    if (this.drawn.size === 0 || (previous && bubble.at - previous.at > PAUSE_SECONDS)) this.log.append(h("li", { class: "time" }, clock(bubble.at)));
    const joined = previous && previous.mine === bubble.mine && !previous.human === !bubble.human && bubble.at - previous.at < PAUSE_SECONDS;
    if (joined) this.drawn.get(previous.id)?.classList.add("followed");
    const row = h("li", { class: `row-message ${bubble.mine ? "mine" : "theirs"}${joined ? " joined" : ""}`, data: { key: bubble.key, id: bubble.id } });
    this.drawn.set(bubble.id, row);
    this.before = bubble;
    this.fill(row, bubble);
    this.log.append(row);
    this.offer(bubble);
    if (!bubble.mine && bubble.mid) { this.unseen.push(bubble.mid); this.receive(); }
    if (this.atEnd || bubble.mine) this.toEnd();
  }

  fill(row, bubble) {
    const who = bubble.mine ? this.person.name : bubble.human ? "A human" : "The bot";
    const why = bubble.key && h("button", { type: "button", class: "tool why", title: "Why? Show what happened", "aria-label": `Why? Show what happened behind this message of ${who === "The bot" ? "the bot" : who}`, on: { click: () => this.page.why(bubble.key) } }, icon("why"));
    row.replaceChildren(
      h("span", { class: "hidden" }, `${who}, ${clock(bubble.at)}: `),
      !bubble.mine ? h("span", { class: "avatar bot small-avatar", "aria-hidden": "true" }, h("img", { src: "/static/icon.svg", alt: "" })) : "",
      h("div", { class: `said${bubble.key ? " explained" : ""}`, on: { click: (event) => { if (bubble.key && !event.target.closest("a, button, audio, video")) this.page.why(bubble.key); } } }, bubble.human && h("span", { class: "muted small" }, `A human, ${bubble.human}`), bubble.everybody && h("span", { class: "muted small" }, "In public, under the comment"), content(bubble, (action) => this.act(action)),
        bubble.reaction && h("span", { class: "reaction", role: "img", "aria-label": `Reaction: ${bubble.reaction}` }, bubble.reaction)),
      bubble.mine ? this.receipt(bubble) : "",
      h("div", { class: "tools" }, why || "", !bubble.mine && bubble.mid ? this.reactor(bubble) : ""));
  }

  /** The mark under a person's message: its event's outcome, or that the bot has seen it. */
  receipt(bubble) {
    if (bubble.pending) return h("span", { class: "mark waits", role: "img", "aria-label": "Kept, sent when the sandbox is back" }, "○");
    const { word, mark, colour } = this.store.outcome(this.store.events.get(bubble.key));
    const seen = bubble.seen && mark === "✓";
    const words = seen ? `Seen by the bot. ${word}` : word;
    return h("span", { class: `mark ${colour}${seen ? " seen" : ""}`, role: "img", "aria-label": words, title: words }, mark);
  }

  reactor(bubble) {
    const { button, popover } = opener("smile", "React to this message", () => this.store.hello.reactions.map((emoji) => [emoji, () => this.act({
      kind: "reaction", mid: bubble.mid, emoji, action: bubble.reaction === emoji ? "unreact" : "react",
    }), "", emoji]), { className: "reactions", buttonClass: "tool" });
    return h("span", { class: "reactor" }, button, popover);
  }

  redraw(bubble) {
    const row = this.drawn.get(bubble.id);
    if (!row) return;
    if (bubble.mine && !bubble.reaction && !bubble.edited) row.querySelector(".mark")?.replaceWith(this.receipt(bubble));
    else this.fill(row, bubble);
  }

  /** Quick replies are shown below the last message only, and disappear with the next one. */
  offer(bubble) {
    const choices = bubble.mine ? [] : bubble.content?.quick_replies ?? [];
    const filled = { user_phone_number: "+49 30 1234567", user_email: `${this.person.name.toLowerCase()}@example.org` };
    this.quick.replaceChildren(...choices.map((choice) => {
      const title = choice.title ?? filled[choice.content_type] ?? "";
      const payload = choice.payload ?? title;
      return h("button", { type: "button", class: "chip", on: { click: () => { this.quick.replaceChildren(); this.act({ kind: "quick_reply", title, payload }); this.field.focus(); } } }, title);
    }));
  }

  /** Send receipts for the messages that arrived; they are read if the chat is visible. */
  receive() {
    if (!this.unseen.length || this.receipts) return;
    this.receipts = setTimeout(() => {
      this.receipts = null;
      const mids = this.unseen.splice(0);
      post("/api/receipts", { person: this.person.id, mids, read: this.visible === true && document.visibilityState === "visible" });
    }, RECEIPT_MS);
  }

  /** Show what was written and could not be sent yet. */
  showKept(texts) {
    this.kept ??= h("ol", { class: "messages", "aria-label": "Not sent yet" });
    this.log.after(this.kept);
    this.kept.replaceChildren(...texts.map((each) => h("li", { class: "row-message mine pending" }, h("div", { class: "said" }, h("div", { class: "bubble" }, each)), this.receipt({ pending: true }))));
    this.toEnd();
  }

  showTyping() {
    this.typing.hidden = !this.person.typing;
    if (this.person.typing) this.toEnd();
  }

  toEnd() {
    if (this.ending) return;
    this.atEnd = true;
    this.ending = requestAnimationFrame(() => { this.ending = null; this.scroller.scrollTop = this.scroller.scrollHeight; });
  }

  /** Highlight all messages of an event. */
  mark(key) {
    for (const row of this.drawn.values()) row.classList.toggle("marked", Boolean(key) && row.dataset.key === key);
  }
}

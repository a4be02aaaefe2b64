/** Puts the page together: people, chats and the panel beside them. */
import { h, icon, span, toast } from "./dom.js";
import { follow, post } from "./api.js";
import { Store } from "./store.js";
import { Chat } from "./chat.js";
import { Trail } from "./trail.js";
import { Breakers, Log, Memories } from "./panes.js";
import { Picture } from "./stack.js";
import { Tour } from "./tour.js";

const WIDE = matchMedia("(min-width: 900px)");
const ROOMY = matchMedia("(min-width: 1700px)");
const $ = (id) => document.getElementById(id);

const store = new Store();
const chats = new Map(); // person's id → Chat, of those that are open, in order
let current = null;
let view = "trail";
let tour = null;

const page = {
  why(key) {
    show("trail");
    panes.trail.choose(key);
    tour?.tick("why");
  },
  close(id) {
    chats.delete(id);
    if (current === id) current = [...chats.keys()].at(-1) ?? null;
    arrange();
  },
  focus(id) {
    if (current === id) return;
    current = id;
    if (view === "memory") panes.memory.draw();
  },
  mark(key) {
    for (const chat of chats.values()) chat.mark(key);
  },
  current: () => current,
};
const panes = {
  trail: new Trail(store, page), break: new Breakers(store, page), memory: new Memories(store, page), log: new Log(store), stack: new Picture(),
};
const TABS = [["chat", "Chat", "chat"], ["trail", "Behind it", "trail"], ["break", "Break", "break"], ["memory", "Memory", "memory"], ["log", "Log", "log"], ["stack", "Stack", "stack"]];

// The panel

function show(name) {
  if (name !== "chat") view = name;
  document.body.dataset.view = name === "chat" ? "chat" : "panel";
  for (const tab of $("tabs").querySelectorAll("button")) {
    const chosen = tab.dataset.name === (WIDE.matches || name !== "chat" ? view : "chat");
    tab.setAttribute("aria-current", String(chosen));
  }
  for (const [each, pane] of Object.entries(panes)) pane.root.hidden = each !== view;
  if (name === "memory") panes.memory.draw();
  if (name === "stack") panes.stack.draw();
  if (name === "log") panes.log.draw();
}

for (const [name, words, glyph] of TABS) {
  $("tabs").append(h("button", { type: "button", class: `tab tab-${name}`, data: { name }, on: { click: () => show(name) } }, icon(glyph), h("span", {}, words)));
}
for (const pane of Object.values(panes)) $("panel").append(pane.root);
WIDE.addEventListener("change", () => { arrange(); show(WIDE.matches ? view : "chat"); });

// People and their chats

function open(id) {
  if (!WIDE.matches) chats.clear();
  if (!chats.has(id)) {
    if (chats.size >= (ROOMY.matches ? 3 : 2)) chats.delete(chats.keys().next().value);
    chats.set(id, new Chat(store, store.people.get(id), page));
  }
  current = id;
  arrange();
}

function arrange() {
  if (!WIDE.matches) for (const id of [...chats.keys()]) if (id !== current) chats.delete(id);
  const columns = $("columns");
  const wanted = [...chats.values()].map((chat) => chat.root);
  for (const each of [...columns.children]) if (!wanted.includes(each)) each.remove();
  for (const each of wanted) if (each.parentNode !== columns) columns.append(each);
  columns.dataset.count = String(chats.size);
  $("people").replaceChildren(
    ...[...store.people.values()].map((person, index) => h("button", {
      type: "button", class: `person hue-${index % 6}`, "aria-pressed": String(chats.has(person.id)),
      on: { click: () => (chats.has(person.id) && chats.size > 1 && WIDE.matches ? page.close(person.id) : open(person.id)) },
    }, h("span", { class: "avatar", "aria-hidden": "true" }, [...person.name][0]), person.name)),
    h("button", { type: "button", class: "person add", on: { click: async () => {
      const made = await post("/api/people", { name: "" });
      if (made) { wantOpen = made.person; if (store.people.has(made.person)) open(made.person); }
    } } }, icon("plus"), h("span", {}, "Somebody else")));
  if (view === "memory") panes.memory.draw();
}
let wantOpen = null;

// What happens

store.listen("begin", ({ another }) => {
  chats.clear();
  current = null;
  $("columns").replaceChildren();
  panes.trail.forget();
  panes.break.forget();
  panes.log.draw();
  panes.stack.forget();
  tour?.root.remove();
  tour = new Tour(store.hello.instance);
  $("panel").prepend(tour.root);
  $("stack-name").textContent = `stack ${store.hello.stack}`;
  if (another) toast("The sandbox was restarted: a new conversation begins.");
});
store.listen("person", (person) => {
  if (!chats.size || wantOpen === person.id) open(person.id);
  else arrange();
});
store.listen("said", (bubble) => {
  chats.get(bubble.person)?.say(bubble);
  if (!bubble.mine) {
    tour?.tick("chat");
    if (down && !store.on.has("down")) tour?.tick("mend");
  }
});
let down = false;
store.listen("switches", () => {
  panes.break.draw();
  if (store.on.has("down")) { down = true; tour?.tick("break"); }
  document.body.classList.toggle("broken", store.on.size > 0);
  const tab = $("tabs").querySelector(".tab-break span");
  tab.textContent = store.on.size ? `Break (${store.on.size} on)` : "Break";
});
store.listen("bubble", (bubble) => chats.get(bubble.person)?.redraw(bubble));
store.listen("seen", (person) => { for (const bubble of person.thread) if (bubble.mine) chats.get(person.id)?.redraw(bubble); });
store.listen("typing", (person) => chats.get(person.id)?.showTyping());
store.listen("profile", () => { for (const chat of chats.values()) chat.greet(); });
store.listen("event", (event) => { panes.trail.draw(event); panes.break.watch(event); });
store.listen("line", (line) => { if (view === "log") panes.log.add(line); });
store.listen("queues", (counts) => { panes.memory.count(counts); if (view === "memory") panes.memory.draw(); });
store.listen("killed", () => toast("The function was killed, just as it sent."));
store.listen("trouble", (sentence) => toast(sentence));
store.listen("code", (code) => {
  const shown = $("code");
  shown.className = `pill ${code.state}`;
  const where = `${code.file}${code.line ? `, line ${code.line}` : ""}`;
  shown.textContent = { checking: "Checking the code…", live: `New code is live (${span(code.seconds ?? 0)})`, broken: `Error in ${where || "the code"}` }[code.state];
  document.getElementById("code-error")?.remove();
  if (code.state === "broken") {
    document.querySelector("main").before(h("div", { id: "code-error", class: "code-error", role: "alert" },
      h("strong", {}, where || "The code"), h("span", {}, code.message), code.text && h("code", {}, code.text), h("span", { class: "muted" }, "The last good version goes on answering.")));
  }
  if (code.state === "live") tour?.tick("change");
});

follow((hello) => store.greeted(hello), (notes) => store.take(notes), (up) => {
  $("connection").className = `pill ${up ? "live" : "broken"}`;
  $("connection").textContent = up ? "Connected" : "Reconnecting…";
  document.body.classList.toggle("offline", !up);
});

// Light and dark

function paint(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  const dark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  $("theme").replaceChildren(icon(dark ? "sun" : "moon"));
  return dark;
}
paint(localStorage.getItem("theme"));
$("theme").addEventListener("click", () => {
  const next = paint(document.documentElement.dataset.theme) ? "light" : "dark";
  localStorage.setItem("theme", next);
  paint(next);
});
show(WIDE.matches ? "trail" : "chat");

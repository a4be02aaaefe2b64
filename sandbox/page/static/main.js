/** Puts the chat page together: people, chats and the panel beside them. */
import { h, icon, span, toast } from "./dom.js";
import { follow, post } from "./api.js";
import { Store } from "./store.js";
import { Chat } from "./chat.js";
import { Diagram } from "./diagram.js";
import { EventList } from "./events.js";
import { FaultPanel, Log, Memory } from "./panels.js";
import { Tour } from "./tour.js";

const WIDE = matchMedia("(min-width: 900px)");
const ROOMY = matchMedia("(min-width: 1700px)");
const $ = (id) => document.getElementById(id);

const store = new Store();
const chats = new Map(); // person's id → open Chat, in order
let current = null;
let view = "events";
let tour = null;

const page = {
  why(key) {
    show("events");
    panels.events.choose(key);
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
    if (view === "memory") panels.memory.draw();
  },
  mark(key) {
    for (const chat of chats.values()) chat.mark(key);
  },
  current: () => current,
};
const panels = {
  events: new EventList(store, page), faults: new FaultPanel(store, page), memory: new Memory(store, page), log: new Log(store), diagram: new Diagram(),
};
const TABS = [["chat", "Chat", "chat"], ["events", "Events", "events"], ["faults", "Faults", "faults"], ["memory", "Memory", "memory"], ["log", "Log", "log"], ["diagram", "Stack", "stack"]];

// The panel

function show(name) {
  if (name !== "chat") view = name;
  document.body.dataset.view = name === "chat" ? "chat" : "panel";
  for (const tab of $("tabs").querySelectorAll("button")) {
    const chosen = tab.dataset.name === (WIDE.matches || name !== "chat" ? view : "chat");
    tab.setAttribute("aria-current", String(chosen));
  }
  for (const [each, panel] of Object.entries(panels)) panel.root.hidden = each !== view;
  if (name === "memory") panels.memory.draw();
  if (name === "diagram") panels.diagram.draw();
  if (name === "log") panels.log.draw();
}

for (const [name, words, glyph] of TABS) {
  $("tabs").append(h("button", { type: "button", class: `tab tab-${name}`, data: { name }, on: { click: () => show(name) } }, icon(glyph), h("span", {}, words)));
}
for (const panel of Object.values(panels)) $("panel").append(panel.root);
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
    } } }, icon("plus"), h("span", {}, "Add a person")));
  if (view === "memory") panels.memory.draw();
}
let wantOpen = null;

// What happens

store.listen("begin", ({ restarted }) => {
  chats.clear();
  current = null;
  $("columns").replaceChildren();
  panels.events.forget();
  panels.faults.forget();
  panels.log.draw();
  panels.diagram.forget();
  tour?.root.remove();
  tour = new Tour(store.hello.instance);
  $("panel").prepend(tour.root);
  $("stack-name").textContent = `stack ${store.hello.stack}`;
  if (restarted) toast("The sandbox was restarted: a new conversation begins.");
});
store.listen("person", (person) => {
  if (!chats.size || wantOpen === person.id) open(person.id);
  else arrange();
});
store.listen("message", (bubble) => {
  chats.get(bubble.person)?.add(bubble);
  if (!bubble.mine) {
    tour?.tick("chat");
    if (down && !store.on.has("down")) tour?.tick("recover");
  }
});
let down = false;
store.listen("faults", () => {
  panels.faults.draw();
  if (store.on.has("down")) { down = true; tour?.tick("break"); }
  document.body.classList.toggle("broken", store.on.size > 0);
  const tab = $("tabs").querySelector(".tab-faults span");
  tab.textContent = store.on.size ? `Faults (${store.on.size} on)` : "Faults";
});
store.listen("bubble", (bubble) => chats.get(bubble.person)?.redraw(bubble));
store.listen("seen", (person) => { for (const bubble of person.thread) if (bubble.mine) chats.get(person.id)?.redraw(bubble); });
store.listen("typing", (person) => chats.get(person.id)?.showTyping());
store.listen("profile", () => { for (const chat of chats.values()) chat.greet(); });
store.listen("event", (event) => { panels.events.draw(event); panels.faults.watch(event); });
store.listen("line", (line) => { if (view === "log") panels.log.add(line); });
store.listen("queues", (counts) => { panels.memory.count(counts); if (view === "memory") panels.memory.draw(); });
store.listen("killed", () => toast("The function was killed while it was sending."));
store.listen("failure", (sentence) => toast(sentence));
store.listen("code", (code) => {
  const shown = $("code");
  shown.className = `pill ${code.state}`;
  const where = `${code.file}${code.line ? `, line ${code.line}` : ""}`;
  shown.textContent = { checking: "Checking the code…", live: `New code is live (${span(code.seconds ?? 0)})`, broken: `Error in ${where || "the code"}` }[code.state];
  document.getElementById("code-error")?.remove();
  if (code.state === "broken") {
    document.querySelector("main").before(h("div", { id: "code-error", class: "code-error", role: "alert" },
      h("strong", {}, where || "The code"), h("span", {}, code.message), code.text && h("code", {}, code.text), h("span", { class: "muted" }, "The last good version keeps answering.")));
  }
  if (code.state === "live") tour?.tick("change");
});

follow((hello) => store.receiveHello(hello), (notes) => store.take(notes), (up) => {
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
show(WIDE.matches ? "events" : "chat");

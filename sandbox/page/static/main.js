/** Puts the chat page together: people, chats and the panel beside them. */
import { ask, h, icon, span, toast } from "./dom.js";
import { follow, post } from "./api.js";
import { Store } from "./store.js";
import { Chat } from "./chat.js";
import { Diagram } from "./diagram.js";
import { EventList, defectBox } from "./events.js";
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
    panels.events.pin(true, key);
    tour?.tick("why");
  },
  async write(person, text) {
    if (kept.length) keep(person.name, text); // behind what was written before
    else await post("/api/actions", { person: person.id, kind: "text", text }, () => keep(person.name, text));
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
  events: new EventList(store, page), faults: new FaultPanel(store, page), memory: new Memory(store, page), log: new Log(store, page), diagram: new Diagram(),
};
const TABS = [["chat", "Chat", "chat"], ["events", "Events", "events"], ["faults", "Faults", "faults"], ["memory", "Memory", "memory"], ["log", "Log", "log"], ["diagram", "Stack", "stack"]];

// What was written while the sandbox did not answer

const kept = JSON.parse(sessionStorage.getItem("kept") ?? "[]"); // { name, text }, in order

function keep(name, text) {
  kept.push({ name, text });
  sessionStorage.setItem("kept", JSON.stringify(kept));
  showKept();
}

function showKept() {
  for (const chat of chats.values()) chat.showKept(kept.filter((each) => each.name === chat.person.name).map((each) => each.text));
}

/** Send what was kept. After a restart the people are others: their names decide, or else the first is meant. */
async function sendKept() {
  const people = [...store.people.values()];
  while (kept.length && people.length) {
    const [{ name, text }] = kept;
    const person = people.find((each) => each.name === name) ?? people[0];
    let offline = false;
    await post("/api/actions", { person: person.id, kind: "text", text }, () => { offline = true; });
    if (offline) break;
    kept.shift();
    sessionStorage.setItem("kept", JSON.stringify(kept));
    showKept();
  }
}
let sending = Promise.resolve();
store.listen("caught-up", () => { if (kept.length) sending = sending.then(sendKept); });

// The panel

const tabs = () => [...$("tabs").children].filter((each) => each.offsetParent);

function show(name) {
  if (name !== "chat") view = name;
  document.body.dataset.view = name === "chat" ? "chat" : "panel";
  const shown = WIDE.matches ? view : name;
  for (const tab of $("tabs").children) {
    tab.setAttribute("aria-selected", String(tab.dataset.name === shown));
    tab.tabIndex = tab.dataset.name === shown ? 0 : -1;
  }
  for (const [each, panel] of Object.entries(panels)) panel.root.hidden = each !== view;
  if (name === "memory") panels.memory.draw();
  if (name === "diagram") panels.diagram.draw();
  if (name === "log") panels.log.draw();
}

for (const [name, words, glyph] of TABS) {
  $("tabs").append(h("button", { type: "button", class: `tab tab-${name}`, role: "tab", id: `tab-${name}`, data: { name }, "aria-controls": name === "chat" ? "chats" : `view-${name}`, on: { click: () => show(name) } }, icon(glyph), h("span", {}, words)));
}
$("tabs").addEventListener("keydown", (event) => {
  const all = tabs();
  const at = all.indexOf(document.activeElement);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  all[to % all.length].focus();
  all[to % all.length].click();
});
for (const [name, panel] of Object.entries(panels)) {
  Object.assign(panel.root, { id: `view-${name}`, role: "tabpanel" });
  panel.root.setAttribute("aria-labelledby", `tab-${name}`);
  $("panel").append(panel.root);
}
WIDE.addEventListener("change", () => { arrange(); show(WIDE.matches ? view : "chat"); });
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  show("chat");
  (chats.get(current)?.field ?? $("chats")).focus();
});
$("start-over").append(icon("again"));
$("start-over").addEventListener("click", async () => {
  if (await ask("Start over? Everybody and everything said so far is forgotten, and all faults are switched off.", {}, "Start over")) post("/api/start-over", {});
});

// People and their chats

function open(id) {
  if (!WIDE.matches) chats.clear();
  if (!chats.has(id)) {
    if (chats.size >= (ROOMY.matches ? 3 : 2)) chats.delete(chats.keys().next().value);
    chats.set(id, new Chat(store, store.people.get(id), page));
  }
  current = id;
  arrange();
  showKept();
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
  $("code").textContent = "";
  $("notices").replaceChildren();
  tour?.root.remove();
  tour = new Tour();
  $("panel").prepend(tour.root);
  $("stack-name").textContent = `stack ${store.hello.stack}${store.hello.real ? ", real page" : ""}`;
  document.body.classList.toggle("real", Boolean(store.hello.real));
  if (restarted) toast("Everything begins again: a new conversation.");
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
store.listen("promise", (promise) => panels.faults.count(promise));
store.listen("defect", (defect) => {
  const name = store.people.get(defect.person)?.name ?? "The person";
  notice("defect-notice", defectBox(defect, name), h("button", { type: "button", class: "quiet", on: { click: () => { $("defect-notice").remove(); page.why(defect.key); } } }, "Show the event"));
});
store.listen("failure", (sentence) => toast(sentence));
store.listen("code", (code) => {
  const shown = $("code");
  shown.className = `pill ${code.state}`;
  const where = code.file ? `${code.file}${code.line ? `, line ${code.line}` : ""}` : (code.changed ?? []).join(", ");
  const words = { checking: "Checking the change…", live: `The change is live (${span(code.seconds ?? 0)})`, broken: `Error in ${where || "the code"}` }[code.state];
  shown.textContent = code.fresh || code.state === "broken" ? words : "";
  $("code-error")?.remove();
  if (code.state === "broken") {
    notice("code-error", h("strong", {}, where || "The code"), h("span", {}, code.message), code.text && h("code", {}, code.text), h("span", { class: "muted" }, "What ran before keeps answering."));
  } else if (code.state === "live") $("defect-notice")?.remove();
  if (code.state === "live") tour?.tick("change");
});

/** A notice over the page, until it is dismissed or replaced. */
function notice(id, ...content) {
  $(id)?.remove();
  const shown = h("div", { id, class: "notice", role: "alert", on: { keydown: (event) => { if (event.key === "Escape") shown.remove(); } } }, content,
    h("button", { type: "button", class: "icon dismiss", "aria-label": "Dismiss", on: { click: () => shown.remove() } }, icon("close")));
  $("notices").append(shown);
}

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

/** Makes elements. Text always becomes a text node: nothing that anybody wrote is parsed as HTML. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * One element.
 * @param {string} tag its name; with the prefix `svg:` for an SVG element.
 * @param {Object} [properties] `on` (event → listener), `data`, and attributes; false and null leave one out.
 * @param {...(Node|string|number|null|false|Array)} children
 */
export function h(tag, properties = {}, ...children) {
  const element = tag.startsWith("svg:") ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "data") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  put(element, children);
  return element;
}

function put(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) put(element, child);
    else if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

const ICONS = {
  menu: "M4 6h16M4 12h16M4 18h16",
  plus: "M12 5v14M5 12h14",
  send: "M4 12 20 4l-5 16-3.500-6.500z",
  why: "M9.500 9a2.500 2.500 0 1 1 3.500 2.300c-.8.400-1 .900-1 1.700M12 16.500v.1M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0",
  smile: "M8 14s1.500 2 4 2 4-2 4-2M9 9.500v.1M15 9.500v.1M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0",
  close: "M6 6l12 12M18 6 6 18",
  left: "M14 6l-6 6 6 6",
  right: "M10 6l6 6-6 6",
  link: "M14 4h6v6M20 4l-9 9M18 14v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h5",
  sun: "M12 4V2M12 22v-2M4 12H2M22 12h-2M6 6 4.600 4.600M19.400 19.400 18 18M18 6l1.400-1.400M4.600 19.400 6 18M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0",
  moon: "M20 14.500A8 8 0 0 1 9.500 4 8 8 0 1 0 20 14.500z",
  chat: "M12 4c-5 0-8 3.200-8 7.500 0 2.300 1 4.300 2.600 5.600V21l3-1.700c.8.200 1.600.2 2.400.2 5 0 8-3.200 8-8S17 4 12 4z",
  events: "M6 5v14M6 7h5M6 12h9M6 17h12",
  faults: "M13 3 5 14h6l-1 7 8-11h-6z",
  memory: "M5 6c0-1.700 3-3 7-3s7 1.300 7 3-3 3-7 3-7-1.300-7-3zM5 6v12c0 1.700 3 3 7 3s7-1.300 7-3V6M5 12c0 1.700 3 3 7 3s7-1.300 7-3",
  log: "M5 4h14v16H5zM8 8h8M8 12h8M8 16h5",
  world: "M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0M3 12h18M12 3c3 3 3.500 6 3.500 9s-.500 6-3.500 9c-3-3-3.500-6-3.500-9s.500-6 3.500-9",
  again: "M4 12a8 8 0 1 0 2.500-5.800M4 4v5h5",
  stack: "M9 4h6v5H9zM3 15h6v5H3zM15 15h6v5h-6zM12 9v3M6 15v-3h12v3",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
};

/** An icon. Give its meaning beside it or in a label. */
export function icon(name) {
  return h("svg:svg", { class: "glyph", viewBox: "0 0 24 24", "aria-hidden": "true" }, h("svg:path", { d: ICONS[name] }));
}

/** A duration in seconds, for people. */
export function span(seconds) {
  if (seconds < 0.0095) return `${(seconds * 1000).toFixed(1)} ms`;
  if (seconds < 0.995) return `${Math.round(seconds * 1000)} ms`;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds / 60)} min`;
}

/** The time of day, from seconds since 1970. */
export function clock(seconds, precise = false) {
  const options = { hour: "2-digit", minute: "2-digit", ...(precise && { second: "2-digit", fractionalSecondDigits: 3 }) };
  return new Date(seconds * 1000).toLocaleTimeString([], options);
}

/** Formatted JSON. */
export function json(value) {
  return h("pre", { class: "json", tabindex: "0", role: "region", "aria-label": "JSON" }, JSON.stringify(value, null, 2));
}

/** Show a message for a few seconds. */
export function toast(text) {
  const shown = h("p", { class: "toast" }, text);
  document.getElementById("toasts").append(shown);
  setTimeout(() => shown.remove(), 6000);
}

/**
 * Ask for text in a dialog.
 * @param {string} title what it is about.
 * @param {Object<string, string>} fields label → what is suggested; without a field it only asks for agreement.
 * @param {string} yes the words of the button.
 * @returns {Promise<string[]|null>} a text for each field; null if it was cancelled.
 */
export function ask(title, fields, yes = "Send") {
  const dialog = document.getElementById("ask");
  const inputs = Object.entries(fields).map(([label, suggested], index) => [label, h("input", { id: `ask-${index}`, value: suggested, autocomplete: "off" })]);
  let entered = null;
  const form = h("form", { method: "dialog", on: { submit: () => { entered = inputs.map(([, input]) => input.value.trim()); } } },
    h("h2", { id: "ask-title" }, title),
    inputs.map(([label, input]) => [h("label", { for: input.id }, label), input]),
    h("div", { class: "row end" },
      h("button", { type: "button", class: "quiet", on: { click: () => dialog.close() } }, "Cancel"),
      h("button", { class: "strong" }, yes)));
  dialog.replaceChildren(form);
  dialog.showModal();
  inputs[0]?.[1].select();
  return new Promise((done) => dialog.addEventListener("close", () => done(entered), { once: true }));
}

/**
 * A button that opens a popover with entries. It closes on Escape, on a choice, and on a click or focus outside.
 * @param {string} glyph the button's icon.
 * @param {string} label what the button is.
 * @param {() => Array} entries gives the content: [words, action, URL] for each entry, or elements.
 * @returns {{button: Element, popover: Element}}
 */
export function opener(glyph, label, entries, { className = "popover", buttonClass = "icon" } = {}) {
  const popover = h("div", { class: className, hidden: true, role: "group", "aria-label": label });
  const close = (focus) => {
    if (popover.hidden) return;
    popover.hidden = true;
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
    if (focus) button.focus();
  };
  const outside = (event) => { if (!popover.contains(event.target) && !button.contains(event.target)) close(false); };
  const button = h("button", { type: "button", class: buttonClass, "aria-label": label, "aria-expanded": "false", on: { click: () => {
    if (!popover.hidden) return close(true);
    popover.replaceChildren(...entries().map(([words, act, url, spoken]) => (url
      ? h("a", { href: url, target: "_blank", rel: "noopener noreferrer", on: { click: () => close(false) } }, words, icon("link"))
      : h("button", { type: "button", "aria-label": spoken, on: { click: () => { close(true); act(); } } }, words))));
    popover.hidden = false;
    button.setAttribute("aria-expanded", "true");
    document.addEventListener("pointerdown", outside, true);
    popover.scrollIntoView({ block: "nearest", inline: "nearest" });
    popover.firstChild?.focus();
  } } }, icon(glyph));
  popover.addEventListener("keydown", (event) => {
    const all = [...popover.children];
    const at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1 + all.length, ArrowLeft: at - 1 + all.length }[event.key];
    if (to !== undefined) { event.preventDefault(); all[to % all.length].focus(); }
    if (event.key === "Escape") close(true);
  });
  popover.addEventListener("focusout", (event) => { if (event.relatedTarget && !popover.contains(event.relatedTarget) && event.relatedTarget !== button) close(false); });
  return { button, popover };
}

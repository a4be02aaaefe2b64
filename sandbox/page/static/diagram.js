/** The diagram of the stack: along the way of an event from top to bottom, and what may call what beside it. */
import { h, json } from "./dom.js";
import { get } from "./api.js";

const OUTSIDE = "Facebook";
const WHOLE = "Stack"; // whose administrator's arrow has no box to end at
const BOX = { width: 150, gap: 46, port: 19, least: 50 };
const LABEL = { right: 150, left: 62 }; // room for the verbs between the boxes and the lanes
const LANE = 13;

/** Which lane each arrow takes, so that no two that lie side by side share one: the shortest are nearest. */
function lanes(arrows, row) {
  const taken = [];
  const chosen = new Map();
  const reach = (arrow) => [row.get(arrow.start), row.get(arrow.end)].sort((a, b) => a - b);
  const length = (arrow) => reach(arrow)[1] - reach(arrow)[0];
  for (const arrow of [...arrows].sort((a, b) => length(a) - length(b))) {
    const [from, to] = reach(arrow);
    let lane = 0;
    while ((taken[lane] ??= []).some(([first, last]) => first <= to && from <= last)) lane += 1;
    taken[lane].push([from, to]);
    chosen.set(arrow, lane);
  }
  return { chosen, count: taken.length };
}

const MOST_LETTERS = 34;
const shorter = (label) => {
  const words = label.replaceAll(", may ", ", ");
  return words.length > MOST_LETTERS ? `${words.slice(0, MOST_LETTERS - 2).replace(/,? \S*$/, "")} …` : words;
};

export class Diagram {
  constructor() {
    this.canvas = h("div", { class: "canvas", tabindex: "0", role: "region", "aria-label": "Diagram of the stack" });
    this.facts = h("div", { class: "facts", "aria-live": "polite" });
    const sample = (words, kind) => h("li", {}, h("svg:svg", { width: 34, height: 10, "aria-hidden": "true" }, h("svg:path", { d: "M1 5H33", class: `arrow ${kind}` })), words);
    this.legend = h("ul", { class: "legend", "aria-label": "Legend" }, sample("the way of an event", "way-arrow"), sample("may call", ""), sample("watches", "dashed"));
    this.words = h("p", { class: "lead pad" });
    this.root = h("div", { class: "pane" }, this.words, this.legend, h("div", { class: "stack-view" }, this.canvas, this.facts));
  }

  async draw() {
    const stack = await get("/api/diagram");
    const text = JSON.stringify(stack);
    if (this.drawn === text) return;
    this.drawn = text;
    this.stack = stack;
    this.facts.replaceChildren();
    const empty = !stack?.nodes.length;
    this.words.textContent = !stack ? "The diagram cannot be read just now."
      : empty ? "Nothing is deployed: the stack was deleted." : "What was deployed, and what may call what. Choose a component to see its resources and inputs.";
    this.canvas.hidden = this.legend.hidden = empty;
    if (!empty) this.paint();
  }

  paint() {
    const { nodes, way } = this.stack;
    const arrows = this.stack.arrows.filter((each) => each.end !== WHOLE);
    const names = [...new Set([...way, ...nodes.map((each) => each.name)])];
    const row = new Map(names.map((name, index) => [name, index]));
    const next = (arrow) => !arrow.dashed && row.get(arrow.end) === row.get(arrow.start) + 1;
    const sides = { right: arrows.filter((each) => !each.dashed && !next(each)), left: arrows.filter((each) => each.dashed) };
    const ports = { right: new Map(), left: new Map() };
    for (const [side, list] of Object.entries(sides)) {
      for (const name of names) {
        const other = (arrow) => row.get(arrow.start === name ? arrow.end : arrow.start);
        ports[side].set(name, list.filter((each) => each.start === name || each.end === name).sort((a, b) => other(a) - other(b)));
      }
    }
    const lane = { right: lanes(sides.right, row), left: lanes(sides.left, row) };
    const x = LABEL.left + lane.left.count * LANE + 12;
    const width = x + BOX.width + LABEL.right + lane.right.count * LANE + 8;
    const place = new Map();
    let y = 10;
    for (const name of names) {
      const height = Math.max(BOX.least, (Math.max(ports.right.get(name).length, ports.left.get(name).length) + 0.6) * BOX.port);
      place.set(name, { x, y, height });
      y += height + BOX.gap;
    }
    const port = (side, name, arrow) => {
      const own = ports[side].get(name);
      const box = place.get(name);
      return box.y + box.height / 2 + (own.indexOf(arrow) - (own.length - 1) / 2) * BOX.port;
    };
    const lines = arrows.map((arrow) => {
      if (next(arrow)) {
        const [from, to] = [place.get(arrow.start), place.get(arrow.end)];
        const middle = x + BOX.width / 2;
        return this.line(arrow, `M${middle} ${from.y + from.height}V${to.y}`, middle + 8, from.y + from.height + BOX.gap / 2 + 1);
      }
      const side = arrow.dashed ? "left" : "right";
      const [y1, y2] = [port(side, arrow.start, arrow), port(side, arrow.end, arrow)];
      const edge = side === "right" ? x + BOX.width : x;
      const out = side === "right" ? edge + LABEL.right + lane.right.chosen.get(arrow) * LANE : edge - LABEL.left - lane.left.chosen.get(arrow) * LANE;
      return this.line(arrow, `M${edge} ${y1}H${out}V${y2}H${edge}`, side === "right" ? edge + 7 : edge - LABEL.left + 6, y1 - 4);
    });
    this.canvas.replaceChildren(h("svg:svg", { viewBox: `0 0 ${width} ${y - BOX.gap + 10}`, width, class: "diagram", role: "group", "aria-label": "Components and arrows" },
      h("svg:defs", {}, ["tip", "way-tip"].map((id) => h("svg:marker", { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, markerUnits: "userSpaceOnUse", orient: "auto" }, h("svg:path", { d: "M0 0 8 4 0 8z", class: id })))),
      lines, names.map((name) => this.box(name, place.get(name)))));
  }

  line(arrow, d, x, y) {
    const { way } = this.stack;
    const onTheWay = !arrow.dashed && way.includes(arrow.start) && way.includes(arrow.end);
    return h("svg:g", { class: "link-line", "data-start": arrow.start, "data-end": arrow.end },
      h("svg:path", { d, class: `arrow${arrow.dashed ? " dashed" : ""}${onTheWay ? " way-arrow" : ""}`, "marker-end": `url(#${onTheWay ? "way-tip" : "tip"})` }),
      h("svg:text", { x, y, class: "verb" }, shorter(arrow.label), h("svg:title", {}, arrow.label)));
  }

  box(name, { x, y, height }) {
    const node = this.stack.nodes.find((each) => each.name === name);
    const choose = () => this.choose(name);
    return h("svg:g", { class: `box${node ? "" : " facebook"}`, transform: `translate(${x} ${y})`, tabindex: "0", role: "button", "data-name": name,
      "aria-label": node ? `${name}: ${node.services.join(", ")}` : name,
      on: { click: choose, keydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(); } } } },
      h("svg:rect", { width: BOX.width, height, rx: node ? 12 : height / 2 }),
      h("svg:text", { x: BOX.width / 2, y: height / 2 + (node ? -2 : 5), class: "name" }, name),
      node && h("svg:text", { x: BOX.width / 2, y: height / 2 + 15, class: "services" }, node.services.join(", ")));
  }

  choose(name) {
    for (const each of this.canvas.querySelectorAll(".box")) each.classList.toggle("chosen", each.dataset.name === name);
    for (const each of this.canvas.querySelectorAll(".link-line")) each.classList.toggle("chosen", each.dataset.start === name || each.dataset.end === name);
    const node = this.stack.nodes.find((each) => each.name === name);
    const near = this.stack.arrows.filter((each) => each.start === name || each.end === name);
    this.facts.replaceChildren(
      h("h3", { class: "pad" }, name), h("p", { class: "pad" }, node?.about ?? "Calls the webhook, and is called with the answers. Here it is a stand-in."),
      h("ul", { class: "relations" }, near.map((each) => h("li", {}, h("strong", {}, each.start), ` ${each.label} `, h("strong", {}, each.end === WHOLE ? `everything named ${this.stack.stack}-…` : each.end)))),
      ...(node?.resources ?? []).map((each) => h("details", { class: "step-json pad" }, h("summary", {}, h("strong", {}, each.type.split(":").at(-1)), h("span", { class: "muted" }, ` ${each.name}`)), json({ id: each.id, ...unpacked(each.inputs) }))));
  }
}

/** Inputs, with JSON text in them (policies) parsed. */
function unpacked(inputs) {
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => {
    if (typeof value !== "string" || !/^[[{]/.test(value)) return [name, value];
    try { return [name, JSON.parse(value)]; } catch { return [name, value]; }
  }));
}

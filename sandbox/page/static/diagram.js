/** The diagram of the stack: components in layers, and what may call what. */
import { h, json } from "./dom.js";
import { get } from "./api.js";

const BOX = { width: 148, height: 60, across: 24, down: 58, margin: 18 };
const OUTSIDE = "Facebook";

/** Each node's layer: one below the lowest node that leads to it; arrows back do not count. */
function layers(names, arrows) {
  const next = new Map(names.map((name) => [name, []]));
  for (const { start, end } of arrows) if (next.has(start) && next.has(end) && end !== OUTSIDE) next.get(start).push(end);
  const layer = new Map();
  const place = (name, depth, path) => {
    if (path.has(name) || (layer.get(name) ?? -1) >= depth) return;
    layer.set(name, depth);
    path.add(name);
    for (const end of next.get(name)) place(end, depth + 1, path);
    path.delete(name);
  };
  const entered = new Set(arrows.map((arrow) => arrow.end));
  for (const name of [OUTSIDE, ...names.filter((each) => !entered.has(each))]) place(name, 0, new Set());
  for (const name of names) if (!layer.has(name)) layer.set(name, 0);
  return layer;
}

/** Order each layer by where its neighbours are, so that few arrows cross. */
function rows(names, arrows, layer) {
  const columns = [];
  for (const name of names) (columns[layer.get(name)] ??= []).push(name);
  const at = new Map();
  const place = () => columns.forEach((column) => column?.forEach((name, index) => at.set(name, index - (column.length - 1) / 2)));
  place();
  for (let round = 0; round < 8; round += 1) {
    for (const column of columns) {
      const weight = (name) => {
        const near = arrows.filter((each) => each.start === name || each.end === name).map((each) => at.get(each.start === name ? each.end : each.start)).filter((each) => each !== undefined);
        return near.length ? near.reduce((sum, each) => sum + each, 0) / near.length : at.get(name);
      };
      column?.sort((a, b) => weight(a) - weight(b));
    }
    place();
  }
  return columns.filter(Boolean);
}

export class Diagram {
  constructor() {
    this.canvas = h("div", { class: "canvas", tabindex: "0", role: "region", "aria-label": "Diagram of the stack" });
    this.facts = h("div", { class: "facts", "aria-live": "polite" });
    this.root = h("div", { class: "pane" }, h("p", { class: "lead pad" }, "What was deployed, and what may call what. Choose a component to see its resources and inputs."), this.canvas, this.facts);
  }

  forget() {
    this.stack = null;
  }

  async draw() {
    if (this.stack) return;
    this.canvas.replaceChildren(h("p", { class: "muted pad" }, "Reading the stack…"));
    this.stack = await get("/api/diagram");
    if (!this.stack) return this.canvas.replaceChildren(h("p", { class: "muted pad" }, "The diagram cannot be read just now."));
    this.paint();
  }

  paint() {
    const { nodes, arrows } = this.stack;
    const shown = arrows.filter((each) => each.end !== "Stack");
    const linked = new Set(shown.flatMap((each) => [each.start, each.end]));
    const names = [OUTSIDE, ...nodes.map((each) => each.name)];
    const layer = layers(names.filter((each) => linked.has(each)), shown);
    const columns = rows([...layer.keys()], shown, layer);
    const alone = nodes.map((each) => each.name).filter((each) => !linked.has(each));
    const widest = Math.max(...columns.map((each) => each.length));
    const step = { x: BOX.width + BOX.across, y: BOX.height + BOX.down };
    const width = widest * step.x - BOX.across + BOX.margin * 2;
    const height = columns.length * step.y - BOX.down + BOX.margin * 2;
    const place = new Map();
    columns.forEach((column, y) => column.forEach((name, x) => place.set(name, {
      x: BOX.margin + (x + (widest - column.length) / 2) * step.x, y: BOX.margin + y * step.y,
    })));
    alone.forEach((name, x) => place.set(name, { x: BOX.margin + x * step.x, y: BOX.margin }));
    const lines = shown.map((arrow) => this.arrow(arrow, place));
    const boxes = names.filter((name) => place.has(name)).map((name) => this.box(name, place.get(name)));
    this.canvas.replaceChildren(h("svg:svg", { viewBox: `0 0 ${width} ${height}`, width, class: "diagram", role: "group", "aria-label": "Components and arrows" },
      h("svg:defs", {}, h("svg:marker", { id: "tip", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, h("svg:path", { d: "M0 0 8 4 0 8z", class: "tip" }))),
      lines, boxes));
  }

  arrow(arrow, place) {
    const [from, to] = [place.get(arrow.start), place.get(arrow.end)];
    const middle = (box) => box.x + BOX.width / 2;
    const toward = Math.sign(middle(to) - middle(from)) || 1;
    if (to.y === from.y) { // side by side: over the tops
      const d = `M${middle(from) + 20 * toward} ${from.y}C${middle(from) + 40 * toward} ${from.y - 34} ${middle(to) - 40 * toward} ${to.y - 34} ${middle(to) - 20 * toward} ${to.y}`;
      return this.line(arrow, d);
    }
    const down = to.y > from.y;
    const far = Math.round(Math.abs(to.y - from.y) / (BOX.height + BOX.down));
    if (!down && far > 1) { // back over several layers: around them, on the right
      const [x1, y1, x2, y2] = [from.x + BOX.width, from.y + BOX.height / 2, to.x + BOX.width, to.y + BOX.height / 2 + 8];
      const out = Math.max(x1, x2) + 26 * far;
      return this.line(arrow, `M${x1} ${y1}C${out} ${y1} ${out} ${y2} ${x2} ${y2}`);
    }
    const lean = down ? -14 : 14; // an arrow down and an arrow up between two boxes do not cover each other
    const y1 = from.y + (down ? BOX.height : 0);
    const y2 = to.y + (down ? 0 : BOX.height);
    const bend = Math.max(30, Math.abs(y2 - y1) / 2) * (down ? 1 : -1);
    const d = `M${middle(from) + lean} ${y1}C${middle(from) + lean} ${y1 + bend} ${middle(to) + lean} ${y2 - bend} ${middle(to) + lean} ${y2}`;
    return this.line(arrow, d);
  }

  line(arrow, d) {
    return h("svg:path", { d, class: `arrow${arrow.dashed ? " dashed" : ""}`, "marker-end": "url(#tip)", "data-start": arrow.start, "data-end": arrow.end });
  }

  box(name, { x, y }) {
    const node = this.stack.nodes.find((each) => each.name === name);
    const choose = () => this.choose(name);
    return h("svg:g", { class: `box${node ? "" : " facebook"}`, transform: `translate(${x} ${y})`, tabindex: "0", role: "button", "data-name": name,
      "aria-label": node ? `${name}: ${node.services.join(", ")}` : name,
      on: { click: choose, keydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(); } } } },
      h("svg:rect", { width: BOX.width, height: BOX.height, rx: node ? 12 : 31 }),
      h("svg:text", { x: BOX.width / 2, y: node ? 27 : 37, class: "name" }, name),
      node && h("svg:text", { x: BOX.width / 2, y: 45, class: "services" }, node.services.join(", ")));
  }

  choose(name) {
    for (const each of this.canvas.querySelectorAll(".box")) each.classList.toggle("chosen", each.dataset.name === name);
    for (const each of this.canvas.querySelectorAll(".arrow")) each.classList.toggle("chosen", each.dataset.start === name || each.dataset.end === name);
    const node = this.stack.nodes.find((each) => each.name === name);
    const near = this.stack.arrows.filter((each) => each.start === name || each.end === name);
    this.facts.replaceChildren(
      h("h3", { class: "pad" }, name), h("p", { class: "pad" }, node?.about ?? "Calls the webhook, and is called with the answers. Here it is a stand-in."),
      h("ul", { class: "relations" }, near.map((each) => h("li", {}, h("strong", {}, each.start), ` ${each.label} `, h("strong", {}, each.end === "Stack" ? `everything named ${this.stack.stack}-…` : each.end)))),
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

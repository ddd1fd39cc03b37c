/* Tracks: one path per group and side; drag, buttons, arrow keys or ctrl and the wheel move and zoom. */
for (const box of document.querySelectorAll("figure.tracks")) {
  const NS = "http://www.w3.org/2000/svg";
  const sides = box.querySelector(".sides");
  const tip = box.querySelector(".tip");
  const told = box.querySelector(".told");
  const where = box.querySelector(".where");
  const places = box.querySelector(".places");
  const ROW = 34, GAP = 6, LEFT = 8, AXIS = 20, LINE = 22, LEAST = 200, ALL = 40e6;
  let data = null, view = null, charts = [];

  const make = (name, attributes, parent) => {
    const node = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (parent) parent.append(node);
    return node;
  };
  const write = (text, attributes, parent) => { make("text", attributes, parent).textContent = text; };
  const say = (n) => Math.round(n).toLocaleString("en-US");

  /* First index of a sorted part whose value is not below `wanted`. */
  const first = (values, low, high, wanted) => {
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[middle] < wanted) low = middle + 1; else high = middle;
    }
    return low;
  };

  const prepare = () => {
    const sum = (steps) => { let at = 0; return Float64Array.from(steps, (step) => (at += step)); };
    data.start = sum(data.starts);
    data.from = [0];
    for (const size of data.sizes) data.from.push(data.from[data.from.length - 1] + size);
    data.widest = data.widths.reduce((a, b) => Math.max(a, b), 0);
    const code = new Int16Array(128);
    Array.from(data.steps).forEach((c, i) => { code[c.charCodeAt(0)] = i; });
    const last = data.steps.length - 1;
    for (const side of data.sides) side.at = (g, i) => (code[side.rows[g].charCodeAt(i)] / last) ** 2 * side.top;
    const genes = data.genes;
    genes.start = sum(genes.starts);
    genes.first = data.chroms.map((_, c) => genes.chroms.indexOf(c));
    genes.last = data.chroms.map((_, c) => genes.chroms.lastIndexOf(c));
    genes.widest = genes.widths.reduce((a, b) => Math.max(a, b), 0);
    data.ends = data.chroms.map((_, c) => {
      let end = 1;
      for (let i = data.from[c]; i < data.from[c + 1]; i++) end = Math.max(end, data.start[i] + data.widths[i]);
      if (genes.first[c] >= 0) for (let i = genes.first[c]; i <= genes.last[c]; i++) end = Math.max(end, genes.start[i] + genes.widths[i]);
      return end + 10000;
    });
  };

  const peaksIn = (chrom, start, end) => {
    const found = [], low = data.from[chrom], high = data.from[chrom + 1];
    for (let i = first(data.start, low, high, start - data.widest); i < high && data.start[i] < end; i++) {
      if (data.start[i] + data.widths[i] > start) found.push(i);
    }
    return found;
  };
  const genesIn = (chrom, start, end) => {
    const found = [], genes = data.genes, low = genes.first[chrom];
    if (low < 0) return found;
    const high = genes.last[chrom] + 1;
    for (let i = first(genes.start, low, high, start - genes.widest); i < high && genes.start[i] < end; i++) {
      if (genes.start[i] + genes.widths[i] > start) found.push(i);
    }
    return found;
  };

  /* What the list says is what is seen: a name that was entered, or nothing once the place is left. */
  const sayPlace = (name) => {
    if (!places) return;
    const other = places.querySelector(".other");
    other.textContent = name;
    other.selected = true;
  };
  const checkPlace = () => {
    if (!places || places.selectedIndex >= data.places.length) return;
    const [, chrom, start, end] = data.places[places.selectedIndex];
    const inside = data.chroms[view.chrom] === chrom && start < view.end && end > view.start;
    if (!inside) sayPlace("elsewhere");
  };

  const go = (chrom, start, end) => {
    const most = Math.min(data.ends[chrom], ALL);
    const span = Math.min(Math.max(end - start, LEAST), most);
    const middle = (start + end) / 2;
    const low = Math.min(Math.max(middle - span / 2, 0), Math.max(data.ends[chrom] - span, 0));
    view = { chrom, start: low, end: low + span };
    checkPlace();
    draw();
  };
  const move = (by) => {
    const span = view.end - view.start;
    if (by === "left" || by === "right") {
      const step = (by === "left" ? -0.4 : 0.4) * span;
      go(view.chrom, view.start + step, view.end + step);
    } else zoom(by === "in" ? 0.5 : 2, (view.start + view.end) / 2);
  };
  const zoom = (factor, at) => go(view.chrom, at - (at - view.start) * factor, at + (view.end - at) * factor);

  const search = (text) => {
    const wanted = text.trim();
    const region = /^(\S+?)[:\s_-]+([\d,.]+)(?:[-\s_]+|\.\.)([\d,.]+)$/.exec(wanted);
    if (region) {
      const name = region[1].toLowerCase();
      const chrom = data.chroms.findIndex((c) => c.toLowerCase() === name || c.toLowerCase() === "chr" + name);
      const [start, end] = [region[2], region[3]].map((v) => Number(v.replace(/[,.]/g, "")));
      if (chrom < 0) return `no peak on ${region[1]}`;
      if (!(end > start)) return "the region ends before it starts";
      sayPlace(wanted);
      go(chrom, start, end);
      return "";
    }
    const gene = data.genes.symbols.findIndex((symbol) => symbol.toLowerCase() === wanted.toLowerCase());
    if (gene < 0) return data.genes.symbols.length ? `no gene ${wanted} on these chromosomes` : "no genes were given: enter a region";
    const start = data.genes.start[gene], width = data.genes.widths[gene];
    sayPlace(data.genes.symbols[gene]);
    go(data.genes.chroms[gene], start - 25000, start + width + 25000);
    return "";
  };

  /* Bars of all peaks of a row as one path; narrow ones are drawn three pixels wide. */
  const bars = (side, g, peaks, x, top, height) => {
    let d = "";
    for (const i of peaks) {
      const value = side.at(g, i);
      if (value <= 0) continue;
      const a = x(data.start[i]), w = Math.max(x(data.start[i] + data.widths[i]) - a, 3), h = Math.min(value / top, 1) * height;
      d += `M${a.toFixed(1)} ${height}h${w.toFixed(1)}v${(-h).toFixed(1)}h${(-w).toFixed(1)}z`;
    }
    return d;
  };

  const ticks = (low, high, number) => {
    const step = kit.nice((high - low) / number), found = [];
    for (let at = Math.ceil(low / step) * step; at <= high; at += step) found.push(at);
    return [found, step];
  };

  const drawGenes = (svg, genes, x, width, y) => {
    const ends = [];
    let rows = 0;
    for (const i of genes) {
      const a = Math.max(x(data.genes.start[i]), 0), b = Math.min(x(data.genes.start[i] + data.genes.widths[i]), width);
      const name = data.genes.symbols[i], long = name.length * 7.8 + 4, text = Math.max(0, Math.min(a, width - long));
      const reach = Math.max(b, text + long) + 4;
      let row = ends.findIndex((end) => end < text);
      if (row < 0) row = ends.length;
      if (row > 5) continue;
      ends[row] = reach;
      rows = Math.max(rows, row + 1);
      const at = y + row * LINE + 14;
      make("line", { x1: a, x2: Math.max(b, a + 1), y1: at, y2: at, class: "body" }, svg);
      const forward = data.genes.strands[i] === "+", tip = forward ? Math.max(b, a + 1) : a, sign = forward ? 1 : -1;
      make("path", { d: `M${tip} ${at - 3.5}l${sign * 6} 3.5l${-sign * 6} 3.5z`, class: "arrow" }, svg);
      write(name, { x: text, y: at - 5, class: "gene" }, svg);
    }
    return rows * LINE + 4;
  };

  const draw = () => {
    const { chrom, start, end } = view;
    told.textContent = `${data.chroms[chrom]}:${say(start)}-${say(end)}, ${end - start >= 1e6 ? (end - start) / 1e6 >= 10 ? Math.round((end - start) / 1e6) + " Mb" : ((end - start) / 1e6).toFixed(1) + " Mb" : ((end - start) / 1e3).toFixed(1) + " kb"}`;
    const peaks = peaksIn(chrom, start, end), genes = genesIn(chrom, start, end);
    data.sides.forEach((side, s) => {
      const { holder, svg } = charts[s];
      const width = Math.max(holder.clientWidth - 2, 100), wide = width - LEFT;
      const x = (place) => ((place - start) / (end - start)) * wide;
      charts[s].x = x;
      charts[s].wide = wide;
      let top = 0;
      for (const i of peaks) for (let g = 0; g < data.groups.length; g++) top = Math.max(top, side.at(g, i));
      top = top > 0 ? Number(top.toPrecision(2)) : 1;
      charts[s].title.textContent = `${side.title}; every row from 0 to ${kit.format(top, "number")}`;
      svg.replaceChildren();
      const clip = `clip${charts[s].id}`, frame = make("clipPath", { id: clip }, make("defs", {}, svg));
      make("rect", { x: 0, y: -20, width: wide, height: 1e4 }, frame);
      const body = make("g", { transform: `translate(${LEFT},0)` }, svg);
      data.groups.forEach((group, g) => {
        const y = g * (ROW + GAP) + 12;
        const row = make("g", { transform: `translate(0,${y})`, "clip-path": `url(#${clip})` }, body);
        make("path", { d: bars(side, g, peaks, x, top, ROW - 8), transform: "translate(0,8)", fill: kit.seen(data.colors[g]), "data-group": g }, row);
        make("line", { x1: 0, x2: wide, y1: ROW, y2: ROW, class: "base" }, body).setAttribute("transform", `translate(0,${y})`);
        write(group, { x: 2, y: y + 6, class: "name" }, body);
      });
      let y = data.groups.length * (ROW + GAP) + 16;
      y += drawGenes(make("g", { "clip-path": `url(#${clip})`, transform: `translate(0,0)` }, body), genes, x, wide, y);
      const [marks, step] = ticks(start, end, Math.max(2, Math.floor(wide / 110)));
      const unit = end - start > 2e5 ? [1e6, "Mb"] : [1e3, "kb"];
      const digits = Math.max(0, -Math.floor(Math.log10(step / unit[0])));
      make("line", { x1: 0, x2: wide, y1: y, y2: y, class: "base" }, body);
      for (const at of marks) {
        const px = x(at);
        make("line", { x1: px, x2: px, y1: y, y2: y + 4, class: "base" }, body);
        const anchor = px < 30 ? "start" : px > wide - 40 ? "end" : "middle";
        const text = (at / unit[0]).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
        write(text, { x: px, y: y + 16, class: "tick", "text-anchor": anchor }, body);
      }
      write(`${data.chroms[chrom]} (${unit[1]})`, { x: wide / 2, y: y + 32, class: "tick", "text-anchor": "middle" }, body);
      svg.setAttribute("width", width);
      svg.setAttribute("height", y + AXIS + 18);
      svg.setAttribute("viewBox", `0 0 ${width} ${y + AXIS + 18}`);
    });
    if (!peaks.length) told.textContent += ": no peak here";
    box.dataset.ready = "yes";
  };

  const point = (event) => {
    const s = charts.findIndex((chart) => chart.holder.contains(event.target));
    if (s < 0) return null;
    const frame = charts[s].svg.getBoundingClientRect();
    const px = event.clientX - frame.left - LEFT;
    return { s, px, place: view.start + (px / charts[s].wide) * (view.end - view.start), y: event.clientY - frame.top };
  };
  const tell = (event) => {
    const at = point(event), g = at ? Math.floor((at.y - 12) / (ROW + GAP)) : -1;
    tip.hidden = true;
    if (!at || g < 0 || g >= data.groups.length) return;
    const near = (2 / charts[at.s].wide) * (view.end - view.start);
    const peak = peaksIn(view.chrom, at.place - near, at.place + near)[0];
    if (peak === undefined) return;
    const lines = [`${data.chroms[view.chrom]}:${say(data.start[peak])}-${say(data.start[peak] + data.widths[peak])}`, data.groups[g]];
    for (const side of data.sides) lines.push(`${side.title}: ${kit.format(Number(side.at(g, peak).toPrecision(2)), "number")}`);
    tip.replaceChildren(...lines.map((line) => Object.assign(document.createElement("div"), { textContent: line })));
    tip.hidden = false;
    kit.beside(tip, box, event);
  };

  let held = null;
  sides.addEventListener("pointerdown", (event) => {
    const at = data && point(event);
    if (!at || event.button !== 0) return;
    held = { x: event.clientX, view, wide: charts[at.s].wide };
    sides.setPointerCapture(event.pointerId);
  });
  sides.addEventListener("pointermove", (event) => {
    if (!data) return;
    if (!held) { tell(event); return; }
    tip.hidden = true;
    const by = ((held.x - event.clientX) / held.wide) * (held.view.end - held.view.start);
    go(held.view.chrom, held.view.start + by, held.view.end + by);
  });
  for (const name of ["pointerup", "pointercancel"]) sides.addEventListener(name, () => { held = null; });
  sides.addEventListener("pointerleave", () => { tip.hidden = true; });
  sides.addEventListener("wheel", (event) => {
    const at = data && point(event);
    if (!at || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? 0.8 : 1.25, at.place);
  }, { passive: false });
  sides.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: "left", ArrowRight: "right", "+": "in", "=": "in", "-": "out" }[event.key];
    if (!by || !data) return;
    event.preventDefault();
    move(by);
  });
  for (const button of box.querySelectorAll(".move button")) button.addEventListener("click", () => data && move(button.dataset.by));
  where.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !data) return;
    const problem = search(where.value);
    if (problem) told.textContent = problem;
  });
  box.addEventListener("show", (event) => {
    const at = data ? data.places.findIndex(([label]) => label.startsWith(`${event.detail}: `)) : -1;
    if (at < 0) return;
    places.selectedIndex = at;
    places.dispatchEvent(new Event("change"));
  });
  if (places) {
    places.addEventListener("change", () => {
      if (places.selectedIndex >= data.places.length) return;
      const [, chrom, start, end] = data.places[places.selectedIndex];
      go(data.chroms.indexOf(chrom), start, end);
    });
  }

  kit.unpack(box.querySelector("script").textContent).then((found) => {
    data = found;
    prepare();
    data.sides.forEach((side, s) => {
      const holder = document.createElement("div"), title = document.createElement("p");
      holder.className = "side";
      title.className = "soft";
      title.textContent = side.title;
      const svg = make("svg", {}, null);
      holder.append(title, svg);
      sides.append(holder);
      charts.push({ holder, svg, title, id: `${Array.from(document.querySelectorAll("figure.tracks")).indexOf(box)}-${s}` });
    });
    const start = data.places[0] || ["", data.chroms[0], data.start[0] - 50000, data.start[0] + 50000];
    go(data.chroms.indexOf(start[1]), start[2], start[3]);
    new ResizeObserver(draw).observe(sides);
    document.addEventListener("theme", draw);
  });
}

/* Maps of cells: colours by the chosen column, a click on the legend shows one label, the pointer tells a cell. */
for (const box of document.querySelectorAll("figure.map")) {
  const canvases = Array.from(box.querySelectorAll("canvas"));
  const select = box.querySelector("select");
  const legend = box.querySelector(".legend");
  const scale = box.querySelector(".scale");
  const tip = box.querySelector(".tip");
  const MISSING = "#b8b8b8", PLACES = 4095;
  let data = null, column = null, only = -1, order = null;

  const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  const shade = (code) => {
    const at = (code / 255) * (data.ramp.length - 1), i = Math.min(Math.floor(at), data.ramp.length - 2);
    const a = rgb(data.ramp[i]), b = rgb(data.ramp[i + 1]);
    return `rgb(${a.map((v, k) => Math.round(v + (b[k] - v) * (at - i))).join(",")})`;
  };
  const place = (canvas, layout) => {
    const pad = 8, w = canvas.clientWidth, h = canvas.clientHeight;
    const size = Math.min(w, h) - 2 * pad;
    const high = Math.max(...[layout.wide, layout.tall]);
    const left = (w - (layout.wide / high) * size) / 2, low = (h + (layout.tall / high) * size) / 2;
    return (i) => [left + (layout.x[i] / high) * size, low - (layout.y[i] / high) * size];
  };

  const draw = () => canvases.forEach((canvas, k) => {
    const ratio = window.devicePixelRatio || 1, layout = data.places[k], n = layout.x.length;
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const at = place(canvas, layout), r = Math.min(3, Math.max(0.9, 90 / Math.sqrt(n)));
    const colour = column.kind === "number" ? shade : (code) => kit.seen(column.colors[code]);
    const paint = (i, fill, alpha) => {
      const [x, y] = at(i);
      context.globalAlpha = alpha;
      context.fillStyle = fill;
      context.beginPath();
      context.arc(x, y, r, 0, 2 * Math.PI);
      context.fill();
    };
    for (const i of order) {
      const code = column.codes[i];
      if (only >= 0 && code !== only) paint(i, MISSING, 0.25);
    }
    for (const i of order) {
      const code = column.codes[i];
      if (only < 0 || code === only) paint(i, code < 0 ? MISSING : colour(code), 0.85);
    }
  });

  const explain = () => {
    legend.replaceChildren();
    scale.hidden = column.kind !== "number";
    if (column.kind === "number") {
      const bar = document.createElement("span");
      bar.className = "ramp";
      bar.style.background = `linear-gradient(to right, ${data.ramp.join(",")})`;
      scale.replaceChildren(kit.format(column.low, "number"), bar, kit.format(column.high, "number"));
      return;
    }
    const counts = new Array(column.words.length).fill(0);
    for (const code of column.codes) if (code >= 0) counts[code] += 1;
    column.words.forEach((word, code) => {
      if (!counts[code]) return;
      const item = document.createElement("li"), button = document.createElement("button"), chip = document.createElement("span");
      button.type = "button";
      chip.className = "dot";
      chip.style.background = kit.seen(column.colors[code]);
      const number = document.createElement("span");
      number.className = "soft";
      number.textContent = ` (${counts[code].toLocaleString("en-US")})`;
      button.append(chip, column.called[code] ? `${word}: ${column.called[code]}` : word, number);
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => {
        only = only === code ? -1 : code;
        for (const other of legend.querySelectorAll("button")) other.setAttribute("aria-pressed", "false");
        button.setAttribute("aria-pressed", String(only === code));
        draw();
      });
      item.append(button);
      legend.append(item);
    });
  };

  const choose = () => {
    column = data.columns[select.selectedIndex];
    only = -1;
    explain();
    draw();
  };

  const told = (i) => data.columns.map((c) => {
    if (c.codes[i] < 0) return `${c.name}: none`;
    return `${c.name}: ${c.kind === "number" ? kit.format(c.low + ((c.high - c.low) * c.codes[i]) / 255, "number") : c.words[c.codes[i]] + (c.called[c.codes[i]] ? ` (${c.called[c.codes[i]]})` : "")}`;
  });

  canvases.forEach((canvas, k) => {
    canvas.addEventListener("pointermove", (event) => {
      if (!data) return;
      const at = place(canvas, data.places[k]), frame = canvas.getBoundingClientRect();
      const x = event.clientX - frame.left, y = event.clientY - frame.top;
      let best = -1, least = 64;
      for (let i = 0; i < data.places[k].x.length; i++) {
        if (only >= 0 && column.codes[i] !== only) continue;
        const [px, py] = at(i), d = (px - x) ** 2 + (py - y) ** 2;
        if (d < least) { least = d; best = i; }
      }
      tip.hidden = best < 0;
      if (best >= 0) {
        tip.replaceChildren(...told(best).map((line) => Object.assign(document.createElement("div"), { textContent: line })));
        kit.beside(tip, box, event);
      }
    });
    canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
  });

  kit.unpack(box.querySelector("script").textContent).then((found) => {
    data = found;
    for (const layout of data.places) {
      layout.wide = Math.max(1, layout.x.reduce((a, b) => Math.max(a, b), 0));
      layout.tall = Math.max(1, layout.y.reduce((a, b) => Math.max(a, b), 0));
    }
    /* A fixed shuffle, so that no label covers the others. */
    order = Uint32Array.from(data.places[0].x, (_, i) => i);
    let state = 1;
    for (let i = order.length - 1; i > 0; i--) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const j = state % (i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    select.addEventListener("change", choose);
    choose();
    new ResizeObserver(draw).observe(canvases[0]);
    document.addEventListener("theme", () => { const kept = only; choose(); if (kept >= 0) { only = kept; draw(); } });
    box.dataset.ready = "yes";
  });
}

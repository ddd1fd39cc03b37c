/* Tables that sort by a click on a column, filter by words and comparisons, turn pages and save CSV. */
for (const box of document.querySelectorAll(".table")) {
  const body = box.querySelector("tbody");
  const heads = Array.from(box.querySelectorAll("thead th"));
  const input = box.querySelector("input");
  const count = box.querySelector(".count");
  const pager = box.querySelector(".pager");
  const csv = box.querySelector(".csv");
  const told = count.textContent;
  const size = Math.max(1, Number(box.dataset.page)), printed = Number(box.dataset.printed);
  let columns = null, loading = null, order = null, texts = null, sorted = null, page = 0, number = 0;

  const load = () => {
    loading = loading || kit.unpack(box.querySelector("script").textContent).then((data) => {
      columns = data;
      columns.forEach((c, j) => { c.off = heads[j].classList.contains("np"); });
      for (const c of columns) {
        c.text = c.kind === "text" || c.kind === "names";
        if (c.text) c.at = (i) => (c.codes[i] < 0 ? "" : c.words[c.codes[i]]);
        else c.at = (i) => c.values[i];
      }
      number = columns.length ? (columns[0].values || columns[0].codes).length : 0;
      order = Uint32Array.from({ length: number }, (_, i) => i);
    });
    return loading;
  };

  const draw = () => {
    const pages = Math.max(1, Math.ceil(order.length / size));
    page = Math.min(Math.max(page, 0), pages - 1);
    const rows = [];
    /* After the first page come, for paper alone, the rows that are printed as well. */
    for (const i of order.subarray(page * size, Math.max((page + 1) * size, page ? 0 : printed))) {
      const row = document.createElement("tr");
      for (const c of columns) {
        const cell = document.createElement("td");
        cell.textContent = kit.format(c.at(i), c.kind);
        const text = cell.textContent;
        if (c.kind === "names") cell.title = c.at(i);
        cell.className = !c.text ? "n" : c.kind === "names" || text.length > 32 ? "w" : text.includes(" ") ? "k" : "o";
        if (c.off) cell.classList.add("np");
        row.append(cell);
      }
      if (rows.length >= size) row.className = "later";
      rows.push(row);
    }
    body.replaceChildren(...rows);
    turn(pages);
    const all = order.length === number;
    box.classList.toggle("matched", !all);
    count.textContent = all ? told : `${order.length.toLocaleString("en-US")} of ${number.toLocaleString("en-US")} rows match`;
  };

  const turn = (pages) => {
    pager.hidden = pages < 2;
    pager.querySelector(".place").textContent = `page ${(page + 1).toLocaleString("en-US")} of ${pages.toLocaleString("en-US")}`;
    pager.querySelector(".back").disabled = page === 0;
    pager.querySelector(".next").disabled = page >= pages - 1;
  };

  const sort = () => {
    if (!sorted) return;
    const c = columns[sorted.column];
    let key;
    if (c.kind === "names") {
      const counts = Float64Array.from(c.words, (word) => (word === "" ? NaN : word.split(", ").length));
      key = (i) => (c.codes[i] < 0 ? NaN : counts[c.codes[i]]);
    } else if (c.kind === "text") {
      const words = new Intl.Collator(undefined, { numeric: true });
      const ranks = c.words.map((_, i) => i).sort((a, b) => words.compare(c.words[a], c.words[b]));
      const place = new Float64Array(c.words.length);
      ranks.forEach((word, rank) => { place[word] = c.words[word] === "" ? NaN : rank; });
      key = (i) => (c.codes[i] < 0 ? NaN : place[c.codes[i]]);
    } else key = (i) => (c.values[i] === null ? NaN : Number(c.values[i]));
    const keys = new Float64Array(number);
    for (let i = 0; i < number; i++) keys[i] = key(i);
    order.sort((a, b) => {
      const noA = Number.isNaN(keys[a]), noB = Number.isNaN(keys[b]);
      if (noA || noB) return noA - noB || a - b;
      if (keys[a] === keys[b]) return a - b;
      return (keys[a] < keys[b]) !== sorted.down ? -1 : 1;
    });
  };

  /* A word is a comparison if it starts with the name of a column, spaces left out. */
  const test = (word) => {
    const found = /^(.+?)(<=|>=|<|>|=)(.+)$/.exec(word);
    if (!found) return null;
    const name = (text) => text.toLowerCase().replace(/\s+/g, "");
    const wanted = name(found[1]);
    const c = columns.find((one) => name(one.name) === wanted) ||
      columns.find((_, j) => name(heads[j].textContent) === wanted);
    if (!c) return null;
    if (c.kind === "names") {
      const wantedName = (i) => c.at(i).toLowerCase().split(", ").includes(found[3]);
      return found[2] === "=" ? wantedName : null;
    }
    if (c.kind === "text") return found[2] === "=" ? (i) => c.at(i).toLowerCase() === found[3] : null;
    const bound = Number(found[3].replaceAll(",", "").replace("−", "-"));
    if (Number.isNaN(bound)) return null;
    const is = { "<": (v) => v < bound, "<=": (v) => v <= bound, ">": (v) => v > bound, ">=": (v) => v >= bound,
      "=": (v) => v === bound }[found[2]];
    return (i) => c.values[i] !== null && is(Number(c.values[i]));
  };

  const filter = () => {
    const words = input ? input.value.toLowerCase().match(/(?:[^\s"]+|"[^"]*"?)+/g) || [] : [];
    const tests = words.map((quotedWord) => {
      const word = quotedWord.replaceAll('"', "");
      const compare = test(word);
      if (compare) return compare;
      if (!texts) {
        const lower = columns.map((c) => (c.text ? c.words.map((w) => w.toLowerCase()) : null));
        texts = Array.from({ length: number }, (_, i) => columns.map((c, j) =>
          (lower[j] ? (c.codes[i] < 0 ? "" : lower[j][c.codes[i]]) : c.values[i] ?? "")).join("\t"));
      }
      return (i) => texts[i].includes(word);
    });
    order = Uint32Array.from({ length: number }, (_, i) => i);
    if (tests.length) order = order.filter((i) => tests.every((one) => one(i)));
    sort();
    page = 0;
    draw();
  };

  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", async () => {
      await load();
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      sorted = { column, down };
      sort();
      page = 0;
      draw();
    });
  });
  box.addEventListener("show", (event) => {
    if (!input) return;
    input.value = event.detail;
    load().then(filter);
  });
  if (input) {
    let wait = 0;
    input.addEventListener("input", () => {
      clearTimeout(wait);
      wait = setTimeout(() => load().then(filter), 80);
    });
  }
  for (const [css, step] of [[".back", -1], [".next", 1]]) {
    pager.querySelector(css).addEventListener("click", () => load().then(() => { page += step; draw(); }));
  }
  /* Texts that a spreadsheet would run as a formula get an apostrophe in front. */
  const quoted = (text) => {
    const safe = /^[=+\-@\t\r]/.test(text) ? "'" + text : text;
    return /[",\r\n]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
  };
  csv.addEventListener("click", () => load().then(() => {
    const lines = [columns.map((c) => quoted(c.name)).join(",")];
    for (const i of order) {
      lines.push(columns.map((c) => (c.text ? quoted(c.at(i)) : c.values[i] ?? "")).join(","));
    }
    kit.save(box.dataset.file + ".csv", lines.join("\r\n") + "\r\n", "text/csv");
  }));
  csv.hidden = false;
  csv.title = "Save the rows that match, floats with six digits";
  const rows = Number(box.dataset.rows);
  if (rows > size) turn(Math.ceil(rows / size));
}

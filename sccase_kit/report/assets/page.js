"use strict";
/* Tables that sort by a click on a column and filter by words; nothing is stored or sent. */
for (const box of document.querySelectorAll(".table")) {
  const body = box.querySelector("tbody");
  const rows = Array.from(body.rows);
  const count = box.querySelector(".count");
  const input = box.querySelector("input");
  const heads = Array.from(box.querySelectorAll("thead th"));
  const told = count.textContent;

  const value = (row, column, numeric) => {
    const cell = row.cells[column];
    if (!numeric) return cell.textContent;
    const number = cell.dataset.v === undefined ? NaN : Number(cell.dataset.v);
    return number;
  };

  heads.forEach((head, column) => {
    const button = head.querySelector("button");
    if (!button) return;
    const numeric = head.classList.contains("n");
    const words = new Intl.Collator(undefined, { numeric: true });
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const keyed = rows.map((row, place) => ({ row, place, key: value(row, column, numeric) }));
      keyed.sort((a, b) => {
        const noA = numeric ? Number.isNaN(a.key) : a.key === "";
        const noB = numeric ? Number.isNaN(b.key) : b.key === "";
        if (noA || noB) return noA - noB || a.place - b.place;
        const order = numeric ? Math.sign(a.key - b.key) : words.compare(a.key, b.key);
        return (down ? -order : order) || a.place - b.place;
      });
      body.append(...keyed.map((item) => item.row));
    });
  });

  if (input) {
    const texts = rows.map((row) => row.textContent.toLowerCase());
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row, i) => {
        row.hidden = !wanted.every((word) => texts[i].includes(word));
        shown += row.hidden ? 0 : 1;
      });
      count.textContent = wanted.length ? shown + " of " + rows.length + " rows match" : told;
    });
  }
}

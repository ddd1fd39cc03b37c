"use strict";
/* Shared by the scripts of a page: numbers as people read them, packed data, colours of the theme. Nothing is stored or
   sent. */
const kit = {
  /* As shown() of values.py. */
  format(value, kind) {
    if (value === null || value === undefined || value === "") return "";
    if (kind === "text") return value;
    const v = Number(value);
    if (Number.isNaN(v)) return "";
    if (!Number.isFinite(v)) return v > 0 ? "∞" : "−∞";
    if (kind === "integer") return v.toLocaleString("en-US").replace("-", "−");
    if (v === 0) return "0";
    const size = Math.abs(v);
    let text;
    if (size < 1e-3 || size >= 1e9) text = v.toExponential(2).replace("e+", "e");
    else if (size >= 1000) text = Math.round(v).toLocaleString("en-US");
    else {
      text = v.toFixed(Math.max(0, 3 - Math.floor(Math.log10(size))));
      if (text.includes(".")) text = text.replace(/0+$/, "").replace(/\.$/, "");
    }
    return text.replaceAll("-", "−");
  },

  /* As pack() of values.py. */
  async unpack(text) {
    const bytes = Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  },

  save(name, text, type) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  },

  /* Puts a box with what is told next to the pointer, inside a frame. */
  beside(tip, box, event) {
    const frame = box.getBoundingClientRect();
    const x = event.clientX - frame.left, y = event.clientY - frame.top;
    tip.style.left = `${Math.max(0, Math.min(x + 14, frame.width - tip.offsetWidth - 4))}px`;
    tip.style.top = `${Math.max(0, y - tip.offsetHeight - 10)}px`;
  },

  dark() {
    const theme = document.documentElement.dataset.theme;
    return theme === "dark" || (!theme && matchMedia("(prefers-color-scheme: dark)").matches && !matchMedia("print").matches);
  },

  /* A colour as it is seen on the background: dark ones are lighter on a dark page. */
  seen(color) {
    if (!kit.dark() || !/^#[0-9a-f]{6}$/i.test(color)) return color;
    const parts = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));
    const light = (0.3 * parts[0] + 0.59 * parts[1] + 0.11 * parts[2]) / 255;
    const share = Math.max(0, 0.45 - light);
    return `rgb(${parts.map((v) => Math.round(v + (255 - v) * share)).join(",")})`;
  },

  /* Rounds up to 1, 2 or 5 times a power of ten. */
  nice(value) {
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 2, 5, 10].map((m) => m * power).find((m) => m >= value * 0.9999);
  },
};

const chips = () => {
  for (const chip of document.querySelectorAll(".chip rect")) {
    chip.dataset.color = chip.dataset.color || chip.getAttribute("fill");
    chip.setAttribute("fill", kit.seen(chip.dataset.color));
  }
};
const retheme = () => document.dispatchEvent(new Event("theme"));
document.addEventListener("theme", chips);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", retheme);
for (const name of ["beforeprint", "afterprint"]) addEventListener(name, retheme);
chips();

for (const button of document.querySelectorAll("button.theme")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = kit.dark() ? "light" : "dark";
    retheme();
  });
}

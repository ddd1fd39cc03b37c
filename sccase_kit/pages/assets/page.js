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

  /* Rounds up to 1, 2 or 5 times a power of ten. */
  nice(value) {
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 2, 5, 10].map((m) => m * power).find((m) => m >= value * 0.9999);
  },
};

for (const button of document.querySelectorAll("button.theme")) {
  const root = document.documentElement;
  const dark = () => root.dataset.theme === "dark" ||
    (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    document.dispatchEvent(new Event("theme"));
  });
}

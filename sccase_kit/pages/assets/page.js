"use strict";
/* Shared by the scripts of a page: numbers as people read them, packed data, colours of the theme. Nothing is stored or
   sent. */
const kit = {
  /* As shown() of values.py. */
  format(value, kind) {
    if (value === null || value === undefined || value === "") return "";
    if (kind === "text") return value;
    if (kind === "names") {
      const names = value.split(", ");
      return names.slice(0, 4).join(", ") + (names.length > 4 ? ` … (${names.length.toLocaleString("en-US")})` : "");
    }
    const v = Number(value);
    if (Number.isNaN(v)) return "";
    if (!Number.isFinite(v)) return v > 0 ? "∞" : "−∞";
    if (kind === "percent") return `${kit.format(Number((100 * v).toPrecision(3)), "number")} %`;
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
    if (kit.printing || matchMedia("print").matches) return false;
    const theme = document.documentElement.dataset.theme;
    return theme === "dark" || (!theme && matchMedia("(prefers-color-scheme: dark)").matches);
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
for (const name of ["beforeprint", "afterprint"]) {
  addEventListener(name, () => { kit.printing = name === "beforeprint"; retheme(); });
}
matchMedia("print").addEventListener("change", retheme);
chips();

/* A link to a block that shows something tells it what; one to a block that is not there goes. */
for (const link of document.querySelectorAll("a[data-shows]")) {
  const block = document.getElementById(link.hash.slice(1));
  if (block) link.addEventListener("click", () => block.dispatchEvent(new CustomEvent("show", { detail: link.dataset.shows })));
  else link.remove();
}

/* Figures on a dark page: the palette of the image is turned, greys and paper most, strong colours hardly. */
const figures = (() => {
  const table = Uint32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c >>> 0;
  });
  const turn = (r, g, b) => {
    const high = Math.max(r, g, b), low = Math.min(r, g, b), light = (high + low) / 510, weight = (1 - (high - low) / 255) ** 2;
    const by = (0.93 - 0.82 * light - light) * weight * 255;
    return [r - 2 * weight, g, b + 8 * weight].map((v) => Math.max(0, Math.min(255, Math.round(v + by))));
  };
  const dark = (source) => {
    const bytes = Uint8Array.from(atob(source.slice(source.indexOf(",") + 1)), (c) => c.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
      if (view.getUint32(at + 4) !== 0x504c5445) continue; /* PLTE */
      const end = at + 8 + view.getUint32(at);
      for (let i = at + 8; i < end; i += 3) bytes.set(turn(bytes[i], bytes[i + 1], bytes[i + 2]), i);
      let sum = 0xffffffff;
      for (let i = at + 4; i < end; i++) sum = table[(sum ^ bytes[i]) & 255] ^ (sum >>> 8);
      view.setUint32(end, (sum ^ 0xffffffff) >>> 0);
      break;
    }
    let text = "";
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return `data:image/png;base64,${btoa(text)}`;
  };
  const known = new Map();
  return () => {
    for (const image of document.querySelectorAll("figure img")) {
      if (!known.has(image)) known.set(image, { light: image.src, dark: null });
      const kept = known.get(image);
      if (kit.dark()) kept.dark = kept.dark || dark(kept.light);
      const wanted = kit.dark() ? kept.dark : kept.light;
      if (image.src !== wanted) image.src = wanted;
    }
  };
})();
document.addEventListener("theme", figures);
figures();

for (const button of document.querySelectorAll("button.theme")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = kit.dark() ? "light" : "dark";
    retheme();
  });
}

/* Paper has what the reader could open. */
window.addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("details:not([open])")) { one.open = true; one.dataset.printed = ""; }
});
window.addEventListener("afterprint", () => {
  for (const one of document.querySelectorAll("details[data-printed]")) { one.open = false; delete one.dataset.printed; }
});

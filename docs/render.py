"""Run the notebooks on real data and write them as pages that are read without running anything.

    python docs/render.py FOLDER [NAME ...]

FOLDER holds the data sets of data_manifest.yaml. Every notebook is run with its sections on real data
(`SCCASE_KIT_FULL=1`, `SCCASE_KIT_DATA=FOLDER`) and written to docs/rendered/NAME.md, its figures beside it as small
PNGs. NAME is the start of a notebook's name, such as 10. Look at the pages before they are committed.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import sys
import tempfile
from html import unescape
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGES = HERE / "rendered"
NOTEBOOKS = HERE.parent / "notebooks"
#: Largest file, and most that the pages and the gallery may take together, in bytes.
MAX_FILE, MAX_TOTAL = 1_000_000, 4_000_000
WIDTH, COLORS, LONGEST = 850, 96, 40  # pixels, colours of a figure, lines of an output
_CELL = re.compile(r"<t[hd][^>]*>(.*?)</t[hd]>", flags=re.DOTALL)
_BAR = re.compile(r"\x1b\[[0-9;]*m|.*\r")


def figure(data: str, path: Path) -> None:
    """Write a figure, as wide as a page at most, with few colours."""
    from PIL import Image

    image = Image.open(io.BytesIO(base64.b64decode(data)))
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image)
        image = white
    image = image.convert("RGB")
    image.thumbnail((WIDTH, 10 * WIDTH))
    image.quantize(COLORS).save(path, optimize=True)


def as_table(html: str) -> str | None:
    """Return a table of HTML as Markdown, its first rows; None where there is none."""
    rows = [
        [" ".join(unescape(re.sub("<[^>]+>", "", cell)).split()).replace("|", "\\|") for cell in re.findall(_CELL, row)]
        for row in re.findall(r"<tr.*?</tr>", html, flags=re.DOTALL)
    ]
    width = max((len(row) for row in rows), default=0)
    if not width:
        return None
    rows = [row + [""] * (width - len(row)) for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in rows[: LONGEST + 1]]
    lines.insert(1, "|" + " --- |" * width)
    if len(rows) > LONGEST + 1:
        lines += ["", f"… {len(rows) - LONGEST - 1} more rows"]
    return "\n".join(lines)


def outputs(cell: dict, name: str, number: int) -> list[str]:
    """Return the outputs of a cell as Markdown; what goes to stderr (bars, warnings of libraries) is left out."""
    parts: list[str] = []
    for k, output in enumerate(cell["outputs"]):
        data = output.get("data", {})
        if "image/png" in data:
            picture = PAGES / f"{name}_{number:02d}{'abcdefgh'[k % 8]}.png"
            figure(data["image/png"], picture)
            parts.append(f"![figure]({picture.name})")
            continue
        if output["output_type"] == "stream" and output["name"] == "stderr":
            continue
        html = data.get("text/html", "")
        if "<table" in html and (table := as_table(html)):
            parts.append(table)
            continue
        text = _BAR.sub("", output.get("text") or data.get("text/plain", "")).rstrip()
        if not text or "widget" in "".join(data) or text.startswith("<Figure"):
            continue
        lines = text.replace(str(Path(os.environ["SCCASE_KIT_DATA"])), "FOLDER").splitlines()
        if len(lines) > LONGEST:
            lines = [*lines[:LONGEST], f"… {len(lines) - LONGEST} more lines"]
        parts.append("\n".join(["```text", *lines, "```"]))
    return parts


def page(notebook: dict, name: str) -> str:
    """Return the page of a notebook that was run."""
    made = hashlib.sha256((NOTEBOOKS / f"{name}.ipynb").read_bytes()).hexdigest()[:12]
    parts = []
    for number, cell in enumerate(notebook["cells"]):
        if "hide-cell" in cell["metadata"].get("tags", []) or "session_info" in cell["source"]:
            continue
        if cell["cell_type"] == "markdown":
            parts.append(cell["source"])
            if number == 0:
                text = f"*`notebooks/{name}.ipynb` ({made}), run on real data by `python docs/render.py FOLDER`.*"
                parts.append(text)
        else:
            parts += [f"```python\n{cell['source']}\n```", *outputs(cell, name, number)]
    text = "\n\n".join(parts) + "\n"
    return text.replace(f"{NOTEBOOKS.parent}{os.sep}", "")  # where this copy of the project lies


def run(path: Path) -> dict:
    """Return a notebook with the outputs of its cells."""
    import nbclient
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        client = nbclient.NotebookClient(notebook, timeout=1800, resources={"metadata": {"path": folder}})
        return client.execute()


def check_sizes() -> None:
    """Raise SystemExit if a file is too large, or all together are."""
    files = [*PAGES.glob("*"), *(HERE / "figures" / "gallery").glob("*")]
    sizes = {file.name: file.stat().st_size for file in files}
    large = [name for name, size in sizes.items() if size > MAX_FILE]
    if large or sum(sizes.values()) > MAX_TOTAL:
        msg = f"too large: {large or sum(sizes.values())}"
        raise SystemExit(msg)
    print(f"{len(sizes)} files, {sum(sizes.values()) / 1e6:.2f} MB with the gallery")


def main(folder: str, names: list[str]) -> None:
    """Run and write the notebooks whose names begin so, or all."""
    os.environ |= {"SCCASE_KIT_DATA": str(Path(folder).resolve()), "SCCASE_KIT_FULL": "1"}
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    PAGES.mkdir(exist_ok=True)
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        name = path.stem
        if names and not any(name.startswith(start) for start in names):
            continue
        notebook = run(path)
        for old in PAGES.glob(f"{name}[._]*"):
            old.unlink()
        (PAGES / f"{name}.md").write_text(page(notebook, name), encoding="utf-8")
        size = sum(file.stat().st_size for file in PAGES.glob(f"{name}[._]*"))
        print(name, size // 1000, "kB", flush=True)
    check_sizes()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

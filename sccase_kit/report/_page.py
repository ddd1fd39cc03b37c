"""One self-contained HTML page from texts, figures, tables and code; every text is escaped here."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib import resources
from typing import Any, Protocol

import numpy as np
import pandas as pd

_FILTER_ABOVE = 8
_PRINTED_ROWS, _PRINTED_COLUMNS = 25, 10
_LONGEST, _KEPT_WHOLE = 300, 32


class Block(Protocol):
    """Something that a section shows."""

    def html(self) -> str:
        """Return the block as HTML with every text escaped."""


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; with ``kind="note"`` one that stands out, with ``kind="heading"`` a heading in the section."""

    text: str
    kind: str = "plain"

    def html(self) -> str:
        """Return the paragraph."""
        if self.kind == "heading":
            return f"<h3>{escape(self.text)}</h3>"
        css = {"note": ' class="note"', "soft": ' class="soft"'}.get(self.kind, "")
        return f"<p{css}>{escape(self.text)}</p>"


@dataclass(frozen=True, slots=True)
class Code:
    """Code to copy."""

    text: str

    def html(self) -> str:
        """Return the code, spaces kept."""
        return f"<pre><code>{escape(self.text)}</code></pre>"


@dataclass(frozen=True, slots=True)
class Figure:
    """A PNG image with what it shows.

    Attributes
    ----------
    png
        The file's bytes.
    caption
        What is seen; also the text for those who do not see it.
    size
        Width and height in CSS pixels.
    """

    png: bytes
    caption: str
    size: tuple[int, int]

    def html(self) -> str:
        """Return the figure with its image inside."""
        data = base64.b64encode(self.png).decode("ascii")
        width, height = self.size
        wide = ' class="wide"' if width > 1.7 * height else ""
        return (
            f'<figure><div{wide}><img src="data:image/png;base64,{data}" width="{width}" height="{height}" '
            f'alt="{escape(self.caption)}"></div><figcaption>{escape(self.caption)}</figcaption></figure>'
        )


@dataclass(frozen=True, slots=True)
class Table:
    """A table that sorts by its columns and, where it is long, filters by words.

    Attributes
    ----------
    frame
        The rows; an index that is not just numbers becomes the first column.
    caption
        What the table holds.
    max_rows
        Rows shown at most, the first ones.
    print_all
        Print all rows, not only the first ones.
    """

    frame: pd.DataFrame
    caption: str
    max_rows: int = 500
    print_all: bool = False

    def html(self) -> str:
        """Return the table with its filter and the number of rows."""
        frame = self.frame.iloc[: self.max_rows]
        if not pd.api.types.is_integer_dtype(frame.index):
            index = pd.Series(frame.index, index=frame.index, name=frame.index.name or "")
            frame = pd.concat([index, frame], axis=1)
        columns = [frame.iloc[:, j] for j in range(frame.shape[1])]
        numeric = [_is_numeric(column) for column in columns]
        head = "".join(
            f'<th scope="col"{_css(n)}><button type="button">{escape(str(c))}</button></th>'
            for c, n in zip(frame.columns, numeric, strict=True)
        )
        cells = [[_cell(v, numeric=n) for v in column] for column, n in zip(columns, numeric, strict=True)]
        body = "".join("<tr>" + "".join(row) + "</tr>" for row in zip(*cells, strict=True))
        long = len(frame) > _FILTER_ABOVE
        label = f"filter: {self.caption}"
        search = f'<input type="search" placeholder="filter rows" aria-label="{escape(label)}">' if long else ""
        cut = len(frame) > _PRINTED_ROWS and not self.print_all
        broad = frame.shape[1] > _PRINTED_COLUMNS
        css = " ".join(["table", *(["long"] if cut else []), *(["broad"] if broad else [])])
        limits = [*([f"{_PRINTED_ROWS} rows"] if cut else []), *([f"{_PRINTED_COLUMNS} columns"] if broad else [])]
        printed = f'<p class="count printed">Printed are the first {" and ".join(limits)}.</p>' if limits else ""
        return (
            f'<div class="{css}"><div class="top"><span class="caption">'
            f'{escape(self.caption)}</span>{search}</div><div class="scroll" tabindex="0"><table><thead><tr>{head}'
            f'</tr></thead><tbody>{body}</tbody></table></div><p class="count">{escape(self._count(frame))}</p>'
            f"{printed}</div>"
        )

    def _count(self, frame: pd.DataFrame) -> str:
        if len(frame) < len(self.frame):
            return f"the first {len(frame):,} of {len(self.frame):,} rows"
        return f"{len(frame):,} row{'' if len(frame) == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Tiles:
    """Numbers at a glance."""

    values: Mapping[str, Any]

    def html(self) -> str:
        """Return the tiles as a list of terms."""
        shown = {
            k: f"{v:,}" if isinstance(v, int) and not isinstance(v, bool) else _text(v) for k, v in self.values.items()
        }
        items = (f"<div><dt>{escape(str(k))}</dt><dd>{escape(v)}</dd></div>" for k, v in shown.items())
        return f'<dl class="tiles">{"".join(items)}</dl>'


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with blocks, and its word in the navigation."""

    title: str
    blocks: Sequence[Block] = field(default_factory=list)


def _is_numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _css(numeric: bool) -> str:  # noqa: FBT001
    return ' class="n"' if numeric else ""


def _text(value: Any) -> str:
    """Return a value as people read it: floats with four digits, missing ones as nothing."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return ", ".join(_text(v) for v in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{k}: {_text(v)}" for k, v in value.items())
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else f"{value:.4g}"
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _cell(value: Any, *, numeric: bool) -> str:
    if not numeric:
        text = _text(value)
        css = ' class="k"' if len(text) <= _KEPT_WHOLE else ""
        return f"<td{css}>{escape(text)}</td>"
    if pd.isna(value):
        return '<td class="n"></td>'
    return f'<td class="n" data-v="{escape(repr(float(value)))}">{escape(_text(value))}</td>'


def asset(name: str) -> str:
    """Return the text of a file of this package's assets."""
    return resources.files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def page(title: str, subtitle: str, sections: Sequence[Section], *, footer: str = "") -> str:
    """Return a whole HTML document that needs nothing from outside and may load nothing.

    The content policy in its head allows only the page's own script and style (by their digests) and inline images, so
    that no text from the data could run even if it were not escaped.

    Parameters
    ----------
    title, subtitle
        First lines.
    sections
        What follows, in order.
    footer
        Last line.

    Returns
    -------
    The document.
    """
    style, script = asset("page.css"), asset("page.js")
    policy = f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    policy += "; base-uri 'none'; form-action 'none'"
    links = "".join(f'<li><a href="#s{i}">{escape(s.title)}</a></li>' for i, s in enumerate(sections))
    body = "".join(
        f'<section id="s{i}"><h2>{escape(s.title)}</h2>{"".join(b.html() for b in s.blocks)}</section>'
        for i, s in enumerate(sections)
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head>\n<body>"
        f'<header><h1>{escape(title)}</h1><p class="soft">{escape(subtitle)}</p></header>'
        f'<nav aria-label="sections"><ul>{links}</ul></nav>\n<main>{body}</main>\n'
        f"<footer>{escape(footer)}</footer>\n<script>{script}</script></body></html>\n"
    )

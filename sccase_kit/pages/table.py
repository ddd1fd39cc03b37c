"""Tables of a page: sorted, filtered and paged by its script, with a download; the first rows need none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, ClassVar

import pandas as pd

from .values import columns_of, first_names, is_number, pack, percent, shown

#: Rows of a page; tables of a few more are whole, and tables of fewer have no filter.
ROWS, WHOLE, UNFILTERED = 12, 20, 12
#: Rows of a table that are printed at most: shorter tables whole.
PRINTED = 40
#: Width of a printed page in points, of a character and of a column's padding there, and what a text takes at least.
_PAPER, _CHARACTER, _PADDING, _TEXT = 505, 3.9, 5, 16
_KEPT_WHOLE = 32
_WORDY = 14  # characters of a header that takes several lines


@dataclass(frozen=True, slots=True)
class Table:
    """A table that sorts by its columns, filters by words and comparisons, and can be saved as CSV.

    Attributes
    ----------
    frame
        The rows; an index that is not just numbers becomes the first column.
    caption
        What the table holds.
    max_rows
        Rows kept at most, the first ones; the caption of the table says so. 100,000 rows stay quick.
    by
        Column of groups: where the table is cut, every group keeps its first rows.
    print_all
        Show all rows at once, on paper too.
    file
        Name of the saved file, without its ending.
    headers
        What columns are called on the page; in the saved file they keep their names, and the filter takes either.
    notes
        What columns mean, in a sentence each: shown under the pointer, after the name in the file.
    anchor
        Its place in the page, for links that filter it.
    percent
        Columns of shares, shown in percent; the filter and the saved file take them as they are.
    lists
        Columns of names joined by commas or semicolons: the first and their number are shown and sorted by; the filter
        and the saved file take all.
    """

    scripts: ClassVar[tuple[str, ...]] = ("table.js",)

    frame: pd.DataFrame
    caption: str
    max_rows: int = 20_000
    by: str = ""
    print_all: bool = False
    file: str = "table"
    headers: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    anchor: str = ""
    percent: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()

    def html(self) -> str:
        """Return the table: first rows as HTML, all rows packed for the script."""
        frame, count = self._kept()
        if not pd.api.types.is_integer_dtype(frame.index):
            index = pd.Series(frame.index, index=frame.index, name=frame.index.name or "")
            frame = pd.concat([index, frame], axis=1)
        columns = [frame.iloc[:, j] for j in range(frame.shape[1])]
        numeric = [is_number(column) for column in columns]
        first = len(frame) if self.print_all or len(frame) <= WHOLE else ROWS
        put = len(frame) if self.print_all else PRINTED
        headers = [self.headers.get(str(c), str(c)) for c in frame.columns]
        shares = [n and str(c) in self.percent for c, n in zip(frame.columns, numeric, strict=True)]
        named = [str(c) in self.lists for c in frame.columns]
        cells = [
            [_listed(v) if many else _cell(v, numeric=n, share=s) for v in c.iloc[:put]]
            for c, n, s, many in zip(columns, numeric, shares, named, strict=True)
        ]
        paper = _on_paper(headers, cells, numeric)
        marks = ["" if inside else " np" for inside in paper]
        head = "".join(
            f'<th scope="col" class="{("n" if n else "") + (" h" if len(h) > _WORDY else "") + mark}">'
            f"{_button(str(c), h, self.notes.get(str(c), ''))}</th>"
            for c, h, n, mark in zip(frame.columns, headers, numeric, marks, strict=True)
        )
        rows = [
            f"<tr{' class=later' if i >= first else ''}>"
            + "".join(
                f'<td class="{css}{mark}">{escape(text)}</td>' for (css, text), mark in zip(row, marks, strict=True)
            )
            + "</tr>"
            for i, row in enumerate(zip(*cells, strict=True))
        ]
        search = ""
        if len(frame) > UNFILTERED:
            hint = "Words, or comparisons such as padj<0.01 or group=3; text with spaces in quotes"
            label = f"filter: {self.caption}"
            search = f'<input type="search" placeholder="filter" title="{hint}" aria-label="{escape(label)}">'
        css = "table narrow" if frame.shape[1] < 5 else "table"
        anchor = f' id="{escape(self.anchor)}"' if self.anchor else ""
        packed = pack(columns_of(frame, percent=self.percent, lists=self.lists))
        left = [header for header, inside in zip(headers, paper, strict=True) if not inside]
        return (
            f'<div class="{css}"{anchor} data-page="{first}" data-printed="{put}" data-rows="{len(frame)}" '
            f'data-file="{escape(self.file)}"><div class="top"><span class="caption">{escape(self.caption)}</span>'
            f'<span class="tools">{search}<button type="button" class="csv" hidden>CSV</button></span></div>'
            f'{_printed(count, len(frame) > put, left)}<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr>'
            f"</thead><tbody>{''.join(rows)}</tbody></table></div>"
            f'<div class="foot"><span class="count">{escape(count)}</span><span class="pager" hidden>'
            '<button type="button" class="back" aria-label="previous rows">‹</button><span class="place"></span>'
            '<button type="button" class="next" aria-label="next rows">›</button></span></div>'
            f'<script type="text/plain">{packed}</script></div>'
        )

    def _kept(self) -> tuple[pd.DataFrame, str]:
        """Return the rows that are kept, and how many they are, in words."""
        n = len(self.frame)
        if n <= self.max_rows:
            return self.frame, f"{n:,} row{'' if n == 1 else 's'}"
        if self.by not in self.frame.columns or (n_groups := self.frame[self.by].nunique()) < 2:
            return self.frame.iloc[: self.max_rows], f"the first {self.max_rows:,} of {n:,} rows"
        each = max(5, self.max_rows // n_groups)
        part = self.frame.groupby(self.by, sort=False, observed=True).head(each)
        return part, f"the first {each:,} of each {self.by}, of {n:,} rows"


def _on_paper(headers: list[str], cells: list[list[tuple[str, str]]], numeric: list[bool]) -> list[bool]:
    """Return which columns are printed: those, from the left, that fit next to each other without a broken number."""
    left, inside = float(_PAPER), []
    for header, column, is_numeric in zip(headers, cells, numeric, strict=True):
        texts = [text for _, text in column]
        whole = max((len(text) for css, text in column if css in ("n", "o")), default=0)
        words = max((len(word) for text in texts for word in text.split()), default=0)
        least = 0 if is_numeric else min(_TEXT, max((len(text) for text in texts), default=0))
        size = max(whole, min(words, _KEPT_WHOLE), least, max(map(len, header.split()), default=0))
        needed = _CHARACTER * size + _PADDING
        inside.append(needed <= left)
        left -= needed if needed <= left else 0
    return inside if any(inside) else [i == 0 for i in range(len(headers))]


def _printed(count: str, cut: bool, left: list[str]) -> str:  # noqa: FBT001
    """Return what a reader of the paper must know, for paper alone: how many rows and which columns are not there."""
    limits = [f"{count[0].upper()}{count[1:]}, of which the first {PRINTED} are printed."] if cut else []
    limits += [f"Not printed, for want of width: {', '.join(left)}."] if left else []
    return f'<p class="soft printed">{escape(" ".join(limits))}</p>' if limits else ""


def _button(name: str, header: str, note: str) -> str:
    """Return the button that sorts by a column; what it means and its name in the file are a tooltip."""
    own = "" if header == name else name
    title = f"{note} (in the file: {own})" if note and own else note or own
    title = f' title="{escape(title)}"' if title else ""
    return f'<button type="button"{title}>{escape(header)}</button>'


def _listed(value: Any) -> tuple[str, str]:
    """Return the class and the text of names joined by commas."""
    return "w", first_names(value)


def _cell(value: Any, *, numeric: bool, share: bool) -> tuple[str, str]:
    """Return the class and the text of a cell: numbers, single words, short and long texts; as table.js does."""
    text = percent(value) if share else shown(None if numeric and pd.isna(value) else value)
    if numeric:
        return "n", text
    return "w" if len(text) > _KEPT_WHOLE else "k" if " " in text else "o", text

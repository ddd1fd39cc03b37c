"""Tables of a page: sorted, filtered and paged by its script, with a download; the first rows need none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, ClassVar

import pandas as pd

from .values import columns_of, is_number, pack, shown

#: Rows of a page; below, there is no filter.
ROWS = 12
_PRINTED_COLUMNS = 10
_KEPT_WHOLE = 32


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
        What columns are called on the page; under the pointer and in the saved file they keep their names, and the
        filter takes either.
    """

    scripts: ClassVar[tuple[str, ...]] = ("table.js",)

    frame: pd.DataFrame
    caption: str
    max_rows: int = 20_000
    by: str = ""
    print_all: bool = False
    file: str = "table"
    headers: Mapping[str, str] = field(default_factory=dict)

    def html(self) -> str:
        """Return the table: first rows as HTML, all rows packed for the script."""
        frame, count = self._kept()
        if not pd.api.types.is_integer_dtype(frame.index):
            index = pd.Series(frame.index, index=frame.index, name=frame.index.name or "")
            frame = pd.concat([index, frame], axis=1)
        columns = [frame.iloc[:, j] for j in range(frame.shape[1])]
        numeric = [is_number(column) for column in columns]
        first = len(frame) if self.print_all else ROWS
        head = "".join(
            f'<th scope="col"{_css(n)}>{_button(str(c), self.headers.get(str(c), str(c)))}</th>'
            for c, n in zip(frame.columns, numeric, strict=True)
        )
        cells = [[_cell(v, numeric=n) for v in c.iloc[:first]] for c, n in zip(columns, numeric, strict=True)]
        body = "".join("<tr>" + "".join(row) + "</tr>" for row in zip(*cells, strict=True))
        search = ""
        if len(frame) > ROWS:
            hint = "Words, or comparisons such as padj<0.01"
            label = f"filter: {self.caption}"
            search = f'<input type="search" placeholder="filter" title="{hint}" aria-label="{escape(label)}">'
        css = "table broad" if frame.shape[1] > _PRINTED_COLUMNS else "table narrow" if frame.shape[1] < 5 else "table"
        return (
            f'<div class="{css}" data-page="{first}" data-rows="{len(frame)}" data-file="{escape(self.file)}">'
            f'<div class="top"><span class="caption">{escape(self.caption)}</span><span class="tools">{search}'
            '<button type="button" class="csv" hidden>CSV</button></span></div>'
            f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
            f'<div class="foot"><span class="count">{escape(count)}</span><span class="pager" hidden>'
            '<button type="button" class="back" aria-label="previous rows">‹</button><span class="place"></span>'
            '<button type="button" class="next" aria-label="next rows">›</button></span></div>'
            f'{_printed(len(frame) > first, frame.shape[1])}<script type="text/plain">{pack(columns_of(frame))}'
            "</script></div>"
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


def _printed(cut: bool, n_columns: int) -> str:  # noqa: FBT001
    limits = ["the rows that are seen"] if cut else []
    limits += [f"the first {_PRINTED_COLUMNS} columns"] if n_columns > _PRINTED_COLUMNS else []
    return f'<p class="soft printed">Printed: {" and ".join(limits)}.</p>' if limits else ""


def _button(name: str, header: str) -> str:
    """Return the button that sorts by a column; where it is called otherwise on the page, its name is a tooltip."""
    title = "" if header == name else f' title="{escape(name)}"'
    return f'<button type="button"{title}>{escape(header)}</button>'


def _css(numeric: bool) -> str:  # noqa: FBT001
    return ' class="n"' if numeric else ""


def _cell(value: Any, *, numeric: bool) -> str:
    text = shown(None if numeric and pd.isna(value) else value)
    css = ' class="n"' if numeric else ' class="k"' if len(text) <= _KEPT_WHOLE else ' class="w"'
    return f"<td{css}>{escape(text)}</td>"

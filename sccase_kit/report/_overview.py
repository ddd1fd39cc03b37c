"""What was computed in a data set, by which calls, and what can be done next."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from anndata import AnnData

from .._arguments import checked
from .._calls import steps
from .._record import Record, records
from .._validate import check_adata
from ..pages.values import shown
from ._reproduce import call

#: What follows what: function, the one it needs, the call, what it is for.
_NEXT = (
    ("tl.enhance", "", "sk.tl.enhance(adata)", "enhance the counts"),
    ("tl.cluster", "tl.enhance", "sk.tl.cluster(adata)", "cluster the cells"),
    ("metrics.held_out", "tl.enhance", "sk.metrics.held_out(adata, key_added='held_out')", "does enhancing help?"),
    ("tl.annotate", "tl.cluster", "sk.tl.annotate(adata, 'louvain', 'blood', genome='hg38')", "names for the groups"),
    ("tl.specific_peaks", "tl.enhance", "sk.tl.specific_peaks(adata, 'louvain', genome='hg38')", "marker peaks"),
    ("tl.great", "tl.specific_peaks", "sk.tl.great(adata, 'hg38', 'GO:BP')", "functions of the genes near them"),
    ("tl.chromvar", "tl.match_motifs", "sk.tl.chromvar(adata)", "motifs in the cells"),
    ("", "tl.specific_peaks", "sk.browse(adata, 'louvain')", "look at the markers"),
    ("", "tl.enhance", "sk.report.write_report(adata, 'report.html')", "all of it as one page"),
)


@dataclass(frozen=True, slots=True)
class Overview:
    """What a data set holds; notebooks show it as tables.

    Attributes
    ----------
    size
        Cells and peaks in words.
    done
        Where a result is stored, the call that made it, and what it is in a few words.
    following
        Calls that can be made next, and what they are for.
    """

    size: str
    done: tuple[tuple[str, str, str], ...]
    following: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        lines = [self.size]
        for where, code, what in self.done:
            lines.append(f"  {where}: {code}" + (f"  # {what}" if what else ""))
        lines += ["next:"] if self.following else []
        return "\n".join([*lines, *(f"  {code}  # {what}" for code, what in self.following)])

    def _repr_html_(self) -> str:
        done = "".join(
            f"<tr><td>{escape(where)}</td><td><code>{escape(code)}</code></td><td>{escape(what)}</td></tr>"
            for where, code, what in self.done
        )
        following = "".join(
            f"<tr><td><code>{escape(code)}</code></td><td>{escape(what)}</td></tr>" for code, what in self.following
        )
        head = "<tr><th>stored in</th><th>by</th><th>result</th></tr>"
        text = f"<p>{escape(self.size)}</p>" + (f"<table>{head}{done}</table>" if done else "")
        return text + (f"<p>Next:</p><table>{following}</table>" if following else "")


@checked()
def overview(adata: AnnData) -> Overview:
    """Say what was computed in a data set, by which calls, and what can be done next.

    Parameters
    ----------
    adata
        Any data; results and steps of this package are found by what they recorded.

    Returns
    -------
    Overview
        Printed as lines, and in notebooks as tables.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=300).adata
    >>> sk.overview(adata).following[0]
    ('sk.tl.enhance(adata)', 'enhance the counts')
    """
    check_adata(adata)
    known = records(adata.uns)
    done = [("steps", call(function, "", params)[-1], "") for function, params in steps(adata.uns)]
    for key, made in sorted(known.items(), key=lambda item: item[1].number):
        code = call(made.function, key, made.params, objects=made.objects)[-1]
        done.append((f"uns[{key!r}]", code.partition("  # ")[0], _result(made)))
    functions = {made.function for made in known.values()}
    following = [
        (code, what)
        for function, needed, code, what in _NEXT
        if function not in functions and (not needed or needed in functions)
    ]
    return Overview(f"{adata.n_obs:,} cells × {adata.n_vars:,} peaks", tuple(done), tuple(following))


def _result(made: Record) -> str:
    """Return the sizes of what a call stored: numbers as they are, tables by their rows."""
    parts = []
    for name, value in made.results.items():
        if hasattr(value, "columns"):
            parts.append(f"{name}: {len(value):,} rows")
        elif _is_small(value):
            parts.append(f"{name}: {shown(value)}")
    return ", ".join(parts[:3])


def _is_small(value: Any) -> bool:
    return isinstance(value, (int, float, str, bool)) or getattr(value, "ndim", 1) == 0

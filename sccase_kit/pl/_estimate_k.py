"""The curves behind the estimated number of cell types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._validate import check_adata, check_key
from ._style import PALETTE, get_panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@checked()
def estimate_k(
    adata: AnnData | pd.DataFrame, *, key: str = "estimate_k", ax: Sequence[Any] | None = None
) -> list[Axes]:
    """Draw ASTER's three curves with the number that each names and the estimate.

    Parameters
    ----------
    adata
        Data with the result of :func:`sccase_kit.tl.estimate_k`, or its table of curves, which names no numbers.
    key
        Key of the result in `adata.uns`.
    ax
        Three Axes.

    Returns
    -------
    The three Axes: inertia, Davies–Bouldin score, silhouettes.

    Raises
    ------
    KeyError
        If there is no result under `key`.
    TypeError
        If `adata` is neither data nor such a table.
    ValueError
        If what is stored there is something else.
    """
    if isinstance(adata, pd.DataFrame):
        return _draw(_curves(adata), {}, None, ax)
    check_adata(adata)
    check_key(key, adata.uns.keys(), name="key", where="adata.uns", hint="Run sccase_kit.tl.estimate_k first.")
    entry = adata.uns[key]
    if not hasattr(entry, "keys") or not {"curves", "votes", "n_types"} <= set(entry.keys()):
        msg = f"key={key!r}: adata.uns[{key!r}] is not a result of sccase_kit.tl.estimate_k; run that first"
        raise ValueError(msg)
    return _draw(entry["curves"], entry["votes"], int(entry["n_types"]), ax)


def _curves(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of curves if it is one."""
    needed = ["k", "inertia", "davies_bouldin", "silhouette_louvain", "silhouette_leiden"]
    if absent := [name for name in needed if name not in table.columns]:
        msg = f"adata must be an AnnData, or the curves of sccase_kit.tl.estimate_k; the table lacks {absent}"
        raise TypeError(msg)
    return table


def _draw(curves: pd.DataFrame, votes: Any, n_types: int | None, ax: Sequence[Any] | None) -> list[Axes]:
    """Draw the curves, with what they name where that is known."""
    panels = get_panels(3, ax, width=3.2, height=2.8)
    k = np.asarray(curves["k"])
    drawn: list[tuple[str, str, dict[str, str | None], str]] = [
        ("knee", "k-means inertia", {"inertia": None}, "knee"),
        ("davies_bouldin", "Davies–Bouldin score", {"davies_bouldin": None}, "lowest"),
        (
            "silhouette",
            "silhouette",
            {"silhouette_louvain": "Louvain", "silhouette_leiden": "Leiden"},
            "largest sum",
        ),
    ]
    for axes, (vote, label, columns, rule) in zip(panels, drawn, strict=True):
        for color, (column, name) in zip(PALETTE[:2], columns.items(), strict=False):
            axes.plot(k, curves[column], marker="o", markersize=3.5, color=color, label=name)
        chosen = votes.get(vote)
        if chosen is not None:
            axes.axvline(chosen, color="0.4", linestyle="--", linewidth=1)
        if n_types is not None:
            axes.set_title(f"no {vote}" if chosen is None else f"{rule}: {int(chosen)}", fontsize="medium")
        axes.set(xlabel="number of types", ylabel=label)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.spines[["top", "right"]].set_visible(False)
        if len(columns) > 1:
            axes.legend(frameon=False, fontsize="small")
    if n_types is not None:
        panels[0].figure.suptitle(f"estimated number of cell types: {n_types}", fontsize="medium")
    return panels

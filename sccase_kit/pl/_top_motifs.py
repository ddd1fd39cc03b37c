"""The motifs that differ most, their logos next to their names, by effect and not by p alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._record import recorded
from .._validate import check_adata, check_choice, check_int, check_table
from ._logos import draw_letters, letter_heights, stored_motifs
from ._style import PALETTE, get_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LOGO = 1.3  # width of a logo in inches: in shares of the axes, the layout would not converge
_LETTER = 0.078  # width of a letter of a name in inches


@checked()
def top_motifs(
    adata: AnnData,
    table: pd.DataFrame,
    group: str | None = None,
    *,
    n_top: int = 10,
    alpha: float = 0.05,
    key: str = "motifs",
    ax: Any | None = None,
) -> Axes:
    """Draw the motifs with the largest effect in a group as bars, their logos next to their names.

    Parameters
    ----------
    adata
        Data with :func:`sccase_kit.tl.match_motifs` written; sets that are not motifs of it have no logo.
    table
        Result of :func:`sccase_kit.tl.differential_deviations`.
    group
        Group to draw; needed where the table has several.
    n_top
        Number of motifs.
    alpha
        Bars of motifs with a larger adjusted p-value are grey.
    key
        The `key_added` of the matches.
    ax
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib Axes. The largest effect is at the top; dimers and motifs of one family look alike, see
    :func:`sccase_kit.tl.motif_genes`.

    Raises
    ------
    ValueError
        If the table is another one, has no row of the group, or holds several groups and none is named.
    """
    check_adata(adata)
    table = check_table(table, name="table", labels=["set"], numbers=["effect_size"], p_values=["p_value_adj"])
    n_top = check_int(n_top, name="n_top", minimum=1)
    if "group" in table.columns:
        groups = list(pd.unique(table["group"].astype(str)))
        if group is None and len(groups) > 1:
            msg = f"group is needed: the table holds {groups}"
            raise ValueError(msg)
        group = check_choice(groups[0] if group is None else group, groups, name="group")
        table = table[table["group"].astype(str) == group]
    table = table[np.isfinite(table["effect_size"])].nlargest(n_top, "effect_size")
    if table.empty:
        msg = f"table has no finite effect_size for group={group!r}"
        raise ValueError(msg)
    ax = get_axes(ax, figsize=(6.4, 0.9 + 0.36 * len(table)))
    places = np.arange(len(table))[::-1]
    passed = (table["p_value_adj"] <= alpha).to_numpy()
    ax.barh(places, table["effect_size"], color=np.where(passed, PALETTE[0], "0.75"), height=0.7)
    ax.set(ylim=(-0.6, len(table) - 0.4), xlabel="effect size (standard deviations)", yticks=[])
    ax.spines[["top", "right"]].set_visible(False)
    matched = recorded(adata.uns.get(key), "tl.match_motifs") is not None
    names = table["set"].astype(str).tolist()
    shown = [plain(name, 22) for name in names]
    left = -0.15 - _LETTER * max(map(len, shown)) - _LOGO
    for place, name, text in zip(places, names, shown, strict=True):
        ax.annotate(text, (-0.01, place), xycoords=("axes fraction", "data"), ha="right", va="center", fontsize=8)
        if matched:
            _logo_beside(ax, adata, name, key, left, place, len(table))
    if group is not None:
        ax.set_title(plain(group), fontsize="medium")
    return ax


def _logo_beside(ax: Any, adata: AnnData, name: str, key: str, left: float, place: int, n: int) -> None:
    """Draw a logo `left` inches from the axes, in the row of a bar."""
    from matplotlib.transforms import ScaledTranslation, blended_transform_factory

    try:
        motif = stored_motifs(name, adata, key)[0]
    except KeyError:  # a set that is no motif
        return
    height = 0.84 / n
    inches = ax.figure.dpi_scale_trans + ScaledTranslation(0, 0, ax.transAxes)
    box = [left, (place + 0.6) / n - height / 2, _LOGO, height]
    inset = ax.inset_axes(box, transform=blended_transform_factory(inches, ax.transAxes))
    heights = letter_heights(motif.counts, "bits")
    draw_letters(inset, heights)
    inset.set(xlim=(0.5, heights.shape[1] + 0.5), ylim=(0, 2))
    inset.set_axis_off()

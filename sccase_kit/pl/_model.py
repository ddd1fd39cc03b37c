"""What a fit did: its objective by iteration, and how much depth is left in its components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import Labels, checked
from .._record import required
from .._validate import check_adata, check_int, check_some
from ..enhance import METHODS
from ..get.raw import raw_layer
from ..get.thin import check_fitted
from ..matrix.access import get_matrix
from ..metrics import depth_correlation as correlate
from ._style import get_axes, name_legend, open_frame
from .colors import PALETTE
from .layouts import RAW, scores_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@checked()
def objective_trace(
    adata: AnnData, key: str | Sequence[str] = "sccase", *, relative: bool = True, ax: Any | None = None
) -> Axes:
    """Draw the objective after each iteration of one or several fits of the scCASE model.

    Parameters
    ----------
    adata
        Enhanced data.
    key
        The fit, or several.
    relative
        Divide by the objective at the start, so that fits of different terms can share the axis.
    ax
        Axes; `None` makes a figure.

    Returns
    -------
    The Axes.

    Raises
    ------
    KeyError
        If there is no fit under `key`.
    ValueError
        If a fit is of the robust method, which has no iterations: its `objective` is a residual per number of
        components; or its objective is empty or not finite.
    """
    check_adata(adata)
    keys = _keys(key)
    traces = {}
    for name in keys:
        entry = check_fitted(adata, name)
        method = METHODS.get(required(adata, name, "tl.enhance").params.get("method", ""))
        if method is not None and not method.iterates:
            able = [other for other, kind in METHODS.items() if kind.iterates]
            msg = f"key={name!r}: the {method.name} method has no objective trace; methods that have one: {able}"
            raise ValueError(msg)
        trace = np.asarray(entry["objective"], dtype=float)
        if trace.ndim != 1 or not trace.size or not np.isfinite(trace).all():
            msg = f"key={name!r}: the objective is empty or holds missing or infinite values; fit again"
            raise ValueError(msg)
        traces[name] = trace
    ax = get_axes(ax, figsize=(4.2, 3.0))
    lines = []
    for i, trace in enumerate(traces.values()):
        shown = trace / trace[0] if relative and trace[0] else trace
        lines += ax.plot(np.arange(len(trace)), shown, marker="o", markersize=3.5, color=PALETTE[i % len(PALETTE)])
    ax.set(xlabel="iteration", ylabel="objective / start" if relative else "objective")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.ticklabel_format(axis="y", useOffset=False)
    open_frame(ax)
    if len(traces) > 1:
        name_legend(ax, lines, list(traces), loc="center left", bbox_to_anchor=(1.02, 0.5))
    return ax


def _keys(key: str | Sequence[str]) -> list[str]:
    """Return the distinct keys of fits."""
    keys = check_some(key, name="key")
    return list(dict.fromkeys(keys if isinstance(key, str) else Labels("keys")(keys, "key", {})))


@checked()
def depth_correlation(
    adata: AnnData,
    key: str | Sequence[str] = "sccase",
    *,
    n_components: int = 10,
    layer: str | None = None,
    rng: int = 0,
    ax: Any | None = None,
) -> Axes:
    """Draw how strongly principal components depend on depth, raw TF-IDF next to one or several fits (figure 5d).

    Parameters
    ----------
    adata
        Enhanced data.
    key
        The fit, or several.
    n_components
        Components, of the raw TF-IDF and of the min–max scaled enhanced data.
    layer
        Layer of the raw counts; `None` for what was enhanced. Their sums are the depth.
    rng
        Seed of the sketch of the raw data.
    ax
        Axes; `None` makes a figure.

    Returns
    -------
    The Axes: bars of |Pearson correlation| with log depth.

    Raises
    ------
    KeyError
        If there is no fit under `key`, or what was enhanced is no longer there.
    ValueError
        If cells have no counts, or several fits were made from different matrices and `layer` is not given.
    """
    check_adata(adata)
    check_int(n_components, name="n_components", minimum=1)
    keys = _keys(key)
    for name in keys:
        check_fitted(adata, name)
    layer = raw_layer(adata, keys, layer)
    depth = np.asarray(get_matrix(adata, layer).sum(axis=1)).ravel()
    shown = {}
    for name in [RAW, *keys]:
        scores = scores_of(adata, name, layer=layer, rng=rng)[:, :n_components]
        shown["raw TF-IDF" if name == RAW else name] = correlate(scores, depth).abs()
    table = pd.DataFrame(shown)
    ax = get_axes(ax, figsize=(0.45 * len(table) + 2.4, 3.0))
    width = 0.8 / table.shape[1]
    bars = []
    for i, name in enumerate(table):
        place = table.index.to_numpy() + (i - (table.shape[1] - 1) / 2) * width
        color = "0.65" if i == 0 else PALETTE[(i - 1) % len(PALETTE)]
        bars.append(ax.bar(place, table[name], width * 0.92, color=color)[0])
    ax.set(xlabel="principal component", ylabel="|correlation| with log depth", ylim=(0, 1), xticks=table.index)
    open_frame(ax)
    name_legend(ax, bars, list(table), loc="center left", bbox_to_anchor=(1.02, 0.5))
    return ax

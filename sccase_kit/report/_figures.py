"""Figures for the page: drawn off screen, as PNG, without touching the data or the caller's figures."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._calls import LAYOUTS, layout_settings
from .._record import recorded
from .._rng import check_rng
from ..matrix.access import get_matrix
from ..matrix.sums import count_statistics, csr_pieces
from ..pages.blocks import Block, Figure, Text
from ._order import in_order

_DPI, _SHOWN = 160, 120  # pixels of an inch, and CSS pixels that it takes on the page
_LONGEST = 24
DEPTH = "log₁₀ depth"


def draw(function: Callable[[], Any], caption: str) -> Block:
    """Return the figure that `function` draws (it returns Axes, several, or a Figure), or a note why there is none."""
    import matplotlib.pyplot as plt

    style: Any = {"font.size": 10, "figure.dpi": 100, "savefig.dpi": _DPI, "text.usetex": False}
    with plt.ioff(), plt.rc_context(style), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of subsets of the cells and crowded labels; the data were checked before
        before = set(plt.get_fignums())
        try:
            figure = _figure_of(function())
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png", bbox_inches="tight", pad_inches=0.08, facecolor="white")
        except (ValueError, KeyError) as err:
            why = err.args[0] if isinstance(err, KeyError) and err.args else err
            return Text(f"Not drawn: {caption} Reason: {why}", kind="note")
        finally:
            for number in set(plt.get_fignums()) - before:
                plt.close(number)
    png = _small(buffer.getvalue())
    width, height = (int.from_bytes(png[i : i + 4], "big") for i in (16, 20))
    return Figure(png, caption, (round(width * _SHOWN / _DPI), round(height * _SHOWN / _DPI)))


def _small(png: bytes) -> bytes:
    """Return an image with at most 256 colours, which are enough for figures and take a third of the bytes."""
    from PIL import Image

    buffer = io.BytesIO()
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image = image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette = np.asarray(image.getpalette()).reshape(-1, 3)
    palette[palette.sum(axis=1).argmax()] = 255  # what was white stays white
    image.putpalette(palette.ravel().tolist())
    image.save(buffer, "png", optimize=True)
    return min(buffer.getvalue(), png, key=len)


def _figure_of(drawn: Any) -> Any:
    from matplotlib.figure import Figure as Canvas

    first = np.ravel(np.asarray(drawn, dtype=object))[0]
    return first if isinstance(first, Canvas) else first.figure


def plain_label(value: object) -> str:
    """Return a label that matplotlib draws as it is: no mathematics, no line breaks, not too long."""
    text = " ".join(str(value).split()).replace("\\", "/")
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return text.replace("$", r"\$")


def _plain_labels(column: pd.Series) -> pd.Series:
    labels = column.astype("category")
    names = pd.Index([plain_label(c) for c in labels.cat.categories])
    if names.has_duplicates:
        names = pd.Index([f"{name} ({i})" for i, name in enumerate(names)])
    return labels.cat.rename_categories(dict(zip(labels.cat.categories, names, strict=True)))


def drawing_copy(
    adata: AnnData,
    *,
    key: str,
    layer: str | None,
    max_cells: int,
    rng: int,
    colors: Mapping[str, Mapping[str, str]] | None = None,
    order: Mapping[str, Sequence[str]] | None = None,
) -> AnnData:
    """Return what the plots may write to and draw from: `X` holds the counts of `layer`, at most `max_cells` cells.

    The fit says that `X` was enhanced, so that plots take it as the raw data. Labels are made safe to draw and `obs`
    gets the column ``log₁₀ depth``; `colors` (column → label → colour) are stored, the labels of the columns of `order`
    are in that order; the original stays as it is.
    """
    from ..get import ranges

    counts = get_matrix(adata, layer)
    obs = adata.obs.copy()
    obs[DEPTH] = np.log10(np.maximum(count_statistics(counts)[0], 1))
    for name, names in (order or {}).items():
        obs[name] = in_order(obs[name], names)
    chosen_colors = {name: _of_categories(obs[name], chosen) for name, chosen in (colors or {}).items()}
    whole = AnnData(obs=obs, var=adata.var.copy(), uns=dict(adata.uns), obsm=dict(adata.obsm), varm=dict(adata.varm))
    whole.uns |= {f"{name}_colors": listed for name, listed in chosen_colors.items()}
    if f"{key}_cell_factors" in whole.obsm:
        ranges(whole, key=key)
    chosen = np.arange(adata.n_obs)
    if adata.n_obs > max_cells:
        chosen = np.sort(check_rng(rng).choice(adata.n_obs, max_cells, replace=False))
    view = whole[chosen].copy()
    view.X = _rows(counts, chosen)
    for slot in list(view.obsm):
        if (layout_settings(view, slot) or {}).get("layer", layer or "") != (layer or ""):
            del view.obsm[slot]
    view.uns.pop(LAYOUTS, None)
    if (made := recorded(view.uns[key])) is not None:
        view.uns[key] = made.with_params(layer=None).entry()
    if key in adata.layers:
        view.layers[key] = np.asarray(adata.layers[key])[chosen]
    for name, column in view.obs.items():
        if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            view.obs[name] = _plain_labels(column)
    return view


def _of_categories(column: pd.Series, colors: Mapping[str, str]) -> list[str]:
    """Return the colours of the labels of a column in the order of its categories."""
    categories = [str(c) for c in column.astype("category").cat.categories]
    return [colors[name] for name in categories] if set(categories) == set(colors) else list(colors.values())


def _rows(counts: Any, chosen: np.ndarray) -> sparse.csr_matrix:
    """Return a copy of some rows of a matrix in any storage as CSR, block by block."""
    parts = []
    for rows, block in csr_pieces(counts):
        inside = chosen[(chosen >= rows.start) & (chosen < rows.stop)] - rows.start
        parts.append(block[inside])
    return sparse.vstack(parts, format="csr") if parts else sparse.csr_matrix((0, counts.shape[1]))


def objective_trace(entry: dict[str, Any]) -> Any:
    """Draw the objective from the start on or, for the consensus, the residual of each fit; return the Axes."""
    import matplotlib.pyplot as plt

    values = np.asarray(entry["objective"], dtype=np.float64)
    bank = entry.get("bank")
    _, ax = plt.subplots(figsize=(4.8, 3.0), layout="constrained")
    if bank is not None and len(bank) == len(values):
        ax.plot(np.asarray(bank), values, marker="o", color="#0072B2")
        ax.set(xlabel="number of components of the fit", ylabel="relative residual", xticks=np.asarray(bank))
    else:
        ax.plot(np.arange(len(values)), values, marker="o", color="#0072B2")
        ax.set(xlabel="iteration", ylabel="objective")
        ax.locator_params(axis="x", integer=True)
    ax.spines[["top", "right"]].set_visible(False)
    return ax

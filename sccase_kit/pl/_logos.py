"""Sequence logos of motifs, drawn from the outlines of letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from anndata import AnnData

from .._arguments import checked
from .._labels import column_name, named
from .._validate import check_choice, check_key
from ..motifs import Motif, as_motifs
from ._style import get_axes, get_panels, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Colours of the bases, told apart with any colour vision.
BASE_COLORS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00"}
_SCALES = {"bits": "bits", "probability": "probability"}


@checked()
def motif_logo(
    motif: str | Motif | np.ndarray | Any,
    adata: AnnData | None = None,
    *,
    scale: Literal["bits", "probability"] = "bits",
    reverse_complement: bool = False,
    key: str = "motifs",
    ax: Any | None = None,
) -> Axes | list[Axes]:
    """Draw the sequence logo of a motif.

    Parameters
    ----------
    motif
        A :class:`sccase_kit.motifs.Motif`, counts (4 × width, rows A, C, G, T), a Biopython motif; or, with `adata`,
        the name or identifier of a motif that was matched.
    adata
        Data with :func:`sccase_kit.tl.match_motifs` written.
    scale
        ``"bits"``: columns as high as their information, 2 bits less the entropy (no correction for small samples);
        ``"probability"``: all columns as high as 1.
    reverse_complement
        Draw the motif as read on the other strand.
    key
        The `key_added` of the matches.
    ax
        Axes (several for a name with several matrices); `None` makes a figure.

    Returns
    -------
    The Axes; column j of the motif is centred at j + 1. A list of Axes where the name has several matrices, such as
    CTCF in JASPAR 2024: one below the other.

    Raises
    ------
    KeyError
        If the name or `key` is unknown.
    TypeError
        If `motif` is a name and `adata` is missing.
    ValueError
        If the counts are not those of a motif, or `scale` is unknown.

    References
    ----------
    Schneider & Stephens, Nucleic Acids Research 1990.
    """
    check_choice(scale, _SCALES, name="scale")
    found = stored_motifs(motif, adata, key) if isinstance(motif, str) else as_motifs([motif])
    if len(found) == 1:
        return _logo(found[0], scale, ax, reverse_complement=reverse_complement)
    widest = max(len(one) for one in found)
    panels = get_panels(len(found), ax, width=0.6 + 0.32 * widest, height=1.9, columns=1)
    for one, panel in zip(found, panels, strict=True):
        _logo(one, scale, panel, reverse_complement=reverse_complement)
    return panels


def _logo(motif: Motif, scale: str, ax: Any, *, reverse_complement: bool) -> Any:
    if reverse_complement:
        motif = motif.reverse_complement()
    heights = letter_heights(motif.counts, scale)
    width = heights.shape[1]
    ax = get_axes(ax, figsize=(0.6 + 0.32 * width, 1.7))
    draw_letters(ax, heights)
    step = 1 if width <= 16 else 5
    ax.set_xticks(range(step, width + 1, step) if step > 1 else range(1, width + 1))
    ax.set(xlim=(0.5, width + 0.5), ylim=(0, 2 if scale == "bits" else 1), ylabel=_SCALES[scale])
    ax.set_yticks([0, 1, 2] if scale == "bits" else [0, 0.5, 1])
    ax.tick_params(axis="x", length=0)
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    if motif.name not in ("", "0"):
        title = motif.name if motif.name == motif.id else f"{motif.name}  {motif.id}"
        title = plain(title, max(12, 3 * width))
        ax.set_title(f"{title}, reverse complement" if reverse_complement else title, fontsize="medium")
    return ax


def letter_heights(counts: np.ndarray, scale: str) -> np.ndarray:
    """Return the height of every letter, shape (4, width)."""
    probability = counts / counts.sum(axis=0)
    if scale == "probability":
        return probability
    logs = np.log2(probability, out=np.zeros_like(probability), where=probability > 0)
    return probability * (2 + (probability * logs).sum(axis=0))


def stored_motifs(name: str, adata: AnnData | None, key: str) -> list[Motif]:
    """Return the motifs of a name or an id that :func:`sccase_kit.tl.match_motifs` stored."""
    if adata is None:
        msg = f"motif={name!r} is a name: pass adata with matched motifs, or give a Motif or counts"
        raise TypeError(msg)
    hint = "Run sccase_kit.tl.match_motifs first."
    check_key(key, adata.uns.keys(), name="key", where="adata.uns", hint=hint, remedy="tl.match_motifs")
    entry = adata.uns[key]
    check_key("profiles", entry.keys(), name="key", where=f"adata.uns[{key!r}]")
    names, ids = ([column_name(n) for n in entry[field]] for field in ("names", "ids"))
    asked = column_name(name)
    found = [names.index(one) for one in named(asked, names)]
    if not found:
        check_key(asked, dict.fromkeys([*names, *ids]), name="motif", where=f"adata.uns[{key!r}]")
        found = [ids.index(asked)]
    ends = np.concatenate([[0], np.cumsum(np.asarray(entry["widths"], dtype=np.int64))])
    profiles = np.asarray(entry["profiles"])
    return [Motif(str(entry["ids"][k]), str(entry["tf"][k]), profiles[:, ends[k] : ends[k + 1]]) for k in found]


def draw_letters(ax: Any, heights: np.ndarray) -> None:
    """Stack the letters of each column, the lowest at the bottom, as filled outlines without margins."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.patches import PathPatch
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    font = FontProperties(family="DejaVu Sans", weight="bold")
    outlines = {base: TextPath((0, 0), base, size=1, prop=font) for base in BASE_COLORS}
    boxes = {base: outline.get_extents() for base, outline in outlines.items()}
    for column in range(heights.shape[1]):
        bottom = 0.0
        for row in np.argsort(heights[:, column], kind="stable"):
            height = float(heights[row, column])
            if height <= 1e-6:
                continue
            base = "ACGT"[row]
            box = boxes[base]
            move = Affine2D().translate(-box.x0, -box.y0).scale(0.94 / box.width, height / box.height)
            outline = move.translate(column + 0.53, bottom).transform_path(outlines[base])
            ax.add_patch(PathPatch(outline, facecolor=BASE_COLORS[base], edgecolor="none"))
            bottom += height

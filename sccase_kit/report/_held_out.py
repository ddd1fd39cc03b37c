"""Whether enhancing helps these data, as the page says it: a sentence, the scores, and the figure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from anndata import AnnData

from .. import pl
from .._record import records, required
from ..metrics import HeldOut, held_out, held_out_verdict, stored_held_out
from ..pages.blocks import Block, Text
from ..pages.page import Section
from ..tl.fit_again import fit_again
from ._figures import draw
from ._headers import HELD_OUT, described_table

TITLE = "Does enhancing help these data?"
_CAPTION = (
    "Left: gain, the logarithm of how many times as probable a hidden entry is by the method as by the mean of its "
    "peak over all cells (in nats: 0.1 is 1.1 times), with two standard errors (cells bootstrapped) and a dot per "
    "split; above 0 enhancing helps. Right: slope of what was seen on what was said; inside the band the differences "
    "between cells have the right size, above it they come out too small."
)
_HOW = (
    "A random share of the open entries (a cell with a fragment in a peak) was hidden, the others were enhanced, and "
    "each hidden entry was scored among the peaks that stayed closed in its cell, against the mean of the peak over "
    "all cells. No labels were used."
)


def stored_results(adata: AnnData) -> dict[str, HeldOut]:
    """Return every evaluation that :func:`sccase_kit.metrics.held_out` stored with the data: key → result."""
    keys = [key for key, made in records(adata.uns).items() if made.function == "metrics.held_out"]
    return {key: stored_held_out(adata, key) for key in keys}


def verdict(results: Mapping[str, HeldOut], n_peaks: int | None = None) -> str | None:
    """Return the sentence on the first evaluation's first method that has a score; None where there is none.

    With the number of peaks of the fit, it says how many of them were judged.
    """
    for result in results.values():
        scored = result.table.index[result.table["gain"].notna()]
        if len(scored):
            text = held_out_verdict(result, str(scored[0]))[0]
            if n_peaks is None:
                return text
            of = "the" if result.n_peaks == n_peaks else f"{result.n_peaks:,} of the"
            other = result.n_peaks > n_peaks
            judged = (
                f"{result.n_peaks:,} peaks, other than the {n_peaks:,} of the fit"
                if other
                else (f"{of} {n_peaks:,} peaks of the fit")
            )
            return f"{text} Judged at {judged}, in {result.n_cells:,} cells."
    return None


def held_out_section(results: Mapping[str, HeldOut]) -> Section | None:
    """Return the section: the sentence first, then the figure and the table of every evaluation."""
    sentence = verdict(results)
    if sentence is None:
        return None
    blocks: list[Block] = [Text(sentence, kind="note"), Text(_HOW, kind="soft")]
    for name, result in results.items():
        if len(results) > 1:
            blocks.append(Text(name, kind="heading"))
        blocks.append(draw(partial(pl.held_out, result), _CAPTION))
        size = f"{result.n_cells:,} cells, {result.n_peaks:,} peaks, {result.n_hidden:,} hidden entries"
        blocks.append(described_table(result.table.reset_index(), f"Held-out scores ({size})", HELD_OUT))
    return Section(TITLE, blocks, "Does it help?")


def judge_fit(adata: AnnData, key: str, *, n_splits: int = 3, rng: int = 0) -> HeldOut:
    """Return the held-out scores of the method, with the options, that made a fit; nothing is stored.

    Parameters
    ----------
    adata
        Data enhanced by :func:`sccase_kit.tl.enhance`, with the counts.
    key
        The `key_added` of the fit.
    n_splits
        Random splits, one fit each.
    rng
        Seed.

    Raises
    ------
    ValueError
        If the fit used a reference, which the data do not hold.
    """
    layer = required(adata, key, "tl.enhance").params.get("layer")
    return held_out(adata, fit_again(adata, key), n_splits=n_splits, layer=layer, rng=rng)

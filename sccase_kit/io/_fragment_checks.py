"""What is refused and what is said about fragments after a file was counted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from .._logging import logger, warn
from ..fragments.scan import Tally

#: Fragments of the right assembly gather at genes' starts; less than so many times the flanks is near to chance.
_GATHERED = 1.5
#: The flanks must hold so many insertions.
_FLANK = 200


def check_counted(tally: Tally, path: Path, barcodes: list[str], table: pd.DataFrame, *, called: bool) -> None:
    """Refuse a file of which nothing was counted, and say what was left out."""
    from ..fragments.count_kernels import N_FRAGMENTS

    per_cell = tally.sums[:, N_FRAGMENTS]
    kept, outside = int(per_cell.sum()), tally.unknown.total() + tally.beyond.total()
    if kept + outside + tally.unlisted + tally.empty == 0:
        msg = f"{path} is empty: there is not a single fragment"
        raise ValueError(msg)
    if kept + outside == 0 and tally.unlisted:
        there = _some_barcodes(path)
        msg = (
            f"{path}: none of its fragments has a barcode of cells=. There: {there}; in cells: {barcodes[:3]}. "
            "The same suffix (-1) and the same sample are needed"
        )
        raise ValueError(msg)
    if kept == 0 or tally.without_peaks.total() == kept:
        on = list((tally.unknown or tally.without_peaks or tally.beyond).keys())[:5]
        msg = (
            f"{path}: no fragment lies on a chromosome of the peaks and the genome. Its sequences are named like {on}, "
            f"the peaks' like {table['chrom'].unique()[:5].tolist()}; another assembly or species?"
        )
        raise ValueError(msg)
    left_out = {
        f"lie on sequences that the genome lacks ({_some(tally.unknown)})": tally.unknown.total(),
        f"reach beyond the end of their chromosome ({_some(tally.beyond)}); another assembly?": tally.beyond.total(),
        "end where they start or before, or start before 0": tally.empty,
    }
    if any(left_out.values()):
        parts = [f"{n:,} {what}" for what, n in left_out.items() if n]
        warn(f"{path}: fragments are left out: {'; '.join(parts)}. {kept:,} are counted")
    if tally.repeated > 0.01 * kept:
        warn(f"{path}: {tally.repeated:,} lines repeat the one before: was the file put together from others?")
    if absent := int((per_cell == 0).sum()):
        warn(f"{path}: {absent:,} of {len(barcodes):,} cells have no fragment there, and their counts are all 0")
    share = (
        f"{tally.unlisted:,} of {tally.lines:,} lines have barcodes that are {'not called' if called else 'no cells'}"
    )
    rest = tally.without_peaks.total()
    bare = f"; {rest:,} fragments lie on sequences without peaks ({_some(tally.without_peaks)})" if rest else ""
    logger.info("%s: %s%s%s", path, share, bare, "" if tally.is_sorted else "; the file is not sorted")


def _some(names: Mapping[str, int]) -> str:
    return ", ".join(list(names)[:3]) + (", …" if len(names) > 3 else "") if names else "none"


def _some_barcodes(path: Path) -> list[str]:
    """Return three barcodes of a file for a message."""
    from ..fragments.inflate import first_lines

    return list(dict.fromkeys(line.split("\t")[3] for line in first_lines(path, 50) if line.count("\t") > 2))[:3]


def check_assembly(tally: Tally, path: Path, genome: str, *, named: bool) -> None:
    """Warn where fragments do not gather at the starts of genes of the genome that was named or that the peaks fit."""
    from ..fragments.count_kernels import N_FLANK, N_TSS, TSS_FLANK, TSS_MIDDLE

    middle, flank = int(tally.sums[:, N_TSS].sum()), int(tally.sums[:, N_FLANK].sum())
    score = (middle / (2 * TSS_MIDDLE + 1)) / (max(flank, 1) / TSS_FLANK)
    if flank >= _FLANK and score < _GATHERED:
        why = f"genome={genome!r}" if named else f"the peaks look like {genome}"
        warn(
            f"{path}: its fragments do not gather at the starts of genes (enrichment {score:.2g}), though {why}; are "
            "they of another assembly? Count them in peaks of their own"
        )

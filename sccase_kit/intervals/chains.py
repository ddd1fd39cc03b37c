"""liftOver: move regions to another genome build with a UCSC chain file."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._arguments import checked
from .._logging import logger
from .._text_files import open_text
from .._validate import check_number
from .arrays import linearise, overlap_pairs
from .assembly import check_unknown, in_names_of, in_style_of, split_unknown
from .chromosomes import Unknown
from .frame import check_regions


@dataclass(frozen=True, slots=True, eq=False)
class Lifted:
    """Result of :func:`liftover`.

    Attributes
    ----------
    regions
        The lifted rows with new chrom, start, end; index and other columns as before (strand is turned where needed).
    lost
        The other rows with their old coordinates and a column reason: "deleted" (nothing of it is left), "partial"
        (less than `min_match` is left), "split" (spread over several chains), "duplicated" (several whole copies).
    summary
        Series: number of rows lifted, and lost by reason.
    """

    regions: pd.DataFrame
    lost: pd.DataFrame
    summary: pd.Series


def read_chain(path: str | os.PathLike[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a UCSC chain file (plain or gzip).

    Returns
    -------
    chains
        DataFrame chrom, size (of the old build), new_chrom, new_size, new_strand.
    blocks
        DataFrame chain (row of `chains`), chrom, start, end, new_start (on new_strand): the ungapped blocks.

    Raises
    ------
    ValueError
        If a line cannot be read or the blocks do not add up to their chain; the message gives the file and the line.
    """
    chains, blocks = [], []
    left: tuple[int, int] | None = None  # the ends that the open chain has announced
    number = 0

    def fail(what: str) -> None:
        msg = f"{path}, line {number}: {what}"
        raise ValueError(msg)

    with open_text(path) as handle:
        for line in handle:
            number += 1
            cells = line.split()
            if not cells or line.startswith("#"):
                continue
            try:
                if cells[0] == "chain":
                    if left is not None:
                        fail("a new chain starts before the last one has ended")
                    _, _, chrom, size, strand, start, end, to, to_size, to_strand, to_start, to_end = cells[:12]
                    if strand != "+" or to_strand not in "+-":
                        fail(f"unexpected strand in {line.rstrip()[:80]!r}")
                    chains.append((chrom, int(size), to, int(to_size), to_strand))
                    t, q, left = int(start), int(to_start), (int(end), int(to_end))
                    continue
                if left is None:
                    fail(f"expected a line that starts with 'chain', got {line.rstrip()[:80]!r}")
                length, *skip = (int(c) for c in cells)
                blocks.append((len(chains) - 1, t, t + length, q))
                t, q = t + length, q + length
                if len(skip) == 2:
                    t, q = t + skip[0], q + skip[1]
                    continue
            except ValueError as err:
                if str(err).startswith(str(path)):
                    raise
                fail(f"expected a chain header, or 'size dt dq', got {line.rstrip()[:80]!r}")
            if skip or (t, q) != left:
                fail("the blocks do not add up to the ends of their chain")
            left = None
    if left is not None or not chains:
        fail("the file ends inside a chain" if chains else "no chain was found")
    table = pd.DataFrame(chains, columns=["chrom", "size", "new_chrom", "new_size", "new_strand"])
    parts = pd.DataFrame(np.array(blocks, dtype=np.int64), columns=["chain", "start", "end", "new_start"])
    parts.insert(1, "chrom", table["chrom"].to_numpy()[parts["chain"]])
    return table, parts


@checked()
def liftover(
    regions: object, chain: str | os.PathLike[str], *, min_match: float = 0.95, unknown: Unknown = "drop"
) -> Lifted:
    """Move regions to another genome build.

    Parameters
    ----------
    regions
        Regions of the build that the chain starts from.
    chain
        Path of a UCSC chain file, such as ``hg19ToHg38.over.chain.gz``.
    min_match
        Least part of a region's bases that must lie in the blocks of one chain, in (0, 1].
    unknown
        What to do with regions on sequences that the chain does not start from: ``"drop"`` counts them as lost (reason
        "deleted") with a warning, ``"error"`` raises. Names are understood in every usual spelling, and the result is
        in that of the regions; a chain with both styles is taken by the exact name.

    Returns
    -------
    :class:`Lifted`: regions, lost (with reasons), summary. A lifted region spans its first to its last mapped base.

    Raises
    ------
    ValueError
        If the regions are not valid, lie beyond the chromosomes of the chain's old build, or on sequences that the
        chain does not have, all of them or with ``unknown="error"``.

    Notes
    -----
    The rules are those of UCSC's liftOver with its defaults; like it, `min_match` is taken in single precision.
    """
    check_number(min_match, name="min_match", minimum=0, maximum=1)
    check_number(min_match, name="min_match", minimum=0, exclusive=True)
    chains, blocks = read_chain(chain)
    sizes = chains.drop_duplicates("chrom").set_index("chrom")["size"].to_dict()
    check_unknown(unknown)
    given = check_regions(regions)
    old = in_names_of(given, sizes, name="regions", where="the chain")
    split_unknown(old, sizes, unknown=unknown, name="regions", where="those that the chain starts from")
    check_regions(old, chrom_sizes=sizes, unknown="keep")
    a, b = linearise(old, blocks)
    row, block = overlap_pairs(a, b)
    shared = np.minimum(a.end[row], b.end[block]) - np.maximum(a.start[row], b.start[block])
    first = blocks["new_start"].to_numpy()[block] + np.maximum(a.start[row] - b.start[block], 0)
    pairs = pd.DataFrame({"row": row, "chain": blocks["chain"].to_numpy()[block], "bases": shared})
    pairs["first"], pairs["last"] = first, first + shared
    hits = pairs.groupby(["row", "chain"], as_index=False).agg(
        bases=("bases", "sum"), first=("first", "min"), last=("last", "max")
    )
    length = (old["end"] - old["start"]).to_numpy()
    share = float(np.float32(min_match))  # as UCSC's program reads -minMatch: 20 of 200 bases are less than 0.1
    whole = hits["bases"].to_numpy() >= share * length[hits["row"].to_numpy()]
    n_whole = np.bincount(hits["row"][whole], minlength=len(old))
    n_any = np.bincount(hits["row"], minlength=len(old))
    reason = np.select(
        [n_whole == 1, n_whole > 1, n_any == 0, n_any == 1], ["lifted", "duplicated", "deleted", "partial"], "split"
    )
    best = hits[whole & (n_whole[hits["row"].to_numpy()] == 1)].sort_values("row")
    into = chains.iloc[best["chain"].to_numpy()]
    backward = (into["new_strand"] == "-").to_numpy()
    size, start, end = into["new_size"].to_numpy(), best["first"].to_numpy(), best["last"].to_numpy()
    new = old.iloc[best["row"].to_numpy()].copy()
    new["chrom"] = into["new_chrom"].to_numpy()
    new["start"], new["end"] = np.where(backward, size - end, start), np.where(backward, size - start, end)
    if "strand" in new.columns:
        turned = new["strand"].map({"+": "-", "-": "+"}).fillna(new["strand"])
        new["strand"] = np.where(backward, turned, new["strand"])
    new.attrs.pop("genome", None)
    new = new.drop(columns="genome", errors="ignore")
    if not old["chrom"].equals(given["chrom"]):
        new = in_style_of(new, given["chrom"])
    lost = given[reason != "lifted"].assign(reason=reason[reason != "lifted"])
    kinds = ["lifted", "deleted", "partial", "split", "duplicated"]
    summary = pd.Series({k: int((reason == k).sum()) for k in kinds}, name="regions")
    logger.info("liftover: %d of %d regions lifted (%s)", len(new), len(old), summary[1:].to_dict())
    return Lifted(new, lost, summary)

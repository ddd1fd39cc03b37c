"""The toy study as the fragment file it could have come from."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from .._arguments import Made, checked
from .._atomic import check_place, replacing
from .._rng import check_rng
from .._validate import check_number
from ._genome import hg38_sizes
from ._toy import ToyStudy

#: Mean and standard deviation of the lengths of fragments with no, one and two nucleosomes, and their shares.
_LENGTHS, _SPREAD, _SHARES = (75, 200, 390), (20, 20, 30), (0.6, 0.3, 0.1)
_NEAR = 0.1  # of the fragments outside peaks: near a gene's transcription start site
_BACKGROUND_BARCODES = 5  # for every cell


@checked(study=Made(ToyStudy, "toy_study"))
def write_toy_fragments(
    study: ToyStudy,
    path: str | os.PathLike[str],
    *,
    in_peaks: float = 0.5,
    background: float = 0.02,
    rng: int | np.random.Generator | None = 0,
) -> Path:
    """Write fragments that give exactly the study's counts when they are counted in its peaks.

    Parameters
    ----------
    study
        The study; its cells' names are the barcodes.
    path
        Target, gzip-compressed, in Cell Ranger's format: chrom, start, end, barcode, read pairs; sorted.
    in_peaks
        Share of a cell's fragments that lie in peaks. The others lie anywhere else, one in ten of them around the
        transcription start sites of the study's genes.
    background
        Fragments of each of five further barcodes per cell, which are no cells, as a share of those of an average cell.
    rng
        Seed or generator.

    Returns
    -------
    The path.

    Raises
    ------
    ValueError
        If a share is not between 0 and 1.

    Examples
    --------
    >>> import tempfile
    >>> import sccase_kit as sk
    >>> study = sk.datasets.toy_study(n_cells=100, n_peaks=500)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = sk.datasets.write_toy_fragments(study, f'{folder}/fragments.tsv.gz')
    ...     counts = sk.read_fragments(file, study.adata, study.adata)
    >>> bool((counts.X != study.adata.X).nnz == 0)
    True
    """
    check_number(in_peaks, name="in_peaks", minimum=0, maximum=1, exclusive=True)
    check_number(background, name="background", minimum=0, maximum=1)
    target = check_place(path)
    generator = check_rng(rng)
    peaks = study.adata.var[["chrom", "start", "end"]].astype({"chrom": object})  # a category once written
    inside = _in_peaks(study.adata.X.tocoo(), peaks, generator)
    per_cell = np.bincount(inside["cell"], minlength=study.adata.n_obs)
    n_other = generator.poisson(per_cell * (1 - in_peaks) / in_peaks)
    cell = np.repeat(np.arange(study.adata.n_obs), n_other)
    n_noise = _BACKGROUND_BARCODES * study.adata.n_obs
    noise = study.adata.n_obs + generator.integers(0, n_noise, int(background * per_cell.mean() * n_noise))
    outside = _outside(np.concatenate([cell, noise]), peaks, study.genes, generator)
    table = pd.concat([inside, outside], ignore_index=True)
    names = np.concatenate([study.adata.obs_names.to_numpy(object), _noise_barcodes(n_noise, generator)])
    table["barcode"] = names[table.pop("cell")]
    table["reads"] = generator.geometric(0.6, len(table))
    rank = {chrom: i for i, chrom in enumerate(hg38_sizes())}
    table = table.iloc[np.lexsort((table["end"], table["start"], table["chrom"].map(rank)))]
    head = "# id=toy_study\n# primary_contig=" + "\n# primary_contig=".join(hg38_sizes()) + "\n"
    text = head + table.to_csv(sep="\t", header=False, index=False, lineterminator="\n")
    with replacing(target) as temporary:
        temporary.write_bytes(gzip.compress(text.encode(), compresslevel=4, mtime=0))
    return Path(path)


def _lengths(n: int, rng: np.random.Generator) -> np.ndarray:
    kind = rng.choice(len(_LENGTHS), n, p=_SHARES)
    drawn = rng.normal(np.take(_LENGTHS, kind), np.take(_SPREAD, kind))
    return np.minimum(25 + np.abs(np.rint(drawn) - 25), 600).astype(np.int64)


def _in_peaks(counts: sparse.coo_matrix, peaks: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Draw a fragment for every count; none reaches into another peak."""
    owner, peak = np.repeat(counts.row, counts.data), np.repeat(counts.col, counts.data)
    chrom = peaks["chrom"].to_numpy(object)[peak]
    low, high = peaks["start"].to_numpy()[peak], peaks["end"].to_numpy()[peak]
    length = _lengths(len(owner), rng)
    start = rng.integers(low, high) - length // 2
    end = start + length
    last = np.flatnonzero(np.r_[(peaks["chrom"].to_numpy()[1:] != peaks["chrom"].to_numpy()[:-1]), True])
    after = np.r_[peaks["start"].to_numpy()[1:], 0]
    before = np.r_[0, peaks["end"].to_numpy()[:-1]]
    after[last], before[(last + 1)[:-1]] = np.iinfo(np.int64).max, 0
    before[0] = 0
    clash = (start < before[peak]) | (end > after[peak])
    start[clash], end[clash] = np.maximum(start, low)[clash], np.minimum(end, high)[clash]
    return pd.DataFrame({"chrom": chrom, "start": start, "end": end, "cell": owner})


def _outside(cell: np.ndarray, peaks: pd.DataFrame, genes: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Draw a fragment outside the peaks for every entry of `cell`; the few that would meet one are left out."""
    sizes = hg38_sizes()
    lengths = np.array(list(sizes.values()))
    which = rng.choice(len(sizes), len(cell), p=lengths / lengths.sum())
    chrom = np.array(list(sizes), dtype=object)[which]
    centre = rng.integers(10_000, lengths[which] - 10_000)
    near = rng.random(len(cell)) < _NEAR
    gene = rng.integers(0, len(genes), int(near.sum()))
    chrom[near] = genes["chrom"].to_numpy(object)[gene]
    centre[near] = genes["tss"].to_numpy()[gene] + np.rint(rng.laplace(0, 700, len(gene))).astype(np.int64)
    length = _lengths(len(cell), rng)
    table = pd.DataFrame({"chrom": chrom, "start": centre - length // 2, "cell": cell})
    table.insert(2, "end", table["start"] + length)
    stride = max(sizes.values()) + 10_000
    offset = {name: i * stride for i, name in enumerate(sizes)}
    starts, ends = (np.sort((peaks["chrom"].map(offset) + peaks[c]).to_numpy()) for c in ("start", "end"))
    shift = table["chrom"].map(offset)
    meets = np.searchsorted(starts, shift + table["end"]) > np.searchsorted(ends, shift + table["start"], "right")
    return table[~meets]


def _noise_barcodes(n: int, rng: np.random.Generator) -> np.ndarray:
    letters = np.array(list("ACGT"))[rng.integers(0, 4, (n, 16))]
    return np.array(["".join(row) + "-1" for row in letters], dtype=object)

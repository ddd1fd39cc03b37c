"""LD scores of annotations from a reference panel, as ``ldsc.py --l2`` 1.0.1 computes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from .._arguments import Made, Table, checked
from .._validate import check_choice, check_number
from .panel import Panel

#: Windows are rounded to so many SNPs, as in the original: they decide which pairs count.
CHUNK = 50


@dataclass(frozen=True)
class LdScores:
    """LD scores of one chromosome.

    Attributes
    ----------
    table
        DataFrame CHR, SNP, BP and one column per annotation.
    m, m_5_50
        Sums of the annotations over all SNPs, and over those with a minor allele frequency above 5 %.
    maf
        Minor allele frequency of the rows of `table`.
    """

    table: pd.DataFrame
    m: np.ndarray
    m_5_50: np.ndarray
    maf: np.ndarray


def _standardise(genotypes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return genotypes of mean 0 and variance 1 (missing ones at the mean), which SNPs vary, and their frequency."""
    known = ~np.isnan(genotypes)
    n_known = known.sum(axis=0)
    mean = np.where(known, genotypes, 0).sum(axis=0) / np.maximum(n_known, 1)
    centred = np.where(known, genotypes - mean, 0)
    sd = np.sqrt(np.mean(centred**2, axis=0))
    frequency = mean / 2
    varies = (np.minimum(frequency, 1 - frequency) > 0) & ((genotypes == 1).sum(axis=0) < len(genotypes)) & (sd > 0)
    return centred[:, varies] / sd[varies], varies, frequency


def window_starts(coordinates: np.ndarray, width: float) -> np.ndarray:
    """Return for every SNP the first one at most `width` away (coordinates ascending)."""
    return np.searchsorted(coordinates, coordinates - width, side="left")


def _check_window(coordinates: np.ndarray, unit: str) -> None:
    if unit == "cm" and not np.any(coordinates):
        msg = "the .bim file has no genetic positions (CM is 0 everywhere); use window_unit='kb', or add a genetic map"
        raise ValueError(msg)
    if np.any(np.diff(coordinates) < 0):
        msg = f"SNPs of the panel are not sorted by their {unit.upper()} position"
        raise ValueError(msg)


@checked(panel=Made(Panel, "sccase_kit.regions.open_panel"), annotations=Table(()))
def ld_scores(
    panel: Panel,
    annotations: pd.DataFrame,
    *,
    window: float = 1.0,
    window_unit: Literal["cm", "kb"] = "cm",
    keep: np.ndarray | None = None,
) -> LdScores:
    r"""Return LD scores :math:`\ell_{jc} = \sum_k a_{kc} \, \tilde r^2_{jk}` of every SNP and annotation.

    Parameters
    ----------
    panel
        Genotypes of one chromosome.
    annotations
        One row per row of `panel.bim`, one column per annotation.
    window
        Pairs of SNPs up to this far apart count; the window is rounded up to chunks of 50 SNPs, as in the original.
    window_unit
        ``"cm"``: genetic positions of the .bim file; ``"kb"``: base pairs / 1000.
    keep
        Boolean array over `panel.bim`: SNPs to leave in the panel (``--extract``); by default all.

    Returns
    -------
    LdScores; SNPs that do not vary are left out, as in the original.

    Raises
    ------
    ValueError
        If rows do not match, positions are not sorted, or genetic positions are missing.

    Notes
    -----
    :math:`\tilde r^2 = r^2 - (1 - r^2) / (n - 2)`. Memory is one window of genotypes.
    """
    check_choice(window_unit, ["cm", "kb"], name="window_unit")
    check_number(window, name="window", minimum=0, exclusive=True)
    if len(annotations) != len(panel.bim):
        msg = f"annotations have {len(annotations)} rows, the .bim file {len(panel.bim)}; one row per SNP is needed"
        raise ValueError(msg)
    if panel.bim["CHR"].nunique() > 1:
        msg = f"{panel.path} holds several chromosomes ({panel.bim['CHR'].unique()[:5].tolist()}); split it first"
        raise ValueError(msg)
    if panel.n_individuals < 3:
        msg = f"the panel has {panel.n_individuals} individuals; LD scores need at least 3"
        raise ValueError(msg)
    wanted = np.arange(len(panel.bim)) if keep is None else np.flatnonzero(keep)
    stream = _Stream(panel, wanted)
    position = panel.bim["CM"].to_numpy() if window_unit == "cm" else panel.bim["BP"].to_numpy() / 1000
    position = position[stream.rows]
    _check_window(position, window_unit)
    weights = annotations.to_numpy(np.float64)[stream.rows]
    scores = _window_sums(stream, weights, window_starts(position, window))
    table = panel.bim.iloc[stream.rows][["CHR", "SNP", "BP"]].reset_index(drop=True)
    for j, name in enumerate(annotations.columns):
        table[name] = scores[:, j]
    common = stream.maf > 0.05
    return LdScores(table, weights.sum(axis=0), weights[common].sum(axis=0), stream.maf)


class _Stream:
    """Standardised genotypes of the SNPs that vary, read in order and each once after a first look."""

    def __init__(self, panel: Panel, wanted: np.ndarray) -> None:
        self._panel = panel
        rows, frequencies = [], []
        for low in range(0, len(wanted), 2_000):
            part = wanted[low : low + 2_000]
            _, varies, frequency = _standardise(self._raw(part))
            rows.append(part[varies])
            frequencies.append(frequency[varies])
        self.rows = np.concatenate(rows) if rows else np.empty(0, np.int64)
        if not len(self.rows):
            msg = f"no SNP of {panel.path} varies"
            raise ValueError(msg)
        frequency = np.concatenate(frequencies)
        self.maf = np.minimum(frequency, 1 - frequency)

    def _raw(self, rows: np.ndarray) -> np.ndarray:
        low, high = int(rows[0]), int(rows[-1]) + 1
        return self._panel.genotypes(low, high)[:, rows - low]

    def read(self, start: int, stop: int) -> np.ndarray:
        """Return individuals × (stop − start) standardised genotypes of the kept SNPs."""
        return _standardise(self._raw(self.rows[start:stop]))[0]


def _window_sums(stream: _Stream, weights: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Sum the unbiased r² with the SNPs of the window, weighted by the annotations: (SNPs × annotations).

    The first block holds every SNP whose window reaches SNP 0, rounded up to whole chunks; all of its pairs count. Each
    later chunk is paired with itself and with as many whole chunks before it as the window of its first SNP touches.
    """
    m = len(first)
    outside = np.flatnonzero(first > 0)
    block = min(m, -(-int(outside[0]) // CHUNK) * CHUNK) if len(outside) else m
    sums = np.zeros_like(weights)
    buffer, left = stream.read(0, block), 0
    sums[:block] = _unbiased(buffer, buffer) @ weights[:block]
    for start in range(block, m, CHUNK):
        stop = min(start + CHUNK, m)
        reach = -(-int(start - first[start]) // CHUNK) * CHUNK
        buffer, left = buffer[:, start - reach - left :], start - reach
        chunk = stream.read(start, stop)
        r2 = _unbiased(buffer, chunk)
        sums[left:start] += r2 @ weights[start:stop]
        sums[start:stop] += r2.T @ weights[left:start] + _unbiased(chunk, chunk) @ weights[start:stop]
        buffer = np.hstack([buffer, chunk])
    return sums


def _unbiased(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    n = len(a)
    r2 = ((a.T @ b) / n) ** 2
    return r2 - (1 - r2) / (n - 2)

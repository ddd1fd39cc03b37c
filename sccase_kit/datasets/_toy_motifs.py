"""The toy study's motifs and peak sequences."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

BASES = np.frombuffer(b"ACGT", dtype=np.uint8)

_PFM_DEPTH = 200


def make_motifs(names: list[str], *, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return one random motif per name: int64 counts of shape (4, 11 to 13), rows A, C, G, T.

    The consensus base has 88-98 % of the counts, except at two inner positions where it has 75 %.
    """
    motifs = {}
    for name in names:
        length = int(rng.integers(11, 14))
        consensus = rng.integers(0, 4, length)
        share = rng.uniform(0.88, 0.98, length)
        share[rng.choice(np.arange(1, length - 1), size=2, replace=False)] = 0.75
        counts = np.empty((4, length), dtype=np.int64)
        for position in range(length):
            top = round(share[position] * _PFM_DEPTH)
            rest = rng.multinomial(_PFM_DEPTH - top, [1 / 3] * 3)
            counts[:, position] = np.insert(rest, consensus[position], top)
        motifs[name] = counts
    return motifs


def make_sequences(
    widths: np.ndarray, planted: np.ndarray, motifs: dict[str, np.ndarray], *, rng: np.random.Generator
) -> tuple[list[str], np.ndarray]:
    """Draw random peak sequences and write motif instances into them.

    Parameters
    ----------
    widths
        Lengths of the peaks in bp, shape (n_peaks,).
    planted
        Boolean array of shape (n_peaks, n_motifs): where an instance is written, at most one motif per peak.
    motifs
        Counts by name, in the column order of `planted`.
    rng
        Source of randomness.

    Returns
    -------
    The sequences, and their share of G and C, shape (n_peaks,).
    """
    first = np.concatenate([[0], np.cumsum(widths)])
    gc = np.repeat(rng.beta(20, 24, len(widths)), widths)
    is_gc = rng.random(first[-1]) < gc
    second = rng.random(first[-1]) < 0.5
    code = np.where(is_gc, np.where(second, 1, 2), np.where(second, 0, 3)).astype(np.int8)
    for peaks, counts in zip(planted.T, motifs.values(), strict=True):
        where = np.flatnonzero(peaks)
        length = counts.shape[1]
        cumulative = np.cumsum(counts / counts.sum(axis=0), axis=0)
        site = (rng.random((len(where), 1, length)) > cumulative[None, :3]).sum(axis=1)
        site = np.where(rng.random((len(where), 1)) < 0.5, site, 3 - site[:, ::-1])
        at = first[where] + rng.integers(0, widths[where] - length + 1)
        code[at[:, None] + np.arange(length)] = site
    text = BASES[code].tobytes().decode()
    share = np.add.reduceat(((code == 1) | (code == 2)).astype(float), first[:-1]) / widths
    return [text[a:b] for a, b in pairwise(first)], share

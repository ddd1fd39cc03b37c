r"""Random numbers that belong to cells and peaks, not to their places, so that a fit does not depend on their order.

Every cell and every peak gets a 64-bit key from the open entries alone: a cell's key is the sum of hashes of the
numbers of open cells of its peaks, and a peak's the sum of hashes of the keys of its cells (colour refinement;
Weisfeiler & Leman 1968). Sums are modulo 2⁶⁴, so their order does not matter. Cells or peaks share a key only where
these sums cannot tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from ..matrix.operator import ScaledOperator
from ..matrix.sums import open_cells


@dataclass(frozen=True)
class Keys:
    """Keys of the cells and of the peaks, uint64 arrays of shapes (n_obs,) and (n_vars,)."""

    cells: np.ndarray
    peaks: np.ndarray


def mixed(values: np.ndarray, salt: int = 0) -> np.ndarray:
    """Return a hash of every 64-bit integer (SplitMix64; Steele, Lea & Flood 2014)."""
    z = values.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + salted(salt)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    return z ^ (z >> np.uint64(31))


def salted(salt: int) -> np.uint64:
    """Return the 64 bits that a salt stands for."""
    return np.uint64(np.random.SeedSequence(salt).generate_state(1, np.uint64)[0])


def data_keys(op: ScaledOperator) -> Keys:
    """Return the keys of the cells and peaks of some data; reads them twice, once for all."""
    if "keys" not in op.memo:
        op.memo["keys"] = _data_keys(op)
    return op.memo["keys"]


def _data_keys(op: ScaledOperator) -> Keys:
    from .kernels import add_hashes, sum_hashes

    n, m = op.shape
    n_open = open_cells(op).astype(np.uint64)
    cells, peaks = np.zeros(n, dtype=np.uint64), np.zeros(m, dtype=np.uint64)
    hashed = mixed(n_open)
    for rows, block in op.iter_open():
        sum_hashes(block.indptr, block.indices, hashed, cells[rows])
    hashed = mixed(cells, 1)
    for rows, block in op.iter_open():
        add_hashes(block.indptr, block.indices, hashed[rows], peaks)
    return Keys(cells, peaks)


def uniform(keys: np.ndarray, salt: int) -> np.ndarray:
    """Return a number in (0, 1) for every key, float64."""
    return (mixed(keys, salt) >> np.uint64(11)) * 2.0**-53 + 2.0**-54


def drawn(keys: np.ndarray, n: int, salt: int, *, first: np.ndarray | None = None) -> np.ndarray:
    """Return a mask of `n` of the keys, drawn by them, not by their places; all where there are no more.

    Those in the mask `first` are taken before the others.
    """
    numbers = uniform(keys, salt) + (0 if first is None else ~first)
    kept = np.zeros(len(keys), dtype=bool)
    kept[np.argsort(numbers, kind="stable")[:n]] = True
    return kept


def normal(keys: np.ndarray, n_columns: int, rng: np.random.Generator) -> np.ndarray:
    """Return standard normal numbers, a row for every key: (keys × n_columns), float64.

    Parameters
    ----------
    keys
        Keys of the rows.
    n_columns
        Columns.
    rng
        Generator; one integer is drawn.
    """
    salt = int(rng.integers(2**62))
    columns = mixed(np.arange(n_columns, dtype=np.uint64), salt)
    return ndtri(uniform(keys[:, None] ^ columns, salt + 1))

"""The verbs of interval algebra by the program BEDTools: the second engine, which `native` is tested against."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .bedtools import bedtools, read_columns, to_bed
from .columns import natural_key


def pairs(
    a: pd.DataFrame, b: pd.DataFrame, min_fraction: float | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what :func:`~.native.pairs` does (``bedtools intersect -wo``)."""
    with bedtools() as module:
        result = to_bed(module, a).intersect(to_bed(module, b), wo=True, **_fraction(min_fraction))
        table = read_columns(result, {3: "a", 7: "b", 8: "shared"})
    return _sorted(table, "shared")


def touched(a: pd.DataFrame, b: pd.DataFrame, min_fraction: float | None = None) -> np.ndarray:
    """Return what :func:`~.native.touched` does (``bedtools intersect -u``)."""
    with bedtools() as module:
        result = to_bed(module, a).intersect(to_bed(module, b), u=True, **_fraction(min_fraction))
        rows = read_columns(result, {3: "a"})["a"].to_numpy()
    found = np.zeros(len(a), dtype=bool)
    found[rows] = True
    return found


def near(a: pd.DataFrame, b: pd.DataFrame, distance: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what :func:`~.native.near` does (``bedtools window``)."""
    with bedtools() as module:
        result = to_bed(module, a).window(to_bed(module, b), w=distance)
        table = read_columns(result, {3: "a", 7: "b"})
    return _sorted(table)[:2]


def closest(a: pd.DataFrame, b: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what :func:`~.native.closest` does (``bedtools closest -D ref -t all``)."""
    with bedtools() as module:
        result = to_bed(module, a).closest(to_bed(module, b), D="ref", t="all")
        table = read_columns(result, {3: "a", 7: "b", 8: "distance"})
    return _sorted(table[table["b"] >= 0], "distance")  # "." where a chromosome has no row of b


def coverage(a: pd.DataFrame, b: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return what :func:`~.native.coverage` does (``bedtools coverage``)."""
    with bedtools() as module:
        result = to_bed(module, a).coverage(to_bed(module, b))
        table = read_columns(result, {3: "a", 4: "n", 5: "covered"}).set_index("a").loc[np.arange(len(a))]
    return table["n"].to_numpy(), table["covered"].to_numpy()


def merge(regions: pd.DataFrame, distance: int) -> pd.DataFrame:
    """Return what :func:`~.native.merge` does (``bedtools merge``)."""
    with bedtools() as module:
        result = to_bed(module, regions).merge(d=distance, c=4, o="count")
        table = read_columns(result, {0: "chrom", 1: "start", 2: "end", 3: "n"})
    rank = table["chrom"].map({c: i for i, c in enumerate(sorted(table["chrom"].unique(), key=natural_key))})
    return table.iloc[np.lexsort((table["start"], rank))].reset_index(drop=True)


def _fraction(min_fraction: float | None) -> dict[str, float]:
    return {} if min_fraction is None else {"f": min_fraction}


def _sorted(table: pd.DataFrame, value: str = "a") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    table = table.sort_values(["a", "b"], kind="stable")
    return table["a"].to_numpy(), table["b"].to_numpy(), table[value].to_numpy()

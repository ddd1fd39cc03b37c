"""Interval algebra next to bioframe: 100,000 regions against 1,200,000, as regions of hg38 lie.

Run: python benchmarks/regions.py [--old COMMIT] [--peers PYTHON]; writes benchmarks/results/regions.csv. The peers'
Python needs bioframe. Inputs are tables in memory; every tool gives its usual table.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from beside import HERE, Case, main

FEW, MANY = 100_000, 1_200_000


def make_regions(n: int, seed: int, sizes: dict[str, int]) -> pd.DataFrame:
    """Return regions of 100 to 1,000 bases at random places."""
    rng = np.random.default_rng(seed)
    length = np.array(list(sizes.values()))
    chrom = rng.choice(len(length), n, p=length / length.sum())
    start = (rng.random(n) * (length[chrom] - 1_000)).astype(np.int64)
    names = np.array(list(sizes), dtype=object)[chrom]
    return pd.DataFrame({"chrom": names, "start": start, "end": start + rng.integers(100, 1_001, n)})


def write_tables(folder: Path) -> None:
    import sccase_kit as sk

    sizes = {c: n for c, n in sk.regions.chrom_sizes("hg38").items() if c not in ("chrY", "chrM")}
    for name, n, seed in (("few", FEW, 0), ("many", MANY, 1)):
        make_regions(n, seed, sizes).to_pickle(folder / f"{name}.pkl")


def ours(call: Callable[[Any, pd.DataFrame, pd.DataFrame], Any]) -> Callable[[Path], Callable[[], str]]:
    """Return a tool that calls `call` with the functions of this package."""

    def ready(folder: Path) -> Callable[[], str]:
        import sccase_kit as sk

        few, many = (pd.read_pickle(folder / f"{name}.pkl") for name in ("few", "many"))
        call(sk.regions, few.head(500), many.head(500))  # parts are imported when they are used
        return lambda: f"{len(call(sk.regions, few, many)):,} rows"

    return ready


def bioframe(call: Callable[[Any, pd.DataFrame, pd.DataFrame], Any]) -> Callable[[Path], Callable[[], str]]:
    """Return a tool that calls `call` with bioframe."""

    def ready(folder: Path) -> Callable[[], str]:
        import bioframe as bf

        few, many = (pd.read_pickle(folder / f"{name}.pkl") for name in ("few", "many"))
        call(bf, few.head(500), many.head(500))  # parts are imported when they are used
        return lambda: f"{len(call(bf, few, many)):,} rows"

    return ready


def case(name: str, own: Callable[..., Any], theirs: Callable[..., Any]) -> Case:
    tools = {"sccase_kit": ours(own), "bioframe": bioframe(theirs)}
    return Case(f"{name}, {FEW:,} x {MANY:,}", write_tables, tools)


CASES = [
    case(
        "overlap, pairs",
        lambda rg, a, b: rg.overlap(a, b, how="pairs"),
        lambda bf, a, b: bf.overlap(a, b, how="inner"),
    ),
    case("merge of the many", lambda rg, a, b: rg.merge(b), lambda bf, a, b: bf.merge(b)),
    case("closest", lambda rg, a, b: rg.closest(a, b), lambda bf, a, b: bf.closest(a, b)),
    case("counts", lambda rg, a, b: rg.coverage(a, b), lambda bf, a, b: bf.count_overlaps(a, b)),
    case("coverage", lambda rg, a, b: rg.coverage(a, b), lambda bf, a, b: bf.coverage(a, b)),
    case(
        "window of 1 kb",
        lambda rg, a, b: rg.window(a, b),
        lambda bf, a, b: bf.overlap(bf.expand(a, 1_000), b, how="inner"),
    ),
    case("rows that overlap", lambda rg, a, b: rg.overlap(a, b), lambda bf, a, b: bf.count_overlaps(a, b)),
]

if __name__ == "__main__":
    main(__doc__, __file__, CASES, HERE / "results" / "regions.csv")

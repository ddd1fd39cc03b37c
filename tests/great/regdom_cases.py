"""Genes on both strands, near each other and near the ends, none at one place: what GREAT's program is run on."""

from __future__ import annotations

import numpy as np
import pandas as pd

SIZES = {"chr1": 60_000, "chr2": 15_000}
RULES = {"basal_plus_extension": "basalPlusExtension", "two_nearest": "twoClosest", "single_nearest": "oneClosest"}
EXTENSION = 8_000


def genes() -> pd.DataFrame:
    """Return 60 genes: chrom, tss (0-based position of the first base), strand, gene_id, symbol."""
    rng = np.random.default_rng(7)
    n = 60
    chrom = rng.choice(list(SIZES), n, p=[0.7, 0.3])
    tss = np.array([rng.integers(SIZES[c]) for c in chrom])
    tss[:4], chrom[:4] = [3, 4_999, 59_999, 55_001], "chr1"
    tss[10:16], chrom[10:16] = [20_000, 20_002, 20_004, 26_000, 26_010, 26_500], "chr1"
    names = [f"g{k:02d}" for k in range(n)]
    return pd.DataFrame(
        {"chrom": chrom, "tss": tss, "strand": rng.choice(["+", "-"], n), "gene_id": names, "symbol": names}
    )

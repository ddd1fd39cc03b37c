"""Small tables that are sound, from which the hostile ones are made, and hostile names."""

from __future__ import annotations

import numpy as np
import pandas as pd

SIZES = {"chr1": 60_000, "chr2": 40_000}
SETS = {"T1": ["g0", "g1", "g2"], "T2": ["g3", "nobody"], "T3": ["g9"]}
#: Names that matplotlib could take for mathematics, leave out of a legend, or draw outside of the figure.
WILD = ["$\\frac{a}$", "_hidden", "a$b$c^{", "%s {0} <&>\\", "Zellen äöü µ – β", "x" * 300, "two\nlines", " "]


def peaks() -> pd.DataFrame:
    start = np.array([1_000, 2_000, 20_000, 39_000, 500, 30_000])
    chrom = ["chr1", "chr1", "chr1", "chr1", "chr2", "chr2"]
    return pd.DataFrame({"chrom": chrom, "start": start, "end": start + 600, "group": list("aabbab"), "score": 1.5})


def genes() -> pd.DataFrame:
    tss = [1_500, 3_000, 21_000, 50_000, 900, 9_000, 30_200, 35_000, 38_000, 39_500]
    frame = pd.DataFrame({"chrom": ["chr1"] * 4 + ["chr2"] * 6, "tss": tss, "strand": ["+", "-"] * 5})
    return frame.assign(gene_id=[f"g{i}" for i in range(10)], symbol=[f"S{i}" for i in range(10)])

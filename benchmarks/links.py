"""How well planted links of peaks and genes are found, over cells and over pools.

python benchmarks/links.py
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

import sccase_kit as sk

FAR = 120_000  # no planted link is so long


def score(seed: int, use_rep: str | None) -> dict[str, object]:
    """Return average precision by z and by the correlation, what passes an FDR of 5 %, and small p-values far away."""
    toy = sk.datasets.toy_multiome(rng=seed)
    if use_rep is not None:
        sk.tl.enhance(toy.atac)
    sk.tl.peak_gene_links(toy.atac, toy.rna, toy.genes, use_rep=use_rep)
    links = toy.atac.uns["peak_gene_links"]["links"].dropna(subset="z")
    planted = {*zip(toy.links["peak"], toy.links["gene"], strict=True)}
    true = np.array([pair in planted for pair in zip(links["peak"], links["gene"], strict=True)])
    passed = (links["p_value_adj"] < 0.05).to_numpy()
    far = links["distance"].abs() > FAR
    return {
        "seed": seed,
        "over": "cells" if use_rep is None else "pools",
        "precision by z": average_precision_score(true, links["z"]),
        "precision by r": average_precision_score(true, links["correlation"]),
        "passed": int(passed.sum()),
        "planted": int((passed & true).sum()),
        "far, p < .05": float((links["p_value"][far] < 0.05).mean()),
    }


if __name__ == "__main__":
    print(
        pd.DataFrame([score(seed, rep) for rep in (None, "X_sccase") for seed in (0, 1)])
        .round(3)
        .to_string(index=False)
    )

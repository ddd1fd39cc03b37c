"""The printed equations on data: what each reading of them gives.

Run: python benchmarks/equations.py [FILE.h5ad ... --max-iter 60]; prints the table of docs/method_sccase.md.

Unscaled enhanced values: ARI of Louvain clusters of 50 PCs, silhouette of the labels (1 - Pearson correlation),
smoothing scores; the iterations, and in how many no step lowered F in W.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import anndata as ad
import pandas as pd

import sccase_kit as sk

READINGS = {
    "printed": {},
    "exact δ₁": {"step": "exact"},
    "E over R": {"mask": "expected", "step": "exact"},
    "program's TF-IDF": {"tfidf": "program"},
    "program's TF-IDF, exact": {"tfidf": "program", "step": "exact", "mask": "expected"},
    "the same, λ = 1": {"tfidf": "program", "step": "exact", "mask": "expected", "lam": 1.0},
    "the same, random Z": {"tfidf": "program", "step": "exact", "mask": "expected", "z_start": "random"},
    "the same, random H": {"tfidf": "program", "step": "exact", "mask": "expected", "h_start": "random"},
}


def rows(name: str, adata: ad.AnnData, label: str, max_iter: int) -> list[dict]:
    sk.pp.filter_peaks(adata)
    raw, k = sk.metrics.Profiles(sk.metrics.raw_tfidf(adata)), adata.obs[label].nunique()
    runs = {reading: sk.enhance.Paper(k, max_iter=max_iter, **options) for reading, options in READINGS.items()}
    runs |= {"thin": sk.enhance.Sccase(k), "program": sk.enhance.Published(k)}
    found = []
    for reading, method in runs.items():
        start = time.perf_counter()
        sk.tl.enhance(adata, method=method)
        seconds, entry = time.perf_counter() - start, adata.uns["sccase"]
        scores = sk.metrics.evaluate(adata, label, scale=None)
        enhanced = sk.metrics.Profiles(sk.get.enhanced(adata).astype(float))
        smoothing = sk.metrics.smoothing_scores(adata.obs[label], enhanced, raw)
        found.append({"data": name, "reading": reading, "ari": scores["ari"], "silhouette": scores["silhouette"]})
        found[-1] |= {part: smoothing[part] for part in ("over", "under")}
        found[-1] |= {"iterations": len(entry["objective"]), "W stays": entry.get("steps_without_descent_w")}
        found[-1] |= {"F": entry["objective"][-1], "seconds": seconds}
        print(found[-1], flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--label", default="cell_type")
    parser.add_argument("--max-iter", type=int, default=1000)
    args = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = rows("toy study", sk.datasets.toy_study(n_cells=300, n_peaks=2000).adata, args.label, args.max_iter)
        for path in args.files:
            found += rows(Path(path).stem, sk.read(path), args.label, args.max_iter)
    print(pd.DataFrame(found).round(3).to_string(index=False))


if __name__ == "__main__":
    main()

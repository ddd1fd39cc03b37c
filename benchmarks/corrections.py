"""What reference, depth and batch correction do, over seeds, on real and simulated data.

Run: python benchmarks/corrections.py [--seeds 5] [--data FOLDER]; writes benchmarks/results/corrections.csv.

Every seed draws its own 90 % of the cells. Reference and batch rows: ARI (mean of three Louvain seeds), silhouette, and
for batches kBET (of all cells, and inside the types) and batch ASW. `ideal`: types apart, their cells mixed at random,
so what perfect mixing scores. Depth rows: the largest |correlation| of PCs 1-10 with log depth.
"""

from __future__ import annotations

import argparse
import os
import warnings
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

import sccase_kit as sk
from sccase_kit.metrics.evaluation import profiles_of, score_clustering
from sccase_kit.pl.layouts import raw_pca

HERE = Path(__file__).parent


def subset(adata: ad.AnnData, seed: int) -> ad.AnnData:
    rng = np.random.default_rng(seed)
    keep = np.sort(rng.choice(adata.n_obs, int(0.9 * adata.n_obs), replace=False))
    part = adata[keep].copy()
    sk.pp.filter_peaks(part, min_fraction=0.01)
    return part


def scores(adata: ad.AnnData, batch_key: str | None = None) -> dict[str, float]:
    labels = adata.obs["cell_type"].astype(str).to_numpy()
    profiles = profiles_of(adata, key="sccase", scale="minmax")
    found = {"ari": np.mean([score_clustering(profiles, labels, rng=seed)["ari"] for seed in range(3)])}
    found["silhouette"] = float(sk.metrics.silhouette(labels, profiles.cells, profiles.peaks))
    if batch_key is not None:
        found |= mixing(profiles.pca(50), labels, adata.obs[batch_key].astype(str).to_numpy())
    return found


def mixing(embedding: np.ndarray, labels: np.ndarray, batches: np.ndarray) -> dict[str, float]:
    return {
        "kbet": float(sk.metrics.kbet(embedding, batches)),
        "kbet_label": float(sk.metrics.kbet(embedding, batches, labels=labels)),
        "batch_asw": float(sk.metrics.batch_asw(embedding, labels, batches)),
    }


def reference_rows(name: str, adata: ad.AnnData, reference: ad.AnnData, k: int, seeds: range) -> list[dict]:
    rows = []
    for seed in seeds:
        part = subset(adata, seed)
        for method, options in (("robust", {}), ("sccase", {"method": "sccase", "n_components": k})):
            for label, given in (("none", None), ("reference", reference)):
                sk.tl.enhance(part, reference=given, rng=seed, **options)
                rows.append({"what": "reference", "data": name, "method": method, "run": label, "seed": seed})
                rows[-1] |= scores(part)
    return rows


def batch_rows(name: str, adata: ad.AnnData, key: str, k: int, seeds: range) -> list[dict]:
    runs = {
        "none": {},
        "batch_key": {"batch_key": key},
        "scCASE": {"method": "sccase", "n_components": k},
        "published": {"method": "sccase", "n_components": k, "init": "published"},
        "scCASE published reweighting": {
            "method": "sccase", "n_components": k, "batch_key": key, "batch_method": "published",
        },
        "scCASE batch_key": {"method": "sccase", "n_components": k, "batch_key": key},
    }  # fmt: skip
    rows = []
    for seed in seeds:
        part = subset(adata, seed)
        labels, batches = (part.obs[c].astype(str).to_numpy() for c in ("cell_type", key))
        raw, pcs = sk.metrics.Profiles(sk.metrics.raw_tfidf(part)), raw_pca(part)
        rows.append({"what": "batch", "data": name, "method": "none", "run": "raw TF-IDF", "seed": seed})
        rows[-1]["ari"] = np.mean([score_clustering(raw, labels, rng=s)["ari"] for s in range(3)])
        rows[-1] |= mixing(pcs, labels, batches)
        spread = labels[:, None] == np.unique(labels)
        ideal = 1e3 * spread + np.random.default_rng(seed).normal(size=spread.shape)
        rows.append({"what": "batch", "data": name, "method": "none", "run": "ideal", "seed": seed})
        rows[-1] |= mixing(ideal, labels, batches)
        for label, options in runs.items():
            sk.tl.enhance(part, rng=seed, **options)
            rows.append({"what": "batch", "data": name, "method": options.get("method", "robust"), "run": label})
            rows[-1] |= {"seed": seed} | scores(part, key)
    return rows


def depth_rows(name: str, adata: ad.AnnData, k: int, seeds: range) -> list[dict]:
    rows = []
    for seed in seeds:
        part = subset(adata, seed)
        depth = np.asarray(part.X.sum(axis=1)).ravel()

        def add(label: str, method: str, pcs: np.ndarray, seed: int = seed, depth: np.ndarray = depth) -> None:
            largest = float(sk.metrics.depth_correlation(pcs[:, :10], depth).abs().max())
            rows.append({"what": "depth", "data": name, "method": method, "run": label, "seed": seed})
            rows[-1] |= {"largest |cor|": largest}

        add("raw TF-IDF", "none", raw_pca(part))
        for method, options in (("robust", {}), ("sccase", {"method": "sccase", "n_components": k})):
            for corrected in (False, True):
                sk.tl.enhance(part, depth=corrected, rng=seed, **options)
                label = "depth=True" if corrected else "plain"
                add(label, method, profiles_of(part, key="sccase", scale="minmax").pca(10))
    return rows


def bulk_of(study: sk.datasets.ToyStudy, seed: int) -> ad.AnnData:
    rng = np.random.default_rng(seed)
    openness = np.asarray(study.adata.varm["openness"]).T
    yields, depths = rng.gamma(5, 0.2, size=openness.shape[1]), rng.uniform(0.3, 3, size=(len(openness), 1))
    reference = ad.AnnData(rng.poisson(200 * depths * openness * yields).astype(np.float32))
    reference.var_names = study.adata.var_names
    return reference


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", default=os.environ.get("SCCASE_KIT_DATA", HERE.parent.parent / "shared" / "data"))
    args = parser.parse_args()
    data, seeds, rows = Path(args.data), range(args.seeds), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sparse_study = sk.datasets.toy_study(n_cells=500, capture=0.05)
        rows += reference_rows("toy study, capture .05", sparse_study.adata, bulk_of(sparse_study, 0), 5, seeds)
        rows += depth_rows("toy study, uneven", sk.datasets.toy_study(depth_sd=1.0, batch_sd=0.0).adata, 8, seeds)
        rows += batch_rows("toy study", sk.datasets.toy_study().adata, "batch", 8, seeds)
        simulated = sk.datasets.simulate(800, 6000, mode="batch", n_types=6, library_size=250, rng=1)
        rows += batch_rows("simulated", simulated, "batch", 6, seeds)
        for name, k in (("bm0828", 7), ("granja_bmmc_2k", 10)):
            path = data / f"{name}.h5ad"
            if not path.exists():
                print(f"{name}: not at {path}, skipped")
                continue
            adata = sk.read(path)
            rows += depth_rows(name, adata, k, seeds)
            if name == "bm0828":
                table = pd.read_csv(data / "bm0828_bulk_reference.tsv.gz", sep="\t", index_col=0)
                rows += reference_rows(name, adata, sk.pp.bulk_reference(table), k, seeds)
            else:
                rows += batch_rows(name, adata, "batch", k, seeds)
        if (whole := data / "granja_bmmc.h5ad").exists():
            rows += batch_rows("granja_bmmc", sk.read(whole), "batch", 10, seeds[:3])
    table = pd.DataFrame(rows)
    table.round(4).to_csv(HERE / "results" / "corrections.csv", index=False)
    means = table.groupby(["what", "data", "method", "run"], sort=False).mean(numeric_only=True)
    print(means.drop(columns="seed").round(3))


if __name__ == "__main__":
    main()

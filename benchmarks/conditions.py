"""Differential accessibility on real donors: PyDESeq2 against edgeR in R, and p-values where nothing differs.

Run: python benchmarks/conditions.py [--data FOLDER] [--types CD14.Mono.1 B] [--draws 20]; writes
benchmarks/results/conditions.csv.

granja_bmmc has two donors. `types`: two cell types are contrasted, with the pseudo-bulks of a type in a donor as
samples (2 against 2) and the donor as a covariate. `halves`: cells of one type of one donor are dealt to six samples
at random, three of which are called treated: nothing differs, but for chance. `called`: peaks at an adjusted p of
.05. `below`: share of p-values below .05 (.05 is expected of halves; a discrete test stays below).
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from scipy import stats

import sccase_kit as sk

HERE = Path(__file__).parent


def run(adata: ad.AnnData, engine: str, reference: str, covariates: tuple[str, ...] = ()) -> tuple[pd.DataFrame, float]:
    start = time.perf_counter()
    table = sk.tl.differential(
        adata,
        "all",
        condition_key="condition",
        sample_key="sample",
        reference=reference,
        covariates=covariates,
        engine=engine,
    )
    return table.set_index("peak"), time.perf_counter() - start


def summary(what: str, engine: str, tables: list[pd.DataFrame], seconds: float) -> dict[str, object]:
    pvalues = np.concatenate([table["pvalue"].dropna().to_numpy() for table in tables])
    called = sum(int((table["padj"] <= 0.05).sum()) for table in tables)
    row = {"what": what, "engine": engine, "tested": len(pvalues), "called": called, "below": np.mean(pvalues < 0.05)}
    return row | {"seconds": round(seconds, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared" / "data")
    parser.add_argument("--types", nargs=2, default=["CD14.Mono.1", "B"])
    parser.add_argument("--draws", type=int, default=5)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    adata = sk.read(args.data / "granja_bmmc.h5ad")
    adata.obs["all"] = "all"
    treated, reference = args.types
    both = adata[adata.obs["cell_type"].isin(args.types)].copy()
    both.obs["condition"] = both.obs["cell_type"].astype(str)
    both.obs["sample"] = both.obs["cell_type"].astype(str) + " " + both.obs["donor"].astype(str)
    rows, found = [], {}
    what = f"{treated} against {reference}, 2 donors"
    for engine in ("pydeseq2", "edger", "cells"):
        found[engine], seconds = run(both, engine, reference, ("donor",) if engine != "cells" else ())
        rows.append(summary(what, engine, [found[engine]], seconds))
    left, right = found["pydeseq2"].align(found["edger"], join="inner", axis=0)
    agreement = {
        "correlation_log2fc": left["log2fc"].corr(right["log2fc"]),
        "rank_correlation_p": stats.spearmanr(left["pvalue"], right["pvalue"], nan_policy="omit").statistic,
        "called_by_both": int(((left["padj"] <= 0.05) & (right["padj"] <= 0.05)).sum()),
    }
    rows[1] |= agreement
    one = adata[(adata.obs["cell_type"] == treated) & (adata.obs["donor"] == "D6")].copy()
    for engine in ("pydeseq2", "edger"):
        tables, total = [], 0.0
        for seed in range(args.draws):
            part = np.random.default_rng(seed).integers(6, size=one.n_obs)
            one.obs["sample"] = [f"s{i}" for i in part]
            one.obs["condition"] = np.where(part % 2, "treated", "control")
            table, seconds = run(one, engine, "control")
            tables.append(table)
            total += seconds
        rows.append(summary(f"{treated} of one donor, halves at random, {args.draws} draws", engine, tables, total))
    result = pd.DataFrame(rows)
    result.round(4).to_csv(HERE / "results" / "conditions.csv", index=False)
    print(result.to_string())


if __name__ == "__main__":
    main()

"""Marker peaks: do they hold in unseen cells, do they agree with sorted bulk, how long do they take.

Run: python benchmarks/markers.py [--seeds 2] [--data FOLDER] [--large] [--times]; writes benchmarks/results/markers.csv
and markers_time.csv.

`rep`: half of the cells of every type are enhanced and ranked, the other half judges; share of the first 200 peaks with
a one-sided depth-adjusted p below .05 there, mean over types (and `rep_min`, the worst type). `best`: share whose type
is the most open one there. `shared`: most peaks that the lists of two types have in common. `short`: types with fewer
than 200 peaks. `bulk`: area under the precision-recall curve, over chance, for the tenth of the peaks whose sorted bulk
signal is highest in the type over the mean of the others (all cells enhanced; `bulk_min`, the worst type).
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scanpy as sc
from scipy import sparse, stats
from sklearn.metrics import average_precision_score

import sccase_kit as sk
from sccase_kit._record import record
from sccase_kit.peaks import (
    choose_components,
    component_activation,
    contrasts,
    enhanced_fold_changes,
    group_profiles,
    level_profiles,
    marker_scores,
    open_test,
    rank_peaks,
)

HERE = Path(__file__).parent
N_TOP = 200
#: bm0828's types as tracks of the sorted bulk; CMP has none.
TRACKS = {
    "HSC": ["HSC"], "MPP": ["MPP"], "LMPP": ["LMPP"], "GMP": ["GMP"], "CLP": ["CLP"], "MEP": ["Ery", "Mega"],
}  # fmt: skip


def codes_of(adata: ad.AnnData) -> tuple[np.ndarray, list[str]]:
    labels = adata.obs["cell_type"].astype("category").cat.remove_unused_categories()
    return labels.cat.codes.to_numpy(), [str(name) for name in labels.cat.categories]


def opens_of(adata: ad.AnnData) -> tuple[np.ndarray, np.ndarray]:
    codes, names = codes_of(adata)
    member = sparse.csr_matrix((np.ones(len(codes)), (codes, np.arange(len(codes)))), shape=(len(names), len(codes)))
    return (member @ (adata.X > 0)).toarray().astype(np.int64), np.bincount(codes, minlength=len(names))


def old_scores(adata: ad.AnnData, by: str) -> np.ndarray:
    """Return the coefficients of each type's component, chosen by the Wilcoxon statistic or by effect."""
    codes, names = codes_of(adata)
    activation = component_activation(np.asarray(adata.obsm["X_sccase"]), codes, len(names))
    if by == "statistic":
        chosen = np.lexsort((-activation.difference, -activation.statistic), axis=1)[:, :1]
    else:
        chosen = choose_components(activation, 1)
    scores = np.zeros((len(names), adata.n_vars))
    for g in range(len(names)):
        positions, coefficients, _ = rank_peaks(adata.varm["sccase_projection"], chosen[g], adata.n_vars)
        scores[g, positions] = coefficients
    return scores


def for_scanpy(adata: ad.AnnData) -> ad.AnnData:
    """Return the counts as scanpy wants them: normalised, log(1 + x)."""
    raw = ad.AnnData(adata.X.astype(np.float32), obs=adata.obs[["cell_type"]].astype(str).astype("category"))
    raw.var_names = np.arange(adata.n_vars).astype(str)
    sc.pp.normalize_total(raw)
    sc.pp.log1p(raw)
    return raw


def scanpy_scores(adata: ad.AnnData) -> np.ndarray:
    _, names = codes_of(adata)
    raw = for_scanpy(adata)
    sc.tl.rank_genes_groups(raw, "cell_type", method="wilcoxon")
    scores = np.empty((len(names), adata.n_vars))
    for g, name in enumerate(names):
        found = raw.uns["rank_genes_groups"]
        scores[g, found["names"][name].astype(int)] = found["scores"][name]
    return scores


def logistic_scores(adata: ad.AnnData) -> np.ndarray:
    """Return the score statistic of a type in a logistic regression of a peak on depth (Signac's test), by type."""
    codes, names = codes_of(adata)
    x = np.log1p(np.asarray((adata.X > 0).sum(axis=1), dtype=np.float64).ravel())
    design = np.column_stack([np.ones_like(x), x - x.mean()])
    member = (codes[:, None] == np.arange(len(names))).astype(np.float64)
    scores = np.empty((len(names), adata.n_vars))
    for first in range(0, adata.n_vars, 2000):
        y = (adata.X[:, first : first + 2000] > 0).toarray().astype(np.float64)
        beta = np.zeros((2, y.shape[1]))
        beta[0] = np.log(np.clip(y.mean(axis=0), 1e-6, 1 - 1e-6) / (1 - np.clip(y.mean(axis=0), 1e-6, 1 - 1e-6)))
        for _ in range(10):
            p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
            w = np.maximum(p * (1 - p), 1e-10)
            a, b, c = w.sum(axis=0), design[:, 1] @ w, (design[:, 1] ** 2) @ w
            g0, g1 = design.T @ (y - p)
            det = a * c - b * b
            beta += np.clip(np.stack([c * g0 - b * g1, a * g1 - b * g0]) / det, -2, 2)
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        w = np.maximum(p * (1 - p), 1e-10)
        a, b, c = w.sum(axis=0), design[:, 1] @ w, (design[:, 1] ** 2) @ w
        mw, mxw = member.T @ w, (member * design[:, 1:]).T @ w
        explained = (c * mw**2 - 2 * b * mw * mxw + a * mxw**2) / (a * c - b * b)
        scores[:, first : first + 2000] = (member.T @ (y - p)) / np.sqrt(np.maximum(mw - explained, 1e-12))
    return scores


def other_scores(adata: ad.AnnData, z: np.ndarray, padj: np.ndarray, spread: np.ndarray) -> dict[str, np.ndarray]:
    """Return the statistics that are only here for comparison."""
    codes, names = codes_of(adata)
    opens, n_cells = opens_of(adata)
    total, n = opens.sum(axis=0), n_cells.sum()
    fisher = -np.array(
        [stats.hypergeom.logsf(opens[g] - 1, n, total, n_cells[g]) for g in range(len(names))]
    )  # log is kept: p underflows
    depth = opens.sum(axis=1, keepdims=True).astype(np.float64)
    pairs = np.full(z.shape, np.inf)
    for g in range(len(names)):
        for other in range(len(names)):
            if other != g:
                both, w = opens[g] + opens[other], depth[g] / (depth[g] + depth[other])
                pair = (opens[g] - w * both) / np.sqrt(np.maximum(both * w * (1 - w), 1e-12))
                pairs[g] = np.minimum(pairs[g], pair)
    rates = np.log2(1 + 1e6 * opens / depth)
    snap = (rates - rates.mean(axis=0)) / np.maximum(rates.std(axis=0), 1e-12)
    factors = sk.get.factors(adata)
    profiles = group_profiles(*factors, codes=codes, n_groups=len(names))
    expected = depth * profiles / profiles.sum(axis=1, keepdims=True)
    mixed, share = 0.25 * opens + 0.75 * expected, depth / depth.sum()
    whole = mixed.sum(axis=0)
    mixture = (mixed - share * whole) / np.sqrt(np.maximum(whole * share * (1 - share), 1e-12))
    ranks = np.empty(z.shape)
    cells, peaks = factors[0], factors[1]
    for first in range(0, adata.n_vars, 5000):
        block = stats.rankdata(np.asarray(cells @ peaks[first : first + 5000].T), axis=0)
        for g in range(len(names)):
            m = n_cells[g]
            ranks[g, first : first + 5000] = (block[codes == g].sum(axis=0) - m * (m + 1) / 2) / (m * (n - m)) - 0.5
    passed = (padj < 0.05) & (z > 0)
    return {
        "AUC on enhanced": ranks,
        "raw Fisher, binarised": fisher,
        "raw logistic score z, depth covariate": logistic_scores(adata),
        "raw one-vs-nearest z (min over pairs)": pairs,
        "SnapATAC2 marker_regions formula (re-coded)": snap,
        "contrast among raw padj<.05, rest by z": np.where(passed, 1e6 + spread, np.maximum(z, 0)),
        "¼ raw + ¾ enhanced z": mixture,
    }


def all_scores(adata: ad.AnnData) -> dict[str, np.ndarray]:
    """Return statistic → scores (types × peaks); a peak with a score of 0 or less is no marker."""
    codes, names = codes_of(adata)
    opens, n_cells = opens_of(adata)
    profiles = group_profiles(*sk.get.factors(adata), codes=codes, n_groups=len(names))
    level = level_profiles(profiles)
    tests = [open_test(opens, n_cells, g) for g in range(len(names))]
    z, raw, padj = (np.array([getattr(test, part) for test in tests]) for part in ("z", "log2fc", "padj"))
    rest, nearest = (
        np.array(part)
        for part in zip(*(enhanced_fold_changes(level, n_cells, g) for g in range(len(names))), strict=True)
    )
    return {
        "component by Wilcoxon, coefficient (version 0.1)": old_scores(adata, "statistic"),
        "component by AUC, coefficient": old_scores(adata, "specificity"),
        "contrast": contrasts(profiles),
        "enhanced log2FC vs rest": rest,
        "enhanced log2FC vs nearest": nearest,
        "raw z": z,
        "raw log2FC, prior 2": raw,
        "raw Wilcoxon (scanpy)": scanpy_scores(adata),
        **other_scores(adata, z, padj, contrasts(profiles)),
        "score (z × enhanced log2FC vs rest)": np.array([marker_scores(a, b) for a, b in zip(z, rest, strict=True)]),
    }


def top(scores: np.ndarray) -> list[np.ndarray]:
    """Return the first N_TOP peaks of every type, those above 0 only."""
    lists = []
    for row in scores:
        order = np.argsort(-row, kind="stable")[:N_TOP]
        lists.append(order[row[order] > 0])
    return lists


def halves(adata: ad.AnnData, seed: int) -> tuple[ad.AnnData, ad.AnnData]:
    rng, codes = np.random.default_rng(seed), codes_of(adata)[0]
    first = np.zeros(adata.n_obs, dtype=bool)
    for g in np.unique(codes):
        rows = rng.permutation(np.flatnonzero(codes == g))
        first[rows[: len(rows) // 2]] = True
    return adata[first].copy(), adata[~first].copy()


def judged(lists: list[np.ndarray], held: ad.AnnData) -> dict[str, float]:
    opens, n_cells = opens_of(held)
    n = len(n_cells)
    pvalues = np.array([open_test(opens, n_cells, g).z for g in range(n)]) > 1.6449
    rate = opens / np.maximum(opens.sum(axis=1, keepdims=True), 1)
    rep = [pvalues[g, peaks].mean() if len(peaks) else 0.0 for g, peaks in enumerate(lists)]
    best = [(rate[:, peaks].argmax(axis=0) == g).mean() if len(peaks) else 0.0 for g, peaks in enumerate(lists)]
    shared = max(len(np.intersect1d(lists[a], lists[b])) for a in range(n) for b in range(a))
    short = sum(len(peaks) < N_TOP for peaks in lists)
    found = {"rep": np.mean(rep), "rep_min": np.min(rep), "best": np.mean(best), "shared": shared, "short": short}
    return {name: float(value) for name, value in found.items()}


def held_out(name: str, adata: ad.AnnData, batch_key: str | None, seeds: range) -> pd.DataFrame:
    rows = []
    for seed in seeds:
        fit, held = halves(adata, seed)
        sk.tl.enhance(fit, batch_key=batch_key, rng=seed)
        for statistic, scores in all_scores(fit).items():
            rows.append({"data": name, "statistic": statistic, "seed": seed, **judged(top(scores), held)})
    return pd.DataFrame(rows)


def against_bulk(name: str, adata: ad.AnnData, bulk: pd.DataFrame, batch_key: str | None) -> pd.DataFrame:
    """Compare the ranking of all peaks with the bulk of bm0828, at its own peaks."""
    sk.tl.enhance(adata, batch_key=batch_key)
    names = codes_of(adata)[1]
    peaks = np.flatnonzero(adata.var_names.isin(bulk.index))
    signal = np.log1p(bulk.loc[adata.var_names[peaks]])
    tracks = pd.DataFrame({group: signal[columns].mean(axis=1) for group, columns in TRACKS.items()})
    rows = []
    for statistic, scores in all_scores(adata).items():
        lift = []
        for group in tracks:
            excess = tracks[group] - tracks.drop(columns=group).mean(axis=1)
            truth = (excess >= excess.quantile(0.9)).to_numpy()
            lift.append(average_precision_score(truth, scores[names.index(group), peaks]) / truth.mean())
        rows.append({"data": name, "statistic": statistic, "bulk": np.mean(lift), "bulk_min": np.min(lift)})
    return pd.DataFrame(rows)


def timed(adata: ad.AnnData, name: str) -> list[dict]:
    """Time tl.specific_peaks and scanpy's Wilcoxon test of the same data, one after the other, the tests alone."""
    raw = for_scanpy(adata)
    rows = []
    for what, run in (
        ("tl.specific_peaks", lambda: sk.tl.specific_peaks(adata, "cell_type", alpha=1)),
        ("scanpy, Wilcoxon", lambda: sc.tl.rank_genes_groups(raw, "cell_type", method="wilcoxon")),
    ):
        start, used = time.perf_counter(), time.process_time()
        run()
        taken = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - used}
        rows.append({"data": name, "what": what, **taken})
        print(rows[-1], flush=True)
    return rows


def large(n_cells: int = 100_000, n_peaks: int = 100_000, n_groups: int = 30) -> ad.AnnData:
    """Return random counts, 2,000 open peaks a cell, with factors of rank 40 in place of a fit."""
    rng = np.random.default_rng(0)
    per_cell = 2_000
    indices = rng.integers(n_peaks, size=(n_cells, per_cell), dtype=np.int32)
    indices.sort(axis=1)
    pointers = np.arange(n_cells + 1, dtype=np.int64) * per_cell
    counts = sparse.csr_matrix((np.ones(indices.size, np.float32), indices.ravel(), pointers), (n_cells, n_peaks))
    counts.sum_duplicates()
    labels = pd.Categorical(rng.integers(n_groups, size=n_cells).astype(str))
    adata = ad.AnnData(counts, obs=pd.DataFrame({"cell_type": labels}, index=np.arange(n_cells).astype(str)))
    adata.obsm["sccase_cell_factors"] = rng.random((n_cells, 40), dtype=np.float32)
    adata.varm["sccase_peak_factors"] = rng.random((n_peaks, 40), dtype=np.float32)
    adata.obsm["X_sccase"] = adata.obsm["sccase_cell_factors"]
    adata.varm["sccase_projection"] = adata.varm["sccase_peak_factors"]
    record(adata, "sccase", "tl.enhance", params={}, objective=np.zeros(1), shape=np.array(adata.shape))
    return adata


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared" / "data")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--large", action="store_true", help="also 100,000 cells × 100,000 peaks × 30 groups")
    parser.add_argument("--times", action="store_true", help="the times alone")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    (HERE / "results").mkdir(exist_ok=True)
    if not args.times:
        judge(args)
    adata = sk.read(args.data / "granja_bmmc.h5ad")
    sk.tl.enhance(adata, batch_key="batch")
    sk.tl.specific_peaks(adata[:300].copy(), "cell_type", alpha=1)  # compiles
    times = timed(adata, "granja_bmmc, 14,125 × 10,000 × 16")
    if args.large:
        adata = large()
        part = adata[:20_000, :20_000].copy()
        times += timed(part, f"20,000 × 20,000 × 30, {part.X.nnz / 1e6:.0f} M open: a part of the next")
        start, used = time.perf_counter(), time.process_time()
        sk.tl.specific_peaks(adata, "cell_type", alpha=1)
        times.append({"data": "100,000 × 100,000 × 30, 198 M open", "what": "tl.specific_peaks"})
        times[-1] |= {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - used}
    table = pd.DataFrame(times).round(2)
    table.to_csv(HERE / "results" / "markers_time.csv", index=False)
    print(table.to_string(index=False))


def judge(args: argparse.Namespace) -> None:
    """Judge the statistics on held-out cells and against the sorted bulk, and write the table."""
    rows = []
    for name, batch_key in {"bm0828": None, "granja_bmmc_2k": "batch"}.items():
        adata = sk.read(args.data / f"{name}.h5ad")
        rows.append(held_out(name, adata, batch_key, range(args.seeds)))
        if name == "bm0828":
            bulk = pd.read_csv(args.data / "bm0828_bulk_reference.tsv.gz", sep="\t", index_col=0)
            rows.append(against_bulk(name, adata, bulk, batch_key))
    table = pd.concat(rows).groupby(["data", "statistic"], sort=False).mean(numeric_only=True).drop(columns="seed")
    table.round(3).to_csv(HERE / "results" / "markers.csv")
    print(table.round(3).to_string(), end="\n\n")


if __name__ == "__main__":
    main()

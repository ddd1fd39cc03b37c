"""Hold the native engines against the R packages on the toy study and on real data; print a table.

Run: ``python benchmarks/r_engines.py [folder] [table.csv]``, the folder with scabc_bj_tf1.h5ad, chromvar50.h5ad,
bm0828.h5ad, granja_bmmc_2k.h5ad and motifs/.
R with scABC, chromVAR and motifmatchr is needed (``Rscript r_scripts/install.R``); where betterChromVAR and rGREAT are
there too they are compared, which are no reimplementations of the same numbers.
"""

from __future__ import annotations

import gzip
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
from scipy import sparse

import sccase_kit as sk


def timed(run: Callable[[], Any]) -> tuple[Any, float]:
    """Return the result and the seconds it took."""
    start = time.perf_counter()
    result = run()
    return result, time.perf_counter() - start


def gap(a: Any, b: Any) -> float:
    """Return the largest absolute difference; infinite where one is NaN and the other is not."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if not np.array_equal(np.isnan(a), np.isnan(b)):
        return np.inf
    same = (a == b) | np.isnan(a)
    return float(np.abs(a[~same] - b[~same]).max(initial=0))


def compare_scabc(name: str, adata: ad.AnnData, groupby: str) -> list[dict[str, Any]]:
    """Return rows for p-values, betas and sigmas."""
    adata = adata[:, np.asarray(adata.X.sum(axis=0)).ravel() > 0].copy()
    native, t_native = timed(lambda: sk.tl.scabc(adata, groupby, compat=True, copy=True))
    theirs, t_r = timed(lambda: sk.tl.scabc(adata, groupby, engine="r", copy=True))
    rows = [(field, gap(native.varm[f"scabc_{field}"], theirs.varm[f"scabc_{field}"])) for field in ("pvalues", "beta")]
    rows.append(("sigma", gap(native.uns["scabc"]["sigma"], theirs.uns["scabc"]["sigma"])))
    groups = adata.obs[groupby].nunique()
    return table("scabc", f"{name}, {adata.n_obs:,} × {adata.n_vars:,}, {groups} groups", rows, t_native, t_r)


def compare_chromvar(name: str, adata: ad.AnnData, annotations: Any, **options: Any) -> list[dict[str, Any]]:
    """Return rows for background peaks, deviations, z and the p-values of the variability."""
    options |= {"r_seed": 1, "n_bootstrap": 0, "copy": True}
    native, t_native = timed(lambda: sk.tl.chromvar(adata, annotations, **options))
    theirs, t_r = timed(lambda: sk.tl.chromvar(adata, annotations, engine="r", **options))
    drawn = native.varm["chromvar_background"] != theirs.varm["chromvar_background"]
    rows: list[tuple[str, float]] = [("background peaks that differ", int(drawn.sum()))]
    for field in ("deviations", "z"):
        rows.append((field, gap(native.obsm[f"chromvar_{field}"], theirs.obsm[f"chromvar_{field}"])))
    ours, other = native.uns["chromvar"]["variability"], theirs.uns["chromvar"]["variability"]
    rows += [(field, gap(ours[field], other[field])) for field in ("variability", "p_value")]
    shape = f"{name}, {adata.n_obs:,} × {adata.n_vars:,}, {len(ours)} sets"
    return table("chromvar", shape, rows, t_native, t_r)


def compare_motifs(name: str, sequences: list[str], motifs: Any, background: str) -> list[dict[str, Any]]:
    """Return rows for matches, number of matches, scores and thresholds."""
    adata = ad.AnnData(sparse.csr_matrix((1, len(sequences)), dtype=np.float32))
    options = {"sequences": sequences, "background": background, "scores": True, "copy": True}
    native, t_native = timed(lambda: sk.tl.match_motifs(adata, motifs, compat=True, **options))
    theirs, t_r = timed(lambda: sk.tl.match_motifs(adata, motifs, engine="r", **options))
    rows: list[tuple[str, float]] = [
        (f"{what} that differ", int((native.varm[key] != theirs.varm[key]).nnz))
        for what, key in (("matches", "motifs"), ("counts", "motifs_counts"))
    ]
    rows.append(("scores", float(abs(native.varm["motifs_scores"] - theirs.varm["motifs_scores"]).max())))
    ours, other = (found.uns["motifs"]["thresholds"] for found in (native, theirs))
    known = ~np.isnan(other)  # where the installed motifmatchr tells them
    rows.append(("thresholds", gap(ours[known], other[known])))
    shape = f"{name}, {len(sequences):,} peaks, {len(native.uns['motifs']['ids'])} motifs, {background}"
    shape += f", {native.varm['motifs'].nnz:,} matches"
    return table("match_motifs", shape, rows, t_native, t_r)


def compare_analytic(name: str, adata: ad.AnnData, annotations: Any, **options: Any) -> list[dict[str, Any]]:
    """Return rows for betterChromVAR against the closed form of chromVAR's draws: one minus the correlations."""
    options |= {"method": "analytic", "n_bootstrap": 0, "copy": True}
    native, t_native = timed(lambda: sk.tl.chromvar(adata, annotations, **options))
    theirs, t_r = timed(lambda: sk.tl.chromvar(adata, annotations, engine="r", **options))
    rows = []
    for field in ("deviations", "z"):
        pair = [found.obsm[f"chromvar_{field}"].to_numpy().ravel() for found in (native, theirs)]
        known = np.isfinite(pair[0]) & np.isfinite(pair[1])
        rows.append((f"{field}: 1 - correlation", 1 - float(np.corrcoef(pair[0][known], pair[1][known])[0, 1])))
    shape = f"{name}, {adata.n_obs:,} × {adata.n_vars:,}, {native.obsm['chromvar_z'].shape[1]} sets"
    return table("chromvar, analytic", shape, rows, t_native, t_r)


def compare_great(name: str, regions: pd.DataFrame, genome: str, gene_sets: str) -> list[dict[str, Any]]:
    """Return rows for rGREAT: largest difference of the fractions, share of other hits, one minus rank correlations."""
    native, t_native = timed(lambda: sk.tl.great(regions, genome, gene_sets, min_genes=5, members=False))
    theirs, t_r = timed(lambda: sk.tl.great(regions, genome, gene_sets, min_genes=5, members=False, engine="r"))
    both = native.merge(theirs, on=["ontology", "ID"], suffixes=("", "_r"))
    hits = [both[f"Binom_Observed_Region_Hits{end}"] for end in ("", "_r")]
    rows = [("fraction of the genome", gap(both["Binom_Genome_Fraction"], both["Binom_Genome_Fraction_r"]))]
    rows.append(("terms with other region hits", float((hits[0] != hits[1]).mean())))
    for test in ("Binom", "Hyper"):
        found = both[f"{test}_Raw_PValue"].corr(both[f"{test}_Raw_PValue_r"], method="spearman")
        rows.append((f"{test} p: 1 - rank correlation", 1 - float(found)))
    return table("great", f"{name}, {len(regions):,} regions, {len(both):,} terms", rows, t_native, t_r)


def table(engine: str, data: str, rows: list[tuple[str, float]], native: float, r: float) -> list[dict[str, Any]]:
    """Print and return rows of the table."""
    out = [
        {"engine": engine, "data": data, "quantity": what, "difference": value, "native_s": native, "r_s": r}
        for what, value in rows
    ]
    print(pd.DataFrame(out).to_string(index=False, header=False), flush=True)
    return out


def random_sets(n_peaks: int, n_sets: int, rng: np.random.Generator) -> sparse.csr_matrix:
    """Return peaks × sets of random membership, from 0.5 to 10 % of the peaks."""
    share = np.geomspace(0.005, 0.1, n_sets)
    return sparse.csr_matrix(rng.random((n_peaks, n_sets)) < share)


def real_data(folder: Path) -> list[dict[str, Any]]:
    """Compare on the examples of the packages' authors and on real peak sequences."""
    rng = np.random.default_rng(0)
    fibro, lines = ad.read_h5ad(folder / "scabc_bj_tf1.h5ad"), ad.read_h5ad(folder / "chromvar50.h5ad")
    rows = compare_scabc("scabc_bj_tf1", fibro, "cell_type")
    for name, adata, n_sets in (("scabc_bj_tf1", fibro, 20), ("chromvar50", lines, 40)):
        adata = adata[:, np.asarray(adata.X.sum(axis=0)).ravel() > 0].copy()
        sets = random_sets(adata.n_vars, n_sets, rng)
        rows += compare_chromvar(name, adata, sets, bias=rng.uniform(0.3, 0.7, adata.n_vars))
    with gzip.open(folder / "motifs" / "mT1_TAL1_peaks_hg19.fa.gz", "rt") as handle:
        records = handle.read().split(">")[1:]
    sequences = ["".join(record.split("\n")[1:]) for record in records]
    motifs = sk.motifs.read_motifs(folder / "motifs" / "JASPAR2024_CORE_vertebrates_latest.meme")
    for background in ("subject", "even"):
        rows += compare_motifs("mT1 TAL1 peaks", sequences, motifs, background)
    return rows


def bone_marrow(folder: Path) -> list[dict[str, Any]]:
    """Compare on two real sets of hematopoietic cells: chromVAR on all peaks, scABC on the 1,000 most open."""
    rng = np.random.default_rng(1)
    rows = []
    for name in ("bm0828", "granja_bmmc_2k"):
        adata = ad.read_h5ad(folder / f"{name}.h5ad")
        per_peak = np.asarray(adata.X.sum(axis=0)).ravel()
        adata = adata[:, per_peak > 0].copy()
        bias = rng.uniform(0.3, 0.7, adata.n_vars)
        sets = random_sets(adata.n_vars, 40, rng)
        rows += compare_chromvar(name, adata, sets, bias=bias)
        if sk.r.available("betterChromVAR"):
            rows += compare_analytic(name, adata, sets, bias=bias)
        if sk.r.available("rGREAT"):
            sk.tl.enhance(adata)
            sk.tl.specific_peaks(adata, "cell_type", n_top=500)
            peaks = adata.uns["specific_peaks"]["peaks"]
            peaks = (
                peaks[peaks["group"] == "MEP"] if name == "bm0828" else peaks[peaks["group"] == peaks["group"].iloc[0]]
            )
            rows += compare_great(name, peaks.drop(columns="group"), "hg19", "GO:CC")
        top = np.sort(np.argsort(-per_peak[per_peak > 0])[:1000])
        rows += compare_scabc(name, adata[:, top].copy(), "cell_type")
    return rows


def main(folder: str | None = None, out: str | None = None) -> None:
    """Run all comparisons."""
    study = sk.datasets.toy_study()
    adata = study.adata
    sk.tl.match_motifs(adata, study.motifs, sequences=study.sequences)
    rows = compare_motifs("toy study", [study.sequences[p] for p in adata.var_names], study.motifs, "subject")
    rows += compare_chromvar("toy study", adata, "motifs")
    rows += compare_scabc("toy study", adata, "cell_type")
    if folder is not None:
        rows += real_data(Path(folder)) + bone_marrow(Path(folder))
    if out is not None:
        pd.DataFrame(rows).to_csv(out, index=False)


if __name__ == "__main__":
    main(*sys.argv[1:3])

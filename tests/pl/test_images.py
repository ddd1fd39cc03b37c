"""Every public plot against a stored picture.

The data are made here, so that pictures depend on the drawing alone. Run with SCCASE_KIT_UPDATE_BASELINES=1 to write
them anew, and look at them before they are committed. Text is drawn differently by other versions of Matplotlib, for
which the comparison is skipped.
"""

from __future__ import annotations

import os
from pathlib import Path

import anndata as ad
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.testing.compare import compare_images
from picture_data import (
    annotated,
    differential_table,
    fragments,
    held_out_scores,
    linked,
    matched,
    motif_effects,
    with_traits,
)

import sccase_kit as sk
from sccase_kit._record import record
from sccase_kit.enhance.expected import factor_sums, measure_counts

BASELINES = Path(__file__).parent / "baseline"
VERSION = "3.11"  # of Matplotlib that drew the pictures
TOLERANCE = 2.0  # root mean square difference of the grey values, 0 to 255
UPDATE = "SCCASE_KIT_UPDATE_BASELINES" in os.environ
TYPES = ["B", "T", "NK"]


@pytest.fixture(scope="module")
def adata():
    """Return a fitted AnnData whose factors are given, not computed."""
    rng = np.random.default_rng(0)
    codes, n, p = np.repeat([0, 1, 2], [24, 18, 12]), 54, 90
    own = np.repeat([0, 1, 2], 30)
    openness = np.where(codes[:, None] == own, 0.55, 0.08)
    depth = rng.uniform(0.5, 1.6, size=(n, 1))
    counts = (rng.random((n, p)) < openness * depth).astype(np.int32)
    counts[:, 0] = 1
    data = ad.AnnData(counts)
    data.obs_names, data.var_names = (
        [f"c{i}" for i in range(n)],
        [f"chr1:{1000 * i}-{1000 * i + 400}" for i in range(p)],
    )
    data.obs["cell_type"] = pd.Categorical(np.array(TYPES)[codes], categories=TYPES)
    data.obs["depth"] = counts.sum(axis=1).astype(float)
    data.var["chrom"], data.var["start"] = "chr1", 1000 * np.arange(p)
    data.var["end"] = data.var["start"] + 400
    h = 0.05 + 0.9 * (codes[:, None] == np.arange(3)) + 0.05 * rng.random((n, 3))
    w = 0.05 + 0.9 * (own[:, None] == np.arange(3)) + 0.1 * rng.random((p, 3))
    h = h / h.sum(axis=0)
    _, totals, scaling = measure_counts(counts)
    for key in ("sccase", "other"):
        data.obsm[f"X_{key}"], data.varm[f"{key}_projection"] = h, w
        data.obsm[f"{key}_cell_factors"] = data.obsm[f"{key}_sources"] = h.astype(np.float32)
        data.varm[f"{key}_peak_factors"] = w.astype(np.float32)
        objective = np.array([1.0, 0.8, 0.75, 0.74]) if key == "sccase" else np.array([1.0, 0.9, 0.7])
        params = {"method": "sccase", "n_components": 3}
        data.obsm[f"{key}_depth"] = totals[:, None]
        data.varm[f"{key}_idf"] = np.column_stack([scaling.idf, scaling.share])
        fit = {"objective": objective, "timing": {}, "shape": np.array(data.shape)}
        fit["factor_sums"] = factor_sums(data.varm[f"{key}_peak_factors"], scaling)
        record(data, key, "tl.enhance", params=params, **fit)
    centres = np.array([[0, 0], [4, 1], [2, 4]])
    for slot, spread in (("X_umap_raw", 1.2), ("X_umap_sccase", 0.4), ("X_umap", 0.6)):
        data.obsm[slot] = (centres[codes] + spread * rng.normal(size=(n, 2))).astype(np.float32)
    k = np.arange(3, 9)
    curves = pd.DataFrame(
        {
            "k": k,
            "inertia": 100 / k,
            "davies_bouldin": np.abs(k - 5) + 1.0,
            "silhouette_louvain": 0.3 - 0.02 * (k - 4) ** 2,
            "silhouette_leiden": 0.28 - 0.02 * (k - 4) ** 2,
        }
    )
    data.uns["estimate_k"] = {
        "curves": curves,
        "votes": {"knee": 5, "davies_bouldin": 5, "silhouette": 4},
        "n_types": 5,
    }
    return data


@pytest.fixture(scope="module")
def motifs(adata):
    rng = np.random.default_rng(1)
    data = adata.copy()
    sets = np.repeat(np.eye(3), 30, axis=0)[:, np.arange(6) % 3] * (rng.random((90, 6)) < 0.6)
    names = [f"TF{i}" for i in range(6)]
    data.varm["motifs"] = pd.DataFrame(sets.astype(bool), index=data.var_names, columns=names)
    background = rng.integers(0, 90, size=(90, 20))
    sk.tl.chromvar(data, data.varm["motifs"], background=background, n_bootstrap=0)
    return data


def great_table():
    rows = [(g, f"TERM{i}", -5.0 * (g == TYPES[i % 3]) - 0.2 * i) for g in TYPES for i in range(6)]
    table = pd.DataFrame(rows, columns=["group", "ID", "log"])
    table["name"], table["ontology"] = "function " + table["ID"], ""
    table["P-value"] = table["Adjusted P-value"] = 10.0 ** table["log"]
    table["Odds Ratio"] = 3.0 - table["log"]
    return table.drop(columns="log")


def snpsea_table():
    rng = np.random.default_rng(2)
    names = [f"tissue_{i}" for i in range(8)]
    rows = [
        (g, n, 1e-4 if (g, n) == ("B", "tissue_3") else rng.uniform(0.03, 1))
        for g in ("B", "background")
        for n in names
    ]
    table = pd.DataFrame(rows, columns=["group", "condition", "pvalue"])
    profiles = rng.normal(size=(8, 50)) + 2 * rng.normal(size=(2, 50))[np.arange(8) % 2]
    table.attrs["correlation"] = pd.DataFrame(np.corrcoef(profiles), names, names).to_dict("split")
    return table


def ldsc_table():
    table = pd.DataFrame({"trait": "height", "group": [*TYPES, "background"], "Enrichment": [6.0, 1.2, 0.4, 0.9]})
    return table.assign(**{"Enrichment_std_error": [1.0, 0.8, 0.2, 0.3], "Enrichment_p": [1e-4, 0.7, 1e-3, 0.6]})


def experiment():
    rows = [
        (rate, seed, method, start - slope * rate + 0.02 * seed)
        for method, start, slope in (("raw", 0.5, 0.5), ("enhanced", 0.9, 0.6))
        for rate in (0.0, 0.4, 0.8)
        for seed in range(3)
    ]
    table = pd.DataFrame(rows, columns=["rate", "seed", "method", "ari"])
    return table.assign(silhouette=table["ari"] / 2)


def accuracy():
    grid = np.linspace(0, 1, 40)
    return {"raw": pd.DataFrame({"auprc": 0.2 + 0.2 * grid}), "enhanced": pd.DataFrame({"auprc": 0.5 + 0.3 * grid**2})}


GENES = pd.DataFrame(
    {
        "chrom": "chr1",
        "start": [2000, 9000, 11_000],
        "end": [7000, 13_000, 18_000],
        "strand": ["+", "-", "+"],
        "symbol": ["GENE1", "GENE2", "GENE3"],
    }
)
DRAW = {
    "accessibility_ma": lambda a, m: sk.pl.accessibility_ma(differential_table()),
    "accessibility_volcano": lambda a, m: sk.pl.accessibility_volcano(differential_table(), min_log2fc=0.5, n_label=6),
    "accuracy_boxplot": lambda a, m: sk.pl.accuracy_boxplot(accuracy(), reference="raw"),
    "annotation": lambda a, m: sk.pl.annotation(annotated(a)),
    "barcode_rank": lambda a, m: sk.pl.barcode_rank(fragments()),
    "cell_map": lambda a, m: sk.pl.cell_map(a, ["cell_type", "depth"], basis="X_umap_raw"),
    "depth_correlation": lambda a, m: sk.pl.depth_correlation(a, ["sccase", "other"], n_components=2),
    "deviation_map": lambda a, m: sk.pl.deviation_map(m, ["TF0", "TF1"]),
    "differential_volcano": lambda a, m: sk.pl.differential_volcano(sk.tl.differential_deviations(m, "cell_type"), "B"),
    "embedding_heatmap": lambda a, m: sk.pl.embedding_heatmap(a, "cell_type"),
    "estimate_k": lambda a, m: sk.pl.estimate_k(a),
    "fragment_lengths": lambda a, m: sk.pl.fragment_lengths(fragments()),
    "fragment_quality": lambda a, m: sk.pl.fragment_quality(fragments()),
    "genome_tracks": lambda a, m: sk.pl.genome_tracks(a, "chr1:900-20000", "cell_type", genes=GENES),
    "great_bar": lambda a, m: sk.pl.great_bar(great_table(), n_top=2),
    "great_distances": lambda a, m: sk.pl.great_distances(pd.DataFrame({"distance": [-600_000, -3, 0, 9_000, 80_000]})),
    "great_dot": lambda a, m: sk.pl.great_dot(great_table(), n_top=2),
    "held_out": lambda a, m: sk.pl.held_out(held_out_scores()),
    "ldsc": lambda a, m: sk.pl.ldsc(ldsc_table()),
    "motif_heatmap": lambda a, m: sk.pl.motif_heatmap(m, "cell_type"),
    "motif_logo": lambda a, m: sk.pl.motif_logo(np.array([[9, 1, 1, 5], [1, 8, 1, 5], [1, 1, 9, 0], [1, 2, 1, 0]])),
    "objective_trace": lambda a, m: sk.pl.objective_trace(a, ["sccase", "other"]),
    "peak_gene_links": lambda a, m: sk.pl.peak_gene_links(linked(), "GENE2", genes=GENES),
    "peak_heatmap": lambda a, m: sk.pl.peak_heatmap(a, list(a.var_names[::3]), "cell_type"),
    "raw_against_enhanced": lambda a, m: sk.pl.raw_against_enhanced(a, "cell_type"),
    "robustness": lambda a, m: sk.pl.robustness(experiment()),
    "score_bars": lambda a, m: sk.pl.score_bars(experiment(), ["ari", "silhouette"]),
    "similarity_heatmap": lambda a, m: sk.pl.similarity_heatmap(a, "cell_type"),
    "snpsea": lambda a, m: sk.pl.snpsea(snpsea_table()),
    "top_motifs": lambda a, m: sk.pl.top_motifs(matched(a), motif_effects(), "NK"),
    "trait_groups": lambda a, m: sk.pl.trait_groups(with_traits(a)),
    "tss_by_depth": lambda a, m: sk.pl.tss_by_depth(fragments(), min_fragments=4000, min_tss=6),
    "tss_profile": lambda a, m: sk.pl.tss_profile(fragments()),
    "variability_rank": lambda a, m: sk.pl.variability_rank(m),
}


def test_every_plot_has_a_picture():
    assert sorted(DRAW) == sorted(sk.pl.__all__)
    if not UPDATE:
        assert {p.stem for p in BASELINES.glob("*.png")} == set(DRAW)


def test_pictures_are_small():
    sizes = [p.stat().st_size for p in BASELINES.glob("*.png")]
    assert sum(sizes) < 900_000


@pytest.mark.parametrize("name", sorted(DRAW))
def test_picture(name, adata, motifs, tmp_path):
    if not UPDATE and not mpl.__version__.startswith(f"{VERSION}."):
        pytest.skip(f"the pictures were drawn by Matplotlib {VERSION}, this is {mpl.__version__}")
    with plt.style.context("default"), mpl.rc_context({"font.family": "DejaVu Sans", "svg.hashsalt": "0"}):
        DRAW[name](adata.copy(), motifs.copy())
        figure = plt.gcf()
        target = (BASELINES if UPDATE else tmp_path) / f"{name}.png"
        target.parent.mkdir(exist_ok=True)
        figure.savefig(target, dpi=60, metadata={"Software": None})
    if not UPDATE:
        message = compare_images(str(BASELINES / f"{name}.png"), str(target), tol=TOLERANCE)
        assert message is None, message

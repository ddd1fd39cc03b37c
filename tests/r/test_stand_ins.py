"""engine="r" end to end, with no skip where R is there: small R packages of our own stand in for the authors'.

They are built here by R CMD INSTALL from ``packages/``, have the names, functions and classes of the packages, and
follow the published formulas; the packages themselves are tested where they are installed (test_engines.py).
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

import sccase_kit as sk

pytestmark = pytest.mark.r("SummarizedExperiment", "TFBSTools", "BiocParallel")


@pytest.fixture(scope="module", autouse=True)
def library(stand_ins):
    """Put the stand-ins before all other R libraries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("R_LIBS", os.pathsep.join(filter(None, [str(stand_ins), os.environ.get("R_LIBS")])))
        yield stand_ins


@pytest.fixture(scope="module")
def study():
    return sk.datasets.toy_study(n_cells=60, n_peaks=300)


@pytest.fixture(scope="module")
def adata(study):
    adata = study.adata.copy()
    sk.pp.filter_peaks(adata, min_fraction=0.01)
    sk.tl.match_motifs(adata, study.motifs, sequences=study.sequences, compat=True, scores=True)
    return adata


def test_the_three_are_available():
    assert sk.r.available("chromVAR", "motifmatchr", "scABC")
    table = sk.r.status_table().set_index("component")
    assert table.version[["chromVAR", "motifmatchr", "scABC"]].tolist() == ["0.0.1"] * 3
    assert table.note[["chromVAR", "motifmatchr", "scABC"]].tolist() == [""] * 3


def test_match_motifs(adata, study):
    options = {"sequences": study.sequences, "scores": True, "copy": True}
    through_r = sk.tl.match_motifs(adata, study.motifs, engine="r", **options)
    assert adata.varm["motifs"].nnz > 20
    for key in ("motifs", "motifs_counts"):
        assert (adata.varm[key] != through_r.varm[key]).nnz == 0
    assert abs(adata.varm["motifs_scores"] - through_r.varm["motifs_scores"]).max() < 1e-12
    native, theirs = (found.uns["motifs"] for found in (adata, through_r))
    np.testing.assert_allclose(native["thresholds"], theirs["thresholds"], rtol=1e-12)
    assert set(theirs) - {"r_session"} == set(native)
    assert "motifmatchr 0.0.1" in theirs["r_session"]
    assert any(item.startswith("R ") for item in theirs["r_session"])


def test_chromvar(adata):
    native = sk.tl.chromvar(adata, r_seed=3, n_background=10, n_bootstrap=20, copy=True)
    theirs = sk.tl.chromvar(adata, r_seed=3, n_background=10, n_bootstrap=20, engine="r", copy=True)
    np.testing.assert_array_equal(native.varm["chromvar_background"], theirs.varm["chromvar_background"])
    for name in ("deviations", "z"):
        one, other = native.obsm[f"chromvar_{name}"], theirs.obsm[f"chromvar_{name}"]
        pd.testing.assert_frame_equal(one, other, atol=1e-9, rtol=1e-9)
    assert "chromVAR 0.0.1" in theirs.uns["chromvar"]["r_session"]
    one, other = (found.uns["chromvar"]["variability"] for found in (native, theirs))
    assert list(one.columns) == list(other.columns)
    exact = [name for name in one.columns if not name.startswith("bootstrap")]
    pd.testing.assert_frame_equal(one[exact], other[exact], rtol=1e-9)
    bounds = other[["bootstrap_lower_bound", "bootstrap_upper_bound"]].dropna()
    assert (bounds.iloc[:, 0] <= bounds.iloc[:, 1]).all()


def test_scabc(adata):
    part = adata[:, np.argsort(-np.asarray(adata.X.sum(axis=0)).ravel())[:40]].copy()
    native = sk.tl.scabc(part, "cell_type", compat=True, n_top=5, copy=True)
    theirs = sk.tl.scabc(part, "cell_type", engine="r", n_top=5, copy=True)
    for key in ("scabc_pvalues", "scabc_padj", "scabc_beta"):
        pd.testing.assert_frame_equal(native.varm[key], theirs.varm[key], atol=1e-9, rtol=1e-9)
    pd.testing.assert_frame_equal(native.uns["scabc"]["top"], theirs.uns["scabc"]["top"], atol=1e-9, rtol=1e-9)
    assert set(theirs.uns["scabc"]) - {"r_session"} == set(native.uns["scabc"])
    assert "scABC 0.0.1" in theirs.uns["scabc"]["r_session"]


def test_better_chromvar_has_no_draws(adata):
    theirs = sk.tl.chromvar(adata, method="analytic", engine="r", n_bootstrap=20, copy=True)
    native = sk.tl.chromvar(adata, method="analytic", n_bootstrap=20, copy=True)
    counts, sets = (part.toarray().astype(np.float64) for part in (adata.X, adata.varm["motifs"]))
    bins = sk.motifs.background_bins(counts.sum(axis=0), adata.var["gc"].to_numpy())
    chance = bins.transition.toarray() * bins.size  # every peak near counts; in chromVAR every bin does
    chance /= chance.sum(axis=1, keepdims=True)
    mean, square = ((chance @ bins.means(part.T))[bins.member].T for part in (counts, counts**2))
    excess = (counts - mean) @ sets
    expected = np.outer(counts.sum(axis=1), sets.T @ counts.sum(axis=0)) / counts.sum()
    variance = (square - mean**2) @ sets
    varies = variance > 1e-9  # elsewhere no peak that could be drawn has another count
    z = excess / np.sqrt(variance, where=varies, out=np.full(varies.shape, np.nan))
    np.testing.assert_allclose(theirs.obsm["chromvar_deviations"], excess / expected, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(theirs.obsm["chromvar_z"].to_numpy()[varies], z[varies], rtol=1e-7, atol=1e-9)
    one, other = (found.uns["chromvar"]["variability"] for found in (native, theirs))
    assert one.dtypes.equals(other.dtypes)
    np.testing.assert_allclose(one[["n_peaks", "fraction_matches"]], other[["n_peaks", "fraction_matches"]], rtol=1e-7)
    overlap = [(chance[bins.member] @ bins.means(sets))[inside, k].mean() for k, inside in enumerate(sets.T > 0)]
    np.testing.assert_allclose(other["fraction_background_overlap"], overlap, rtol=1e-7)
    whole = varies.all(axis=0)
    assert whole.sum() > 5
    np.testing.assert_allclose(other["variability"][whole], z.std(axis=0, ddof=1)[whole], rtol=1e-7)
    assert (other["bootstrap_lower_bound"] <= other["bootstrap_upper_bound"]).all()
    assert set(theirs.uns["chromvar"]) - {"r_session"} == set(native.uns["chromvar"])
    assert "betterChromVAR 0.0.1" in theirs.uns["chromvar"]["r_session"]
    assert theirs.uns["chromvar"]["params"] | {"engine": "python"} == native.uns["chromvar"]["params"]


@pytest.fixture(scope="module")
def places():
    """Genes, regions of two groups whose midpoints are apart, sets of genes, gaps at the ends of two chromosomes."""
    rng = np.random.default_rng(0)
    genes = pd.DataFrame({"chrom": rng.choice(["chr1", "chr2"], 60), "tss": rng.permutation(60) * 15_000 + 5_000})
    genes = genes.assign(strand=rng.choice(["+", "-"], 60), gene_id=[f"g{k}" for k in range(60)])
    regions = pd.DataFrame({"chrom": rng.choice(["chr1", "chr2"], 80), "start": rng.permutation(80) * 10_000 + 9_000})
    regions["end"] = regions["start"] + rng.integers(200, 900, 80)
    regions["group"] = rng.choice(["b", "a"], 80)
    sets = {f"t{k}": rng.choice(genes["gene_id"], rng.integers(2, 12), replace=False).tolist() for k in range(12)}
    gaps = pd.DataFrame({"chrom": ["chr1", "chr2"], "start": [0, 912_000], "end": [4_000, 1_000_000]})
    sizes = {"chr1": 1_000_000, "chr2": 1_000_000}
    return genes, regions, sets, {"chrom_sizes": sizes, "gaps": gaps, "extension": 30_000}


def test_rgreat(places):
    genes, regions, sets, where = places
    adata = AnnData(obs=pd.DataFrame(index=["c"]), uns={"specific_peaks": regions})
    collections = {"one": sets, "two": dict(list(sets.items())[:5])}
    native = sk.tl.great(adata, None, collections, tss=genes, **where)
    kept = adata.uns["great"]
    theirs = sk.tl.great(adata, None, collections, tss=genes, engine="r", **where)
    assert native["Binom_Observed_Region_Hits"].sum() > 100
    pd.testing.assert_frame_equal(native, theirs, rtol=1e-9)
    record = adata.uns["great"]
    assert set(record) == set(kept)
    assert record["params"] | {"engine": "python"} == kept["params"] | {"engine": "python"}
    pd.testing.assert_frame_equal(record["associations"], kept["associations"])
    assert "rGREAT 0.0.1" in record["info"]["r_session"]
    assert {name: value for name, value in record["info"].items() if name != "r_session"} == kept["info"]
    for name, value in (("background", regions), ("curated", regions.assign(gene="g1"))):
        with pytest.raises(ValueError, match=f"{name} is not for engine='r'"):
            sk.tl.great(regions, None, sets, tss=genes, engine="r", **{name: value}, **where)


def test_a_term_without_any_domain_is_hit_by_nothing(places):
    genes, regions, _, where = places
    genes = pd.concat([genes, pd.DataFrame([["chrUn", 10, "+", "far"]], columns=list(genes))], ignore_index=True)
    sets = np.zeros((61, 2))
    sets[60, 0] = sets[:20, 1] = 1
    found = sk.r.rgreat(regions, genes, sets, **where)
    assert [found[name][0, 0] for name in ("fraction", "region_hits", "region_p", "gene_hits", "gene_p")] == [
        0,
        0,
        1,
        0,
        1,
    ]
    assert found["term_genes"].tolist() == [0, 20]
    assert found["region_hits"][0, 1] > 0
    with pytest.raises(ValueError, match=r"one row per gene \(60\)"):
        sk.r.rgreat(regions, genes[:60], sets, **where)
    with pytest.raises(ValueError, match="each at least once"):
        sk.r.rgreat(regions, genes, sets, groups=np.full(80, 1), **where)


def test_errors_of_the_packages_carry_their_calls(adata):
    counts = np.asarray(adata.X[:, :30].toarray())
    counts[:, 4] = 0
    with pytest.raises(sk.r.RError, match="singular") as caught:
        sk.r.scabc(counts, np.ones(len(counts)), adata.obs["cell_type"])
    assert any("getbetaMAP" in frame for frame in caught.value.r_traceback)
    assert "scABC" in caught.value.session_info


@pytest.mark.slow
def test_the_notebook():
    nbclient = pytest.importorskip("nbclient", reason="nbclient (extra test) is not installed")
    import nbformat

    path = Path(__file__).parents[2] / "notebooks" / "07_motifs_in_r.ipynb"
    if not path.is_file():
        pytest.skip("notebooks are not part of an installed package")
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    outputs = [output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])]
    text = "".join(outputs)
    assert "hits identical: True" in text
    # the part on real data is for another setting
    assert not [line for line in text.splitlines() if line.startswith("skipped") and "SCCASE_KIT_FULL" not in line]

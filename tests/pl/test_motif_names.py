"""A name that several matrices share (CTCF: three in JASPAR 2024) stands for all of them wherever motifs are chosen."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import sccase_kit as sk
from sccase_kit._labels import named

NAMES = ["CTCF (MA1.1)", "CTCF (MA2.1)", "GATA1"]


@pytest.fixture(scope="module")
def adata():
    rng = np.random.default_rng(0)
    study = sk.datasets.toy_study(n_cells=60, n_peaks=300).adata
    counts = [rng.dirichlet(np.ones(4) * 0.3, 7).T * 20 + 0.1 for _ in NAMES]
    called = [("MA1.1", "CTCF"), ("MA2.1", "CTCF"), ("MA3.1", "GATA1")]
    motifs = [sk.motifs.Motif(*names, matrix) for names, matrix in zip(called, counts, strict=True)]
    dna = ["".join(rng.choice(list("ACGT"), 300)) for _ in range(study.n_vars)]
    sk.tl.match_motifs(study, motifs, sequences=dna, p_cutoff=1e-3)
    sk.tl.chromvar(study, "motifs")
    study.obsm["X_umap"] = rng.normal(size=(study.n_obs, 2))
    study.obs["group"] = np.where(np.arange(study.n_obs) % 2, "a", "b")
    return study


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("CTCF", NAMES[:2]),
        ("CTCF (MA2.1)", NAMES[1:2]),
        ("MA2.1", NAMES[1:2]),
        ("GATA1", NAMES[2:]),
        ("GATA", []),
        ("CTC", []),
    ],
)
def test_what_a_name_stands_for(asked, found):
    assert named(asked, NAMES) == found


def test_logos_of_all_matrices(adata):
    panels = sk.pl.motif_logo("CTCF", adata)
    assert [panel.get_title() for panel in panels] == ["CTCF  MA1.1", "CTCF  MA2.1"]
    assert sk.pl.motif_logo("MA2.1", adata).get_title() == "CTCF  MA2.1"
    assert sk.pl.motif_logo("GATA1", adata, reverse_complement=True).get_title().startswith("GATA1  MA3.1")
    _, axes = plt.subplots(1, 2)
    assert list(sk.pl.motif_logo("CTCF", adata, ax=axes)) == list(axes)
    with pytest.raises(ValueError, match="ax must hold 2 Axes, got 1"):
        sk.pl.motif_logo("CTCF", adata, ax=plt.subplots()[1])


def test_plots_take_all_matrices(adata):
    assert len(sk.pl.deviation_map(adata, "CTCF")) == 2
    heat = sk.pl.motif_heatmap(adata, "group", sets=["CTCF", "CTCF (MA1.1)"])
    assert sorted(label.get_text() for label in heat.get_yticklabels()) == NAMES[:2]
    rank = sk.pl.variability_rank(adata, labels=["CTCF"])
    texts = {text.get_text() for text in rank.texts}
    assert set(NAMES[:2]) <= texts
    with pytest.raises(KeyError, match="CTCX"):
        sk.pl.deviation_map(adata, ["CTCX"])


def test_pairs_take_all_matrices(adata):
    table = sk.tl.motif_correlation(adata, ["CTCF", "GATA1"])
    assert {frozenset(pair) for pair in table[["set_1", "set_2"]].to_numpy().tolist()} == {
        frozenset({a, b}) for a in NAMES for b in NAMES if a < b
    }
    with pytest.raises(KeyError, match=r"\['NFKB'\] are not among the sets"):
        sk.tl.motif_synergy(adata, ["CTCF", "NFKB"])


def test_the_snippet_of_the_page_with_jaspar(adata):
    pytest.importorskip("pyjaspar", reason="pyjaspar (extra genomics) is not installed")
    motifs = [m for m in sk.motifs.jaspar_motifs(release="JASPAR2024") if m.name in ("CTCF", "GATA1")]
    dna = ["".join(np.random.default_rng(k).choice(list("ACGT"), 200)) for k in range(adata.n_vars)]
    study = sk.tl.match_motifs(adata, motifs, sequences=dna, key_added="jaspar", copy=True)
    panels = sk.pl.motif_logo("CTCF", study, key="jaspar")
    assert len(panels) == sum(m.name == "CTCF" for m in motifs) == 3

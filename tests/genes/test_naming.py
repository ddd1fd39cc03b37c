"""Scores of genes, of sets and of references, against literal computations and on planted truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from sccase_kit.genes import gene_scores, panel, reference_scores, set_pvalues, set_scores
from sccase_kit.genes.panels import PANELS, SPECIES
from sccase_kit.intervals.genomes import tss_table
from sccase_kit.peaks import level_profiles


@pytest.fixture
def planted():
    rng = np.random.default_rng(0)
    rate = rng.gamma(2, 4, size=(3, 200))
    for g in range(3):
        rate[g, 20 * g : 20 * g + 20] *= 8
    weights = np.eye(200, 100) + np.eye(200, 100, -100)
    weights[199] = 0
    return rng.poisson(rate), sparse.csr_matrix(weights)


def test_gene_scores_equal_a_loop(planted):
    opens, weights = planted
    dense = weights.toarray()
    dense[:, 3] = 0
    found = gene_scores(opens, sparse.csr_matrix(dense))
    share, total = opens.sum(axis=1) / opens.sum(), opens.sum(axis=0)
    for g in range(3):
        z = np.full(100, np.nan)
        for j in range(100):
            w = dense[:, j]
            if w.any():
                variance = share[g] * (1 - share[g]) * np.sum(w**2 * total)
                z[j] = (np.sum(w * opens[g]) - share[g] * np.sum(w * total)) / np.sqrt(variance)
        expected = (z - np.nanmean(z)) / np.nanstd(z)
        np.testing.assert_allclose(found[g], expected, atol=1e-10)
    assert np.isnan(found[:, 3]).all()


def test_planted_sets_are_found(planted):
    opens, weights = planted
    level = level_profiles(opens / opens.sum(axis=1, keepdims=True))
    sets = {f"type {g}": np.arange(20 * g, 20 * g + 12) for g in range(3)} | {"none": np.zeros(0, dtype=int)}
    for genes in (gene_scores(opens, weights), gene_scores(opens, weights, level)):
        np.testing.assert_allclose(np.nanstd(genes, axis=1), 1)
        result = set_scores(genes, sets, rng=np.random.default_rng(0))
        assert result.scores[:, :3].argmax(axis=1).tolist() == [0, 1, 2]
        assert (np.diag(result.pvalues) < 0.01).all()
        assert np.isneginf(result.scores[:, 3]).all()
        assert (result.pvalues[:, 3] == 1).all()


def test_set_scores_equal_a_loop():
    rng = np.random.default_rng(1)
    genes = rng.normal(size=(2, 50)) * 3
    genes[:, 5] = np.nan
    result = set_scores(genes, {"a": np.array([1, 5, 7])}, n_random=500, rng=np.random.default_rng(2))
    for g in range(2):
        assert result.scores[g, 0] == pytest.approx(np.clip(genes[g, [1, 7]], -2, 4).sum() / np.sqrt(2))
    assert ((result.pvalues > 0) & (result.pvalues <= 1)).all()


def test_p_values_of_random_sets_are_uniform():
    rng = np.random.default_rng(3)
    genes = rng.standard_t(4, size=(1, 2000))
    sets = {str(i): rng.choice(2000, 6, replace=False) for i in range(300)}
    pvalues = set_scores(genes, sets, n_random=1000, rng=rng).pvalues[0]
    assert 0.02 < np.mean(pvalues < 0.05) < 0.09
    assert 0.4 < pvalues.mean() < 0.6


def test_p_values_of_counts_are_those_of_chance_in_groups_that_are_none():
    rng = np.random.default_rng(5)
    opens = rng.poisson(rng.gamma(1, 3, size=400), size=(4, 400)) * np.array([[1], [1], [1], [1]])
    weights = sparse.csr_matrix(rng.random((400, 200)) * (rng.random((400, 200)) < 0.03))
    sets = {str(i): rng.choice(200, 8, replace=False) for i in range(100)} | {"none": np.zeros(0, dtype=int)}
    pvalues = set_pvalues(opens, weights, sets)
    assert (pvalues[:, -1] == 1).all()
    assert 0.01 < np.mean(pvalues[:, :-1] < 0.05) < 0.12
    opens[0, np.asarray(weights[:, sets["0"]].sum(axis=1)).ravel() > 0] *= 3
    assert set_pvalues(opens, weights, sets)[0, 0] < 1e-6


def test_groups_without_reads_score_nothing(planted):
    opens, weights = planted
    opens[1] = 0
    genes = gene_scores(opens, weights, level_profiles(opens.astype(float)))
    assert np.isfinite(genes[:, :99]).all()
    assert (genes[1, :99] == 0).all()


def test_reference_correlations_equal_numpy_and_survive_resampling():
    rng = np.random.default_rng(4)
    base = rng.gamma(1, 1, size=(3, 400))
    level, reference = level_profiles(base), rng.poisson(50 * base[[2, 0, 1]] * np.array([[1], [3], [0.5]]))
    scores, support = reference_scores(level, reference, rng=rng)
    assert scores.argmax(axis=1).tolist() == [1, 2, 0]
    assert (support > 0.95).all()
    scaled = reference * (np.median(reference.sum(axis=1)) / reference.sum(axis=1, keepdims=True))
    left, right = np.log2(level + 1), np.log2(scaled + 1)
    left, right = left - left.mean(axis=0), right - right.mean(axis=0)
    np.testing.assert_allclose(scores, np.corrcoef(left, right)[:3, 3:])


@pytest.mark.parametrize("name", PANELS)
def test_panels_are_of_their_species(name):
    sets = panel(name)
    assert len(sets) >= 8
    assert all(len(genes) == len(set(genes)) >= 6 for genes in sets.values())
    species = name.split(":")[0]
    genomes = {"human": ("hg19", "hg38"), "mouse": ("mm9", "mm10")}[species]
    for genome in genomes:  # every gene is in every shipped annotation of the species
        known = set(tss_table(genome)["symbol"])
        assert [gene for genes in sets.values() for gene in genes if gene not in known] == []
    assert panel(name.split(":")[1], species=species) == sets
    assert species in SPECIES


def test_every_marker_gene_names_its_sources():
    from sccase_kit.genes.panels import _shipped

    table = _shipped("markers")
    parts = table["source"].str.split("; ").explode()
    lists = parts.str.fullmatch(r"(PanglaoDB|CellMarker|ScType): .+")
    papers = parts.str.fullmatch(r"needed for the lineage: \w+ \d{4} .+ \d+:\d+")
    assert (lists | papers).all()
    assert papers.sum() < 10
    assert not table.duplicated(["species", "tissue", "cell_type", "gene"]).any()


def test_unknown_panels_are_refused():
    with pytest.raises(ValueError, match="available"):
        panel("human:kidney")
    with pytest.raises(ValueError, match="species is not known"):
        panel("blood")

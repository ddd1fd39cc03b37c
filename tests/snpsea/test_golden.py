"""The native engine against SNPsea 1.0.3 (C++) on five runs."""

import numpy as np
import pandas as pd
import pytest

from sccase_kit.regions import snpsea

RUNS = {
    "single": ("expr.gct.gz", {}),
    "total": ("expr.gct.gz", {"score": "total"}),
    "binary_single": ("binary.gct.gz", {}),
    "binary_total": ("binary.gct.gz", {"score": "total"}),
    "condition": ("expr.gct.gz", {"condition": ["BM-CD14+Mono"]}),
}


@pytest.fixture(scope="module", params=list(RUNS))
def run(request, golden):
    folder = golden / "snpsea"
    matrix, options = RUNS[request.param]
    result = snpsea(
        folder / "user.gwas",
        folder / matrix,
        folder / "genes.bed.gz",
        snp_intervals=folder / "snp_intervals.bed.gz",
        null_snps=folder / "null.txt.gz",
        min_observations=2000,
        max_iterations=200_000,
        rng=1,
        **options,
    )
    return request.param, result, folder / f"out_{request.param}"


def test_gene_sets_are_identical(run):
    _, result, out = run
    expected = pd.read_csv(out / "snp_genes.txt", sep="\t", dtype=str, na_filter=False)
    found = result.loci.astype(object).where(result.loci.notna(), "NA").astype(str)
    assert found.drop(columns="genes").equals(expected.drop(columns="genes"))
    assert [sorted(g.split(",")) for g in found["genes"]] == [sorted(g.split(",")) for g in expected["genes"]]


def test_locus_scores(run):
    _, result, out = run
    expected = pd.read_csv(out / "snp_condition_scores.txt.gz", sep="\t", dtype={"gene": str}, na_filter=False)
    both = expected.merge(result.locus_scores, on=["snp", "condition"], suffixes=("_ref", ""))
    assert len(both) == len(expected) == len(result.locus_scores)
    assert (both["gene"] == both["gene_ref"]).all()
    np.testing.assert_allclose(both["score"], both["score_ref"].astype(float), rtol=5e-6, atol=5e-7)


def test_pvalues_within_monte_carlo_error(run):
    _, result, out = run
    expected = pd.read_csv(out / "condition_pvalues.txt", sep="\t")
    assert list(result.table["condition"]) == list(expected["condition"])
    p, p_ref = result.table["pvalue"].to_numpy(), expected["pvalue"].to_numpy()
    b, b_ref = result.table["nulls_observed"].to_numpy(), expected["nulls_observed"].to_numpy()
    zero = b_ref == 0
    assert (p[zero & (p_ref == 1)] == 1).all()
    seen = (b > 0) & (b_ref > 0)
    miss = 1 - np.minimum(p, p_ref)[seen]  # of p alone the error would be 0 where every null set reached the score
    error = 4 * np.sqrt(miss / b_ref[seen] + miss / b[seen])
    assert (np.abs(np.log(p[seen] / p_ref[seen])) <= error).all()
    rare = ~seen & (p_ref < 1)
    assert (p[rare] < 1e-4).all()
    assert (p_ref[rare] < 1e-4).all()


def test_planted_tissue_comes_first(run):
    name, result, _ = run
    best = result.table.sort_values("pvalue", kind="stable")["condition"].iloc[0]
    if name != "condition":
        assert best == "BM-CD14+Mono"
    else:
        assert "BM-CD14+Mono" not in set(result.table["condition"])

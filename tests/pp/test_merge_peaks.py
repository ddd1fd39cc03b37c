"""`sk.pp.merge_peaks` and `sk.pp.remap_counts`."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

import sccase_kit as sk


@pytest.fixture
def two():
    a = pd.DataFrame(
        {"chrom": "chr1", "start": [1000, 3000, 9000], "end": [1400, 3300, 9100], "score": [5.0, 9.0, 1.0]}
    )
    b = pd.DataFrame({"chrom": "chr1", "start": [1300, 3050], "end": [1700, 3350], "score": [90.0, 10.0]})
    return {"a": a, "b": b}


def test_iterative_keeps_the_best_by_quantile(two):
    found = sk.pp.merge_peaks(two, width=101)
    # a's 9000 and b's 1500 are centres of peaks that overlap nothing once 101 bases wide
    assert found.index.tolist() == [f"chr1:{s}-{s + 101}" for s in (1150, 1450, 3100, 9000)]
    assert found["sample"].tolist() == ["a", "b", "a", "a"]
    assert found["n_samples"].tolist() == [1, 1, 2, 1]
    assert found.loc["chr1:3100-3201", "score"] == 1.0
    assert ((found["end"] - found["start"]) == 101).all()


def test_widths_may_stay(two):
    found = sk.pp.merge_peaks(two, width=None)
    assert found.index.tolist() == ["chr1:1300-1700", "chr1:3000-3300", "chr1:9000-9100"]


def test_union(two):
    found = sk.pp.merge_peaks(list(two.values()), method="union")
    assert found.index.tolist() == ["chr1:1000-1700", "chr1:3000-3350", "chr1:9000-9100"]
    assert sk.pp.merge_peaks(two, method="union", min_samples=2)["n_samples"].tolist() == [2, 2]


def test_narrow_peaks_give_summit_and_q_value(tmp_path):
    path = tmp_path / "a.narrowPeak"
    rows = ["chr1\t100\t900\tp1\t50\t.\t3.2\t8\t5.5\t700", "chr1\t2000\t2400\tp2\t900\t.\t3.2\t8\t1.5\t-1"]
    path.write_text("\n".join(rows) + "\n")
    found = sk.pp.merge_peaks([path], width=201)
    assert found["start"].tolist() == [700, 2100]
    assert found["score"].tolist() == [1.0, 0.5]
    bed = tmp_path / "a.bed"
    bed.write_text("chr1\t100\t900\nchr1\t2000\t2400\n")
    assert sk.pp.merge_peaks([bed], width=201)["start"].tolist() == [400, 2100]


def test_ends_of_chromosomes(two):
    with pytest.warns(UserWarning, match="not among"):
        found = sk.pp.merge_peaks(
            {"a": pd.concat([two["a"], two["a"].iloc[:1].assign(chrom="chrUn")])}, width=501, genome={"chr1": 9200}
        )
    assert found["end"].max() <= 9200
    assert (found["start"] >= 0).all()
    assert len(found) == 2


def test_data_are_scored_by_their_counts():
    counts = AnnData(sparse.csr_matrix([[1, 5], [0, 5]]), var=pd.DataFrame(index=["chr1:0-100", "chr1:50-150"]))
    assert sk.pp.merge_peaks([counts], width=None).index.tolist() == ["chr1:50-150"]


@pytest.mark.parametrize(
    ("peaks", "options", "error", "message"),
    [
        ({}, {}, ValueError, "peaks is empty"),
        ("peaks.bed", {}, TypeError, "dict sample"),
        (None, {"min_samples": 3}, ValueError, "min_samples"),
        (None, {"method": "best"}, ValueError, "method must be one of"),
        (None, {"score": "q"}, KeyError, r"peaks\['a'\] has no column 'q'"),
        (None, {"width": 0}, ValueError, "width"),
    ],
)
def test_arguments(two, peaks, options, error, message):
    with pytest.raises(error, match=message):
        sk.pp.merge_peaks(two if peaks is None else peaks, **options)


def test_styles_of_chromosomes_need_not_agree(two):
    bare = two["b"].assign(chrom=two["b"]["chrom"].str[3:])
    pd.testing.assert_frame_equal(sk.pp.merge_peaks({"a": two["a"], "b": bare}), sk.pp.merge_peaks(two))


def test_scores_must_be_numbers(two):
    with pytest.raises(ValueError, match="must hold numbers; 1 of 3"):
        sk.pp.merge_peaks([two["a"].assign(score=["x", 1, 2])])


def test_remapped_counts_are_sums_over_sources():
    rng = np.random.default_rng(0)
    names = ["chr1:0-100", "chr1:150-250", "chr1:240-300", "chr2:0-50"]
    counts = sparse.csr_matrix(rng.integers(0, 3, (6, 4)))
    adata = AnnData(
        counts, obs=pd.DataFrame({"donor": list("aabbcc")}, index=list("uvwxyz")), var=pd.DataFrame(index=names)
    )
    new = ["chr1:0-120", "chr1:200-320", "chr3:0-10"]
    with pytest.warns(UserWarning, match=r"1 of 4 peaks.*1 of 3 new peaks"):
        found = sk.pp.remap_counts(adata, new)
    dense = counts.toarray()
    assert np.array_equal(found.X.toarray(), np.c_[dense[:, 0], dense[:, 1] + dense[:, 2], np.zeros(6)])
    assert found.var["n_sources"].tolist() == [1, 2, 0]
    assert found.obs.equals(adata.obs)
    assert found.X.dtype == counts.dtype


def test_remapping_to_nothing_is_refused():
    adata = sk.datasets.toy_study(n_cells=40, n_peaks=200).adata
    with pytest.raises(ValueError, match="another assembly"):
        sk.pp.remap_counts(adata, ["chrY:1-2"])

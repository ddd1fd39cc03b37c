"""References for scCASER: sums, scalings and overlaps against plain loops."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import sccase_kit as sk

# --- bulk -------------------------------------------------------------------------------------------------------------


def bulk_table():
    values = np.random.default_rng(0).poisson(20, (6, 3)) + 1
    names = [f"chr1:{i * 100}-{i * 100 + 50}" for i in range(6)]
    return pd.DataFrame(values, index=names, columns=["B", "T", "Mono"])


def test_bulk_is_scaled_to_the_median_of_the_mapped_reads():
    table = bulk_table()
    before = table.copy()
    reads = {"Mono": 4e6, "B": 1e6, "T": 2e6}
    result = sk.pp.bulk_reference(table, mapped_reads=reads)
    expected = np.array([table[c].to_numpy() * 2e6 / reads[c] for c in table])
    np.testing.assert_allclose(result.X, expected, rtol=1e-6)
    assert result.X.dtype == np.float32
    assert list(result.obs_names) == ["B", "T", "Mono"]
    assert list(result.var_names) == list(table.index)
    assert result.obs["mapped_reads"].tolist() == [1e6, 2e6, 4e6]
    pd.testing.assert_frame_equal(table, before)


def test_bulk_totals_are_the_default():
    table = bulk_table()
    result = sk.pp.bulk_reference(table)
    np.testing.assert_allclose(result.X.sum(axis=1), np.full(3, np.median(table.sum())), rtol=1e-6)


@pytest.mark.parametrize("kind", ["array", "series", "adata", "sparse adata"])
def test_bulk_inputs_agree(kind):
    table = bulk_table()
    reads = pd.Series({"T": 2e6, "Mono": 4e6, "B": 1e6})
    expected = sk.pp.bulk_reference(table, mapped_reads=reads)
    if kind == "array":
        result = sk.pp.bulk_reference(table, mapped_reads=[1e6, 2e6, 4e6])
    elif kind == "series":
        result = sk.pp.bulk_reference(table.astype(float), mapped_reads=reads.iloc[::-1])
    else:
        x = table.to_numpy().T
        bulk = ad.AnnData(
            sparse.csr_matrix(x) if "sparse" in kind else x.astype(float),
            obs=pd.DataFrame(index=list(table.columns)),
            var=pd.DataFrame(index=list(table.index)),
        )
        result = sk.pp.bulk_reference(bulk, mapped_reads=reads)
    np.testing.assert_array_equal(result.X, expected.X)


def test_bulk_coordinates_become_var():
    table = bulk_table()
    place = table.assign(chrom="chr9", start=range(0, 60, 10), end=range(5, 65, 10))
    named = sk.pp.bulk_reference(place)
    assert list(named.var_names) == list(table.index)
    assert named.var["chrom"].tolist() == ["chr9"] * 6
    numbered = sk.pp.bulk_reference(place.reset_index(drop=True))
    assert numbered.var_names[1] == "chr9:10-15"
    assert numbered.var["start"].dtype == np.int64


BAD_BULK = [
    (lambda t: t.to_numpy(), None, TypeError, "counts must be an AnnData .* got ndarray"),
    (lambda t: t.assign(strand="+"), None, TypeError, r"not numeric: \['strand'\]"),
    (lambda t: t * -1, None, ValueError, "negative"),
    (lambda t: t.astype(float).mask(t == t.iloc[0, 0]), None, ValueError, "NaN or infinite"),
    (lambda t: t.assign(T=0), None, ValueError, r"hold no read for 1 of 3 samples, e.g. \['T'\]"),
    (lambda t: t.iloc[:, :0], None, ValueError, "no sample"),
    (lambda t: t, [1, 2], ValueError, r"one value per sample \(3\), got shape \(2,\)"),
    (lambda t: t, [1, 2, 0], ValueError, r"must be positive; they are not for 1 of 3 samples, e.g. \['Mono'\]"),
    (lambda t: t, {"B": 1e6, "T": 1e6}, ValueError, r"are not for 1 of 3 samples, e.g. \['Mono'\]"),
]


@pytest.mark.parametrize(("make", "reads", "error", "message"), BAD_BULK)
def test_bad_bulk_is_named(make, reads, error, message):
    with pytest.raises(error, match=message):
        sk.pp.bulk_reference(make(bulk_table()), mapped_reads=reads)


def test_the_papers_bulk_reference(shared_data):
    table = pd.read_csv(shared_data / "bm0828_bulk_reference.tsv.gz", sep="\t", index_col=0)
    result = sk.pp.bulk_reference(table)
    adata = sk.read(shared_data / "bm0828.h5ad")
    aligned = sk.pp.align_reference(result, adata)
    assert aligned.shape == (table.shape[1] - 3 * ("chrom" in table), adata.n_vars)
    assert aligned.uns["alignment"]["share"] > 0.9


# --- pseudo-bulk ------------------------------------------------------------------------------------------------------


def test_pseudobulk_sums_each_group_in_every_storage(adata, stored):
    result = sk.pp.pseudobulk(stored, "type")
    dense, labels = adata.X.toarray(), adata.obs["type"].to_numpy()
    np.testing.assert_array_equal(result.X, [dense[labels == g].sum(axis=0) for g in "abc"])
    assert list(result.obs_names) == ["a", "b", "c"]
    assert result.obs["n_cells"].tolist() == [5, 10, 15]
    assert result.X.dtype == np.float32
    assert list(result.var_names) == list(adata.var_names)


def test_pseudobulk_of_a_layer_and_of_numbers(adata, unchanged):
    check = unchanged(adata)
    doubled = sk.pp.pseudobulk(adata, "type", layer="double")
    check()
    np.testing.assert_array_equal(doubled.X, 2 * sk.pp.pseudobulk(adata, "type").X)
    adata.obs["k"] = [2, 10, 2] * 10
    assert list(sk.pp.pseudobulk(adata, "k").obs_names) == ["2", "10"]


def test_pseudobulk_drops_unused_groups_and_blocks_do_not_matter(adata):
    part = adata[adata.obs["type"] != "b"]
    assert list(sk.pp.pseudobulk(part, "type").obs_names) == ["a", "c"]
    whole = sk.pp.pseudobulk(adata, "type").X
    with sk.settings.override(block_bytes=64):
        np.testing.assert_array_equal(sk.pp.pseudobulk(adata, "type").X, whole)


def test_bad_groups_are_named(adata):
    with pytest.raises(KeyError, match=r"groupby='cell_type' is not in adata.obs; available: \['type', 'n'\]"):
        sk.pp.pseudobulk(adata, "cell_type")
    adata.obs["mixed"] = pd.Series([1, "1"] * 15, index=adata.obs_names, dtype=object)
    with pytest.raises(ValueError, match=r"groups \['1'\] are not distinct as text"):
        sk.pp.pseudobulk(adata, "mixed")
    adata.obs["gap"] = [None, *["x"] * 29]
    with pytest.raises(ValueError, match="no label for 1 of 30 cells"):
        sk.pp.pseudobulk(adata, "gap")
    adata.X = adata.X.astype(float)
    adata.X.data[3] = np.nan
    with pytest.raises(ValueError, match="NaN or infinite"):
        sk.pp.pseudobulk(adata, "type")


# --- the target's own clusters ----------------------------------------------------------------------------------------


def test_self_reference_finds_planted_types():
    rng = np.random.default_rng(0)
    kind = np.repeat([0, 1, 2], [60, 40, 30])
    owner = np.repeat([0, 1, 2], 30)
    counts = rng.poisson(np.where(kind[:, None] == owner, 1.0, 0.0))
    adata = ad.AnnData(sparse.csr_matrix(counts[rng.permutation(130)]))
    reference = sk.pp.self_reference(adata, n_components=5, resolution=0.3)
    assert reference.obs["n_cells"].sum() == 130
    np.testing.assert_array_equal(reference.X.sum(axis=0), counts.sum(axis=0))
    by_owner = np.array([reference.X[:, owner == k].sum(axis=1) for k in range(3)])
    assert ((by_owner > 0).sum(axis=0) == 1).all()  # no cluster mixes types
    assert list(reference.obs_names) == [f"cluster_{i}" for i in range(reference.n_obs)]
    np.testing.assert_array_equal(reference.X, sk.pp.self_reference(adata, n_components=5, resolution=0.3).X)


def test_self_reference_takes_a_generator():
    counts = sparse.csr_matrix(np.random.default_rng(1).poisson(0.5, (60, 40)))
    options = {"n_components": 5, "n_neighbors": 6}
    with_seed = sk.pp.self_reference(ad.AnnData(counts), rng=7, **options)
    generator = np.random.default_rng(7)
    same = sk.pp.self_reference(ad.AnnData(counts), rng=generator, **options)
    np.testing.assert_array_equal(with_seed.X, same.X)
    assert generator.bit_generator.state != np.random.default_rng(7).bit_generator.state
    assert sk.pp.self_reference(ad.AnnData(counts), rng=None, **options).n_vars == 40


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"resolution": 0}, ValueError, "resolution must be greater than 0"),
        ({"n_components": 1}, ValueError, "n_components must be at least 2"),
        ({"n_neighbors": 1.5}, TypeError, "n_neighbors must be an integer"),
        ({"layer": "none"}, KeyError, "layer='none'"),
    ],
)
def test_bad_self_reference_arguments(adata, arguments, error, message):
    with pytest.raises(error, match=message):
        sk.pp.self_reference(adata, **arguments)


# --- alignment --------------------------------------------------------------------------------------------------------


def with_peaks(names, values=None):
    values = np.ones((2, len(names))) if values is None else np.asarray(values, dtype=float)
    return ad.AnnData(values, var=pd.DataFrame(index=list(names)))


def brute_force(reference, target):
    """Mean over the overlapping reference peaks, pair by pair."""
    left, right = (sk.pp.parse_peak_names(a.var_names) for a in (target, reference))
    out, hits = np.zeros((reference.n_obs, target.n_vars)), 0
    for i, t in enumerate(left.itertuples()):
        cols = [
            j
            for j, r in enumerate(right.itertuples())
            if t.chrom and t.chrom == r.chrom and r.start < t.end and r.end > t.start
        ]
        if cols:
            out[:, i] = np.asarray(reference.X)[:, cols].mean(axis=1)
            hits += 1
    return out, hits


regions = st.lists(
    st.tuples(st.sampled_from(["chr1", "chr2"]), st.integers(0, 60), st.integers(1, 30)), min_size=1, max_size=15
)


@given(left=regions, right=regions, seed=st.integers(0, 100))
@settings(max_examples=200, deadline=None)
def test_overlap_equals_the_pairwise_loop(left, right, seed):
    target = with_peaks(dict.fromkeys(f"{c}:{s}-{s + w}" for c, s, w in left))
    names = [*dict.fromkeys(f"{c}_{s}_{s + w}" for c, s, w in right), "no coordinates"]
    reference = with_peaks(names, np.random.default_rng(seed).random((3, len(names))))
    expected, hits = brute_force(reference, target)
    if hits * 2 < target.n_vars:
        with pytest.warns(UserWarning, match=f"reference matched {hits} of {target.n_vars} peaks"):
            result = sk.pp.align_reference(reference, target, min_matched=0)
    else:
        result = sk.pp.align_reference(reference, target, min_matched=0)
    np.testing.assert_allclose(result.X, expected, rtol=1e-6)
    share = hits / target.n_vars
    assert result.uns["alignment"] == {
        "method": "overlap",
        "matched": hits,
        "n_peaks": target.n_vars,
        "share": pytest.approx(share),
    }


def test_the_same_names_are_matched_by_name_even_without_coordinates():
    reference = with_peaks(["x", "y", "z"], [[1, 2, 3], [4, 5, 6]])
    result = sk.pp.align_reference(reference, with_peaks(["z", "x"]))
    np.testing.assert_array_equal(result.X, [[3, 1], [6, 4]])
    assert result.uns["alignment"] == {"method": "name", "matched": 2, "n_peaks": 2, "share": 1.0}


def test_coordinates_of_var_win_over_names():
    reference = with_peaks(["r1", "r2"], [[1, 3]])
    reference.var["chrom"], reference.var["start"], reference.var["end"] = "chr1", [0, 4], [5, 9]
    target = with_peaks(["t1"])
    target.var["chrom"], target.var["start"], target.var["end"] = pd.Categorical(["chr1"]), [3], [6]
    np.testing.assert_array_equal(sk.pp.align_reference(reference, target).X, [[2.0]])


def test_peaks_without_a_chromosome_never_match():
    reference, target = with_peaks(["r"]), with_peaks(["t"])
    for a in (reference, target):
        a.var["chrom"], a.var["start"], a.var["end"] = [None], [0], [10]
    with pytest.raises(ValueError, match="reference matched 0 of 1 peaks"):
        sk.pp.align_reference(reference, target)


def test_alignment_leaves_its_inputs_alone(adata, unchanged):
    reference = sk.pp.pseudobulk(adata, "type")
    checks = unchanged(adata), unchanged(reference)
    result = sk.pp.align_reference(reference, adata)
    for check in checks:
        check()
    np.testing.assert_array_equal(result.X, reference.X)
    assert result.obs["n_cells"].tolist() == [5, 10, 15]


def test_bad_references_are_named(adata):
    reference = sk.pp.pseudobulk(adata, "type")
    with pytest.raises(TypeError, match=r"reference must be an AnnData .*sccase_kit\.read"):
        sk.pp.align_reference("reference.h5ad", adata)
    with pytest.raises(ValueError, match="min_matched must be at most 1"):
        sk.pp.align_reference(reference, adata, min_matched=2)
    with pytest.raises(ValueError, match="no group"):
        sk.pp.align_reference(reference[:0], adata)
    reference.X[0, 0] = -1
    with pytest.raises(ValueError, match="reference has 1 negative value"):
        sk.pp.align_reference(reference, adata)
    reference.X[0, 0] = np.inf
    with pytest.raises(ValueError, match="reference has 1 NaN or infinite value"):
        sk.pp.align_reference(reference, adata)
    other = with_peaks([f"1:{i}-{i + 5}" for i in range(10)])
    with pytest.raises(ValueError, match=r"matched 0 of 12 peaks \(0\.0%\) by overlap; at least 10% are"):
        sk.pp.align_reference(other, adata)

"""chromVAR on AnnData: keys, planted motifs, a slow reference, annotations of all kinds, the R engine, errors."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

import sccase_kit as sk


@pytest.fixture(scope="module")
def study():
    return sk.datasets.toy_study(rng=0)


@pytest.fixture(scope="module")
def done(study):
    adata = study.adata.copy()
    sk.tl.match_motifs(adata, study.motifs, sequences=study.sequences)
    sk.tl.enhance(adata, 8)
    sk.tl.chromvar(adata)
    sk.tl.chromvar(adata, source="enhanced", key_added="smooth")
    return adata


@pytest.fixture
def small(done):
    part = done[:60, :300]
    part = part[np.asarray(part.X.sum(axis=1)).ravel() > 0]
    return part[:, np.asarray(part.X.sum(axis=0)).ravel() > 0].copy()


def reference(counts, member, background):
    """Deviations cell by cell and set by set, from the formulas of the paper, on dense arrays."""
    counts, member = np.asarray(counts, dtype=float), np.asarray(member, dtype=float)
    share = counts.sum(axis=0) / counts.sum()
    dev, z = np.empty((2, len(counts), member.shape[1]))
    for k, peaks in enumerate(member.T):
        expected = counts.sum(axis=1) * (peaks @ share)
        own = (counts @ peaks - expected) / expected
        back = []
        for drawn in background.T:
            expected_b = counts.sum(axis=1) * (peaks @ share[drawn])
            back.append((counts[:, drawn] @ peaks - expected_b) / expected_b)
        back = np.array(back)
        dev[:, k] = own - back.mean(axis=0)
        z[:, k] = dev[:, k] / back.std(axis=0, ddof=1)
        dev[expected < 1, k] = z[expected < 1, k] = np.nan
    return dev, z


def test_against_reference(done):
    counts, member = done.X.toarray(), done.varm["motifs"].toarray()
    dev, z = reference(counts, member, done.varm["chromvar_background"])
    np.testing.assert_allclose(done.obsm["chromvar_deviations"], dev, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(done.obsm["chromvar_z"], z, rtol=1e-9, atol=1e-11)
    table = done.uns["chromvar"]["variability"]
    np.testing.assert_allclose(table["variability"], np.nanstd(z, axis=0, ddof=1))
    np.testing.assert_array_equal(table["n_peaks"], member.sum(axis=0))
    assert (table["bootstrap_lower_bound"] < table["variability"]).all()
    assert (table["bootstrap_upper_bound"] > table["variability"]).all()


def test_writes_what_it_says(study, done, tmp_path):
    for name in ("deviations", "z"):
        assert list(done.obsm[f"chromvar_{name}"].columns) == list(study.motifs)
        assert done.obsm[f"chromvar_{name}"].index.equals(done.obs_names)
    assert done.varm["chromvar_background"].shape == (done.n_vars, 50)
    assert "chromvar_sets" not in done.varm
    done.write_h5ad(tmp_path / "a.h5ad")
    again = ad.read_h5ad(tmp_path / "a.h5ad")
    pd.testing.assert_frame_equal(again.obsm["chromvar_z"], done.obsm["chromvar_z"])
    stored, own = again.uns["chromvar"], done.uns["chromvar"]
    pd.testing.assert_frame_equal(stored["variability"], own["variability"], check_index_type=False)
    assert stored["params"] == own["params"]
    pd.testing.assert_frame_equal(
        sk.tl.differential_deviations(again, "cell_type"), sk.tl.differential_deviations(done, "cell_type")
    )


def test_planted_motifs_are_the_most_variable(study, done):
    planted = {truth["motif"] for truth in study.planted.values()}
    for key in ("chromvar", "smooth"):
        assert set(sk.get.variability(done, key).index[: len(planted)]) == planted
    table = sk.get.variability(done)
    assert (table.loc[list(planted), "p_value_adj"] < 1e-4).all()
    assert (table.drop(list(planted))["p_value_adj"] > 0.05).all()


def largest(table):
    """Return group → the set whose mean exceeds that of the other cells most."""
    best = table.loc[table.groupby("group")["difference"].idxmax()]
    return dict(zip(best["group"], best["set"], strict=True))


@pytest.mark.parametrize("parametric", [True, False])
def test_planted_motif_of_each_type_is_the_first_difference(study, done, parametric):
    table = sk.tl.differential_deviations(done, "cell_type", parametric=parametric)
    first = table.groupby("group", sort=False).head(1).set_index("group")
    planted = {name: truth["motif"] for name, truth in study.planted.items()}
    assert first["set"].to_dict() == planted == largest(table)
    assert (first["difference"] > 0).all()
    assert (first["p_value_adj"] < 1e-15).all()


def test_planted_motif_of_each_type_is_the_largest_difference_when_enhanced(study, done):
    with pytest.warns(UserWarning, match=r"of 75 tests have an adjusted p below 0.05 .*rank by effect_size"):
        table = sk.tl.differential_deviations(done, "cell_type", key="smooth")
    assert largest(table) == {name: truth["motif"] for name, truth in study.planted.items()}
    best = table.loc[table.groupby("group")["difference"].idxmax()].set_index("group")["difference"]
    second = table.groupby("group")["difference"].nlargest(2).groupby("group").last()
    assert (best > 2 * second).all()


def test_enhanced_equals_the_dense_block(done):
    dense = sk.get.enhanced(done).astype(np.float64)
    dev, z = reference(dense, done.varm["motifs"].toarray(), done.varm["smooth_background"])
    unlimited = ~np.isnan(dev)
    np.testing.assert_allclose(done.obsm["smooth_deviations"].to_numpy()[unlimited], dev[unlimited], atol=1e-5)
    np.testing.assert_allclose(done.obsm["smooth_z"].to_numpy()[unlimited], z[unlimited], rtol=1e-2, atol=1e-2)
    assert not done.obsm["smooth_z"].isna().to_numpy().any()


def test_seeds(done):
    def run(**options):
        return sk.tl.chromvar(done, n_bootstrap=0, n_background=10, copy=True, **options)

    first, same, other = run(rng=3), run(rng=3), run(rng=4)
    pd.testing.assert_frame_equal(first.obsm["chromvar_z"], same.obsm["chromvar_z"])
    assert not first.obsm["chromvar_z"].equals(other.obsm["chromvar_z"])
    as_r = run(r_seed=7)
    per_peak = np.asarray(done.X.sum(axis=0)).ravel()
    expected = sk.motifs.sample_background_peaks(per_peak, done.var["gc"], 10, seed=7)
    np.testing.assert_array_equal(as_r.varm["chromvar_background"], expected)
    assert "bootstrap_lower_bound" not in as_r.uns["chromvar"]["variability"]
    given = run(background=expected, rng=5)
    pd.testing.assert_frame_equal(given.obsm["chromvar_z"], as_r.obsm["chromvar_z"])
    stored = sk.tl.chromvar(as_r, background="chromvar_background", key_added="again", copy=True)
    pd.testing.assert_frame_equal(stored.obsm["again_z"], as_r.obsm["chromvar_z"])


def test_annotations_of_all_kinds(done):
    options = {"r_seed": 1, "n_bootstrap": 0, "n_background": 5, "copy": True}
    expected = sk.tl.chromvar(done, **options).obsm["chromvar_z"].to_numpy()
    names, member = list(done.uns["motifs"]["names"]), done.varm["motifs"]
    shuffled = pd.DataFrame(member.toarray(), index=done.var_names, columns=names).iloc[::-1]
    frame = sk.tl.chromvar(done, shuffled, **options)
    assert list(frame.obsm["chromvar_z"].columns) == names
    assert (frame.varm["chromvar_sets"] != member).nnz == 0
    assert "annotations" in frame.uns["chromvar"]["objects"]
    matrix = sk.tl.chromvar(done, member.tocsc(), names=[f"{n}/x" for n in names], **options)
    assert list(matrix.obsm["chromvar_z"].columns) == [f"{n}|x" for n in names]
    mixed = shuffled.astype({names[0]: int})
    assert (sk.tl.chromvar(done, mixed, **options).varm["chromvar_sets"] != member).nnz == 0
    dense = sk.tl.chromvar(done, member.toarray().astype(int), **options)
    assert list(dense.obsm["chromvar_z"].columns)[:2] == ["0", "1"]
    places = done.var[["chrom", "start", "end"]]
    regions = {name: places[member[:, k].toarray().ravel()] for k, name in enumerate(names)}
    by_region = sk.tl.chromvar(done, regions, **options)
    # Peaks of the toy study that overlap a member would join its set; there are none.
    for other in (frame, matrix, dense, by_region):
        np.testing.assert_allclose(other.obsm["chromvar_z"], expected, rtol=1e-12)


def test_variants_with_weights(study, done):
    traits = {name: part for name, part in study.snps.groupby("trait") if name}
    adata = sk.tl.chromvar(done, traits, weight="pip", key_added="traits", copy=True)
    member, names = sk.motifs.variant_annotations(done.var, traits, weight="pip")
    assert list(adata.obsm["traits_z"].columns) == names
    assert (adata.varm["traits_sets"] != member).nnz == 0
    dev, _ = reference(done.X.toarray(), member.toarray(), adata.varm["traits_background"])
    np.testing.assert_allclose(adata.obsm["traits_deviations"], dev, rtol=1e-9, atol=1e-11)
    table = sk.tl.differential_deviations(adata, "cell_type", key="traits")
    assert largest(table) == {name: truth["trait"] for name, truth in study.planted.items()}
    assert (table.loc[table.groupby("group")["difference"].idxmax(), "p_value_adj"] < 1e-6).all()


def test_expectations(small):
    options = {"background": np.tile(np.arange(small.n_vars)[:, None], 3)[::-1], "n_bootstrap": 0, "copy": True}
    plain = sk.tl.chromvar(small, min_expected=0, **options).obsm["chromvar_deviations"].to_numpy()
    weights = small.X.toarray() / small.X.toarray().sum(axis=1, keepdims=True)
    for compat, factor in ((False, 1 / small.n_obs), (True, 1.0)):
        expected = sk.motifs.expectations(small.X, norm=True, compat=compat)
        np.testing.assert_allclose(expected, weights.sum(axis=0) * factor)
        own = sk.tl.chromvar(small, expectation_norm=True, compat=compat, min_expected=0, **options)
        direct = sk.motifs.deviations(
            small.X, small.varm["motifs"], options["background"], expectation=expected, min_expected=0
        )
        np.testing.assert_allclose(own.obsm["chromvar_deviations"], direct.deviations)
        assert not np.allclose(own.obsm["chromvar_deviations"], plain, equal_nan=True)
    grouped = sk.tl.chromvar(small, expectation_groupby="batch", **options)
    assert grouped.uns["chromvar"]["params"]["expectation_groupby"] == "batch"
    wanted = sk.motifs.expectations(small.X, groups=small.obs["batch"])
    direct = sk.motifs.deviations(small.X, small.varm["motifs"], options["background"], expectation=wanted)
    np.testing.assert_allclose(grouped.obsm["chromvar_z"], direct.z)


def test_backed_and_layers(done, tmp_path):
    part = done[:, :].copy()
    expected = part.obsm["chromvar_z"].copy()
    part.layers["counts"] = part.X.copy()
    part.X = sparse.csr_matrix(part.shape, dtype=np.float32)
    sk.tl.chromvar(part, layer="counts")
    pd.testing.assert_frame_equal(part.obsm["chromvar_z"], expected)
    pd.testing.assert_frame_equal(sk.tl.motif_correlation(part, n_top=2), sk.tl.motif_correlation(done, n_top=2))
    path = tmp_path / "backed.h5ad"
    done.write_h5ad(path)
    backed = ad.read_h5ad(path, backed="r")
    sk.tl.chromvar(backed, key_added="again")
    pd.testing.assert_frame_equal(backed.obsm["again_z"], expected)
    backed.file.close()


def fake_r(counts, annotations, bias, *, n_iterations, seed, background, n_bootstrap, **_):
    per_peak = np.asarray(counts.sum(axis=0)).ravel()
    if background is None:
        background = sk.motifs.sample_background_peaks(per_peak, bias, n_iterations, seed=seed)
    found = sk.motifs.deviations(counts, annotations, background)
    table = sk.motifs.variability(found.z, n_bootstrap=n_bootstrap)
    fields = ("deviations", "z", "fraction_matches", "fraction_background_overlap")
    told = {"background": background, "variability": table, "session": ["R"]}
    return {name: getattr(found, name) for name in fields} | told


def test_r_engine_gives_the_same_keys(done, monkeypatch):
    monkeypatch.setattr(sk.r, "chromvar", fake_r)
    native = sk.tl.chromvar(done, r_seed=0, n_background=8, n_bootstrap=20, copy=True)
    through_r = sk.tl.chromvar(done, engine="r", n_background=8, n_bootstrap=20, copy=True)
    for name in ("deviations", "z"):
        pd.testing.assert_frame_equal(through_r.obsm[f"chromvar_{name}"], native.obsm[f"chromvar_{name}"])
    own, other = native.uns["chromvar"]["variability"], through_r.uns["chromvar"]["variability"]
    assert list(own.columns) == list(other.columns)
    assert list(through_r.uns["chromvar"]["r_session"]) == ["R"]
    assert "r_session" not in native.uns["chromvar"]
    pd.testing.assert_series_equal(own["variability"], other["variability"])
    with pytest.warns(UserWarning, match="min_expected is ignored"):
        sk.tl.chromvar(done, engine="r", n_background=8, min_expected=2, copy=True)


@pytest.mark.slow
def test_r_package_agrees(done):
    from sccase_kit.r._status import available

    if not available("chromVAR"):
        pytest.skip("R package chromVAR is not installed")
    native = sk.tl.chromvar(done, r_seed=11, n_bootstrap=0, copy=True)
    through_r = sk.tl.chromvar(done, r_seed=11, n_bootstrap=0, engine="r", copy=True)
    np.testing.assert_array_equal(through_r.varm["chromvar_background"], native.varm["chromvar_background"])
    for name in ("deviations", "z"):
        np.testing.assert_allclose(through_r.obsm[f"chromvar_{name}"], native.obsm[f"chromvar_{name}"], atol=1e-9)
    own, other = native.uns["chromvar"]["variability"], through_r.uns["chromvar"]["variability"]
    assert list(own.columns) == list(other.columns)
    np.testing.assert_allclose(other["p_value"], own["p_value"], rtol=1e-9, atol=1e-300)


def test_differential_deviations_against_scipy(done):
    values = done.obsm["chromvar_deviations"]
    inside = (done.obs["cell_type"] == "type_3").to_numpy()
    table = sk.tl.differential_deviations(done, "cell_type").query("group == 'type_3'").set_index("set")
    for name in values.columns:
        a, b = (values.loc[m, name].dropna() for m in (inside, ~inside))
        np.testing.assert_allclose(table.loc[name, "p_value"], stats.ttest_ind(a, b, equal_var=False).pvalue)
        np.testing.assert_allclose(table.loc[name, "difference"], a.mean() - b.mean())
        np.testing.assert_allclose(table.loc[name, "mean"], a.mean())
    np.testing.assert_allclose(
        table["p_value_adj"], stats.false_discovery_control(table["p_value"].to_numpy(), method="bh")
    )
    against = sk.tl.differential_deviations(done, "cell_type", reference="type_1", alternative="greater")
    assert list(dict.fromkeys(against["group"])) == ["type_2", "type_3", "type_4", "type_5"]
    row = against.query("group == 'type_2' and set == 'TF_2'").iloc[0]
    a, b = (values.loc[(done.obs["cell_type"] == g).to_numpy(), "TF_2"].dropna() for g in ("type_2", "type_1"))
    np.testing.assert_allclose(row["p_value"], stats.ttest_ind(a, b, equal_var=False, alternative="greater").pvalue)
    overall = sk.tl.differential_deviations(done, "cell_type", reference=None, parametric=False).set_index("set")
    groups = [part.dropna() for _, part in values["TF_2"].groupby(done.obs["cell_type"], observed=True)]
    np.testing.assert_allclose(overall.loc["TF_2", "p_value"], stats.kruskal(*groups).pvalue)
    assert {f"mean_type_{i}" for i in range(1, 6)} < set(overall.columns)


def test_differential_variability_against_scipy(done):
    z = done.obsm["chromvar_z"]
    labels = done.obs["cell_type"]
    table = sk.tl.differential_variability(done, "cell_type").set_index("set")
    own = sk.tl.differential_variability(done, "cell_type", reference="rest")
    for name in z.columns[:6]:
        groups = [z.loc[(labels == g).to_numpy(), name].dropna() for g in labels.cat.categories]
        np.testing.assert_allclose(table.loc[name, "p_value"], stats.levene(*groups, center="median").pvalue)
        np.testing.assert_allclose(table.loc[name, "variability_type_1"], groups[0].std())
        row = own[(own["group"] == "type_2") & (own["set"] == name)].iloc[0]
        rest = z.loc[(labels != "type_2").to_numpy(), name].dropna()
        np.testing.assert_allclose(row["p_value"], stats.levene(groups[1], rest, center="median").pvalue)
        np.testing.assert_allclose([row["variability"], row["variability_reference"]], [groups[1].std(), rest.std()])
    assert own.groupby("group")["p_value"].apply(lambda p: p.is_monotonic_increasing).all()


def test_synergy_and_correlation(done):
    names = ["TF_1", "TF_2", "DECOY_TF_1"]
    member = done.varm["motifs"].tocsc()[:, [list(done.uns["motifs"]["names"]).index(n) for n in names]]
    shared = (member.T.astype(int) @ member.astype(int)).toarray()
    square = sk.motifs.annotation_synergy(done.X, member, done.varm["chromvar_background"], names=names, rng=4)
    table = sk.tl.motif_synergy(done, names, rng=4)
    assert table["synergy"].is_monotonic_decreasing
    for row in table.itertuples():
        assert row.n_shared == shared[names.index(row.set_1), names.index(row.set_2)]
        np.testing.assert_allclose(row.synergy, square.loc[row.set_1, row.set_2])
        np.testing.assert_allclose(row.p_value, stats.norm.sf(row.synergy))
    assert (table["p_value_adj"] >= table["p_value"]).all()
    square = sk.motifs.annotation_correlation(done.X, member, done.varm["chromvar_background"], names=names)
    table = sk.tl.motif_correlation(done, names)
    assert len(table) == 3
    for row in table.itertuples():
        np.testing.assert_allclose(row.correlation, square.loc[row.set_1, row.set_2])
    assert set(sk.tl.motif_correlation(done, n_top=3)[["set_1", "set_2"]].to_numpy().ravel()) == set(
        sk.get.variability(done).index[:3]
    )


def test_synergy_finds_motifs_that_act_together():
    """Peaks with both motifs are open in half of the cells; peaks with one of them everywhere."""
    rng = np.random.default_rng(0)
    n_cells, n_peaks = 200, 900
    both, one, other, third = np.split(rng.permutation(n_peaks)[:320], 4)
    rate = np.full((n_cells, n_peaks), 0.3)
    rate[: n_cells // 2, both] *= 2.5
    rate[n_cells // 2 :, both] *= 0.1
    member = np.zeros((n_peaks, 3), dtype=bool)
    member[np.concatenate([both, one]), 0] = True
    member[np.concatenate([both, other]), 1] = True
    member[np.concatenate([one, third]), 2] = True
    adata = ad.AnnData(sparse.csr_matrix(rng.poisson(rate)))
    sk.tl.chromvar(adata, member, names=["A", "B", "C"], bias=rng.uniform(0.3, 0.6, n_peaks), n_bootstrap=0)
    table = sk.tl.motif_synergy(adata)
    assert set(table.loc[0, ["set_1", "set_2"]]) == {"A", "B"}
    assert table.loc[0, "p_value_adj"] < 1e-3
    assert (table.loc[1:, "p_value_adj"] > 0.05).all()


def test_reading_back(done):
    view = sk.get.deviations(done)
    assert view.shape == (done.n_obs, 15)
    np.testing.assert_array_equal(view.X, done.obsm["chromvar_z"])
    np.testing.assert_array_equal(sk.get.deviations(done, which="deviations").X, done.obsm["chromvar_deviations"])
    assert "variability" in view.var
    assert "X_sccase" in view.obsm
    assert "cell_type" in view.obs
    table = sk.get.variability(done)
    assert table["variability"].is_monotonic_decreasing


def test_sets_without_peaks_are_nan(small):
    member = sparse.csr_matrix(small.varm["motifs"][:, :3].multiply([1, 0, 1]))
    with pytest.warns(UserWarning, match=r"1 set\(s\) without any peak have no deviations .*'b'"):
        sk.tl.chromvar(small, member, names=["a", "b", "c"], n_bootstrap=10)
    assert small.obsm["chromvar_z"]["b"].isna().all()
    assert small.obsm["chromvar_z"]["a"].notna().any()
    assert np.isnan(small.uns["chromvar"]["variability"].loc["b", "p_value"])
    table = sk.tl.differential_deviations(small, "batch")
    assert table.query("set == 'b'")["p_value"].isna().all()


def test_without_the_gc_content_peaks_are_matched_by_reads_alone(small):
    from sccase_kit.motifs import background_bins, deviations

    sk.tl.chromvar(small, method="analytic", bias=None, n_bootstrap=10)
    reads = np.asarray(small.X.sum(axis=0)).ravel()
    expected = deviations(small.X, small.varm["motifs"], background_bins(reads, None))
    np.testing.assert_allclose(small.obsm["chromvar_z"].to_numpy(), expected.z, rtol=1e-12)
    for given in ({}, {"method": "analytic", "engine": "r"}):
        with pytest.raises(ValueError, match="bias=None, background peaks matched by reads alone, is for method="):
            sk.tl.chromvar(small, bias=None, **given)


def test_bad_counts_and_bias(small):
    broken = small.copy()
    keep = np.ones(small.n_vars)
    keep[[2, 5]] = 0
    broken.X = sparse.csr_matrix(broken.X.multiply(keep))
    first = broken.var_names[2]
    with pytest.raises(ValueError, match=rf"2 of {small.n_vars} peaks have no reads in any cell: \['{first}'"):
        sk.tl.chromvar(broken)
    with pytest.raises(ValueError, match="at least 2 cells, got 1"):
        sk.tl.chromvar(small[:1].copy())
    negative = small.copy()
    negative.X = -negative.X
    with pytest.raises(ValueError, match="negative"):
        sk.tl.chromvar(negative)
    with pytest.raises(KeyError, match=r"bias='nothing'.*add_gc_content"):
        sk.tl.chromvar(small, bias="nothing")
    with pytest.raises(ValueError, match="one value per peak"):
        sk.tl.chromvar(small, bias=np.ones(3))
    small.var.loc[small.var_names[4], "gc"] = np.nan
    with pytest.raises(ValueError, match=rf"bias is NaN or infinite for 1 peak\(s\), e.g. \['{small.var_names[4]}'\]"):
        sk.tl.chromvar(small)


def test_bad_annotations(small):
    with pytest.raises(KeyError, match=r"annotations='nothing' is not in adata\.varm"):
        sk.tl.chromvar(small, "nothing")
    fresh = small.copy()
    del fresh.varm["motifs"]
    with pytest.raises(KeyError, match=r"Run sccase_kit\.tl\.match_motifs"):
        sk.tl.chromvar(fresh)
    with pytest.raises(TypeError, match=r"annotations must be a key of adata\.varm"):
        sk.tl.chromvar(small, 3)
    with pytest.raises(ValueError, match="must have one row per peak"):
        sk.tl.chromvar(small, np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"no peak is in any of the 2 set\(s\)"):
        sk.tl.chromvar(small, np.zeros((small.n_vars, 2)))
    with pytest.raises(ValueError, match="names of the sets must be unique"):
        sk.tl.chromvar(small, small.varm["motifs"][:, :2], names=["a", "a"])
    with pytest.raises(ValueError, match=r"names must have one entry per set \(2\), got 1"):
        sk.tl.chromvar(small, small.varm["motifs"][:, :2], names=["a"])
    with pytest.raises(KeyError, match="peaks are not in the index"):
        sk.tl.chromvar(small, pd.DataFrame({"a": [1]}, index=["peak"]))
    with pytest.raises(ValueError, match=r"index .* repeats"):
        sk.tl.chromvar(small, pd.DataFrame({"a": [1, 1]}, index=["peak", "peak"]))
    with pytest.raises(TypeError, match=r"boolean or numeric, column\(s\) \['a'\] are not"):
        sk.tl.chromvar(small, pd.DataFrame({"a": ["x"] * small.n_vars}, index=small.var_names))
    with pytest.raises(ValueError, match="0/1 or finite weights"):
        sk.tl.chromvar(small, -np.ones((small.n_vars, 2)))
    with pytest.warns(UserWarning, match="weight is ignored"):
        sk.tl.chromvar(small, weight="pip", n_background=2, n_bootstrap=0)
    with pytest.warns(UserWarning, match="names is ignored"):
        sk.tl.chromvar(small, names=["a"], n_background=2, n_bootstrap=0)


def test_other_errors(small, done):
    with pytest.raises(ValueError, match="engine must be one of"):
        sk.tl.chromvar(small, engine="julia")
    with pytest.raises(ValueError, match="use engine='python' with source='enhanced'"):
        sk.tl.chromvar(done, source="enhanced", engine="r")
    with pytest.raises(ValueError, match="need source='counts'"):
        sk.tl.chromvar(done, source="enhanced", expectation_norm=True)
    with pytest.warns(UserWarning, match="layer is ignored"):
        sk.tl.chromvar(done, source="enhanced", layer="truth", n_background=2, n_bootstrap=0, copy=True)
    with pytest.raises(KeyError, match="run sccase_kit"):
        sk.tl.chromvar(small, source="enhanced", key="nothing")
    with pytest.raises(KeyError, match=r"background='nothing' is not in adata\.varm"):
        sk.tl.chromvar(small, background="nothing")
    with pytest.raises(ValueError, match="background must hold peak positions"):
        sk.tl.chromvar(small, background=np.full((small.n_vars, 3), small.n_vars))
    with pytest.raises(KeyError, match=r"Run sccase_kit\.tl\.chromvar"):
        sk.tl.differential_deviations(done, "cell_type", key="nothing")
    with pytest.raises(ValueError, match="reference must be 'rest', None or one of the groups"):
        sk.tl.differential_deviations(done, "cell_type", reference="nobody")
    with pytest.raises(KeyError, match="groupby='nothing'"):
        sk.tl.differential_variability(done, "nothing")
    with pytest.raises(ValueError, match="at least 2 are needed"):
        sk.tl.differential_variability(done[(done.obs["cell_type"] == "type_1").to_numpy()], "cell_type")
    with pytest.raises(KeyError, match="'nobody'"):
        sk.tl.motif_synergy(done, ["TF_1", "nobody"])
    with pytest.raises(ValueError, match="at least 2 sets"):
        sk.tl.motif_synergy(done, ["TF_1"])
    with pytest.raises(ValueError, match="its background peaks no longer fit"):
        sk.tl.motif_correlation(small)
    with pytest.raises(ValueError, match="deviations of the enhanced signal"):
        sk.tl.motif_correlation(done, key="smooth")
    with pytest.raises(TypeError, match="adata must be an AnnData"):
        sk.tl.chromvar(done.X)


def test_background_peaks_of_another_order_are_refused(done, tmp_path):
    """anndata moves the rows of `varm`, but not the positions that stand in them."""
    order = np.random.default_rng(0).permutation(done.n_vars)
    moved = done[:, order].copy()
    renamed = done.copy()
    renamed.var_names = [f"p{i}" for i in range(done.n_vars)]
    options = {"key_added": "again", "n_bootstrap": 0}
    for adata in (moved, renamed):
        for run in (
            lambda a: sk.tl.chromvar(a, background="chromvar_background", **options),
            lambda a: sk.tl.motif_synergy(a, n_top=2),
            lambda a: sk.tl.motif_correlation(a, n_top=2),
        ):
            with pytest.raises(ValueError, match=r"other names, or another order.*chromvar_background'\]\)"):
                run(adata)
    with pytest.raises(ValueError, match="adata has 100 peaks but chromvar was run on"):
        sk.tl.chromvar(done[:, :100].copy(), background="chromvar_background", **options)
    done[:, order][:, np.argsort(order)].copy().write_h5ad(tmp_path / "back.h5ad")
    back = ad.read_h5ad(tmp_path / "back.h5ad")
    sk.tl.chromvar(back, background="chromvar_background", **options)
    pd.testing.assert_frame_equal(back.obsm["again_z"], done.obsm["chromvar_z"])


def test_names_of_sets_come_along_with_their_slot(done, tmp_path):
    member, names = done.varm["motifs"][:, :3], ["x", "y", "z"]
    options = {"background": "chromvar_background", "n_bootstrap": 0}
    done.copy().write_h5ad(tmp_path / "a.h5ad")
    adata = ad.read_h5ad(tmp_path / "a.h5ad")
    sk.tl.chromvar(adata, member, names=names, key_added="own", **options)
    sk.tl.chromvar(adata, "own_sets", key_added="other", **options)
    sk.tl.chromvar(adata, "own_sets", key_added="own", **options)
    for key in ("own", "other"):
        assert list(adata.obsm[f"{key}_z"].columns) == list(adata.uns[key]["names"]) == names
        assert set(sk.tl.motif_correlation(adata, key=key)[["set_1", "set_2"]].to_numpy().ravel()) == set(names)
    del adata.uns["own"]  # a run that used them still knows
    sk.tl.chromvar(adata, "own_sets", key_added="third", **options)
    assert list(adata.obsm["third_z"].columns) == names


def test_the_way_out_of_closed_peaks_works(small):
    keep = np.ones(small.n_vars)
    keep[[2, 5]] = 0
    small.X = sparse.csr_matrix(small.X.multiply(keep))
    with pytest.raises(ValueError, match=r"filter_peaks\(adata, min_fraction=0\)"):
        sk.tl.chromvar(small)
    sk.pp.filter_peaks(small, min_fraction=0)
    assert small.n_vars == len(keep) - 2
    sk.tl.chromvar(small, n_background=3, n_bootstrap=0)

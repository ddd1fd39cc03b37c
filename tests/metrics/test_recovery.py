"""Held-out scores of methods, from the split to the sentence."""

from __future__ import annotations

from functools import partial

import anndata as ad
import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk


@pytest.fixture(scope="module")
def study():
    """150 cells of three types, 200 peaks open in a third of the cells of one type."""
    rng = np.random.default_rng(0)
    codes = rng.integers(3, size=150)
    open_in = np.full((3, 200), 0.08)
    open_in[np.arange(200) % 3, np.arange(200)] = 0.35
    x = (rng.random((150, 200)) < open_in[codes]) * rng.integers(1, 4, (150, 200))
    adata = ad.AnnData(sparse.csr_matrix(x))
    adata.obs["cell_type"] = np.array(["a", "b", "c"])[codes]
    adata.obs["cell_type"] = adata.obs["cell_type"].astype("category")
    adata.var_names = [f"chr1:{100 * j}-{100 * j + 50}" for j in range(200)]
    return adata


def means(adata):
    x = sparse.csr_matrix(adata.X)
    return np.ones((adata.n_obs, 1)), np.asarray((x > 0).sum(axis=0)).T.astype(float)


def types(adata):
    codes = adata.obs["cell_type"].cat.codes.to_numpy()
    member = np.eye(codes.max() + 1)[codes]
    return member, (adata.X > 0).T @ member + 0.1


def noise(adata, rng):
    return np.random.default_rng(rng).random(adata.shape) ** 9


def test_entries_go_whole_to_one_side(study):
    split = sk.metrics.hide_entries(study, share=0.4, rng=3)
    full, kept = study.X.toarray()[split.cells][:, split.peaks], split.training.X.toarray()
    assert ((kept == 0) | (kept == full)).all()
    assert ((full > 0) & (kept == 0)).sum() == split.n_hidden
    assert ((kept > 0).sum(axis=0) >= 5).all()
    assert abs(split.n_hidden / (full > 0).sum() - 0.4) < 0.03
    again = sk.metrics.hide_entries(study, share=0.4, rng=3)
    assert (again.training.X != split.training.X).nnz == 0
    assert list(split.training.var_names) == list(study.var_names[split.peaks])


def test_methods_side_by_side(study):
    methods = {"types": types, "mean": means, "noise": noise}
    result = sk.metrics.held_out(study, methods, n_splits=2, n_boot=50)
    table = result.table
    assert list(table.index) == ["types", "mean", "noise"]
    assert table.loc["types", "gain"] > 5 * table.loc["types", "se"] > 0
    assert abs(table.loc["mean", "gain"]) < 1e-6
    assert table.loc["noise", "gain"] < 0
    assert table.loc["types", "difference"] == 0
    assert table.loc["mean", "difference"] == pytest.approx(-table.loc["types", "gain"])
    assert table.loc["types", "times"] == pytest.approx(np.exp(table.loc["types", "gain"]))
    assert 0 < table.loc["types", "slope_se"] < 0.2
    assert abs(table.loc["types", "slope"] - 1) < 4 * table.loc["types", "slope_se"] + 0.2
    assert len(result.splits) == 6
    np.testing.assert_allclose(result.splits.groupby("method")["gain"].std()["noise"], table.loc["noise", "sd_splits"])
    again = sk.metrics.held_out(study, {"mean": means, "types": types}, n_splits=2, n_boot=50)
    assert again.table.loc["types", "gain"] == table.loc["types", "gain"]
    assert again.table.loc["types", "difference_se"] == pytest.approx(table.loc["types", "se"])


def test_labels_are_a_yardstick(study):
    result = sk.metrics.held_out(study, {"mean": means}, n_splits=1, n_boot=10, groupby="cell_type")
    assert list(result.table.index) == ["mean", "types"]
    assert result.table.loc["types", "of_types"] == 1
    assert result.table.loc["types", "gain"] > 0


def test_the_default_method_and_the_verdict(study):
    result = sk.metrics.held_out(study, n_splits=1)
    text, numbers = sk.metrics.held_out_verdict(result)
    assert text.startswith("Enhancing helps these data")
    assert f"slope {numbers['slope']:.2f}" in text
    direct = sk.metrics.held_out(study, {"enhance": sk.tl.enhance}, n_splits=1)
    assert direct.table.loc["enhance", "gain"] == pytest.approx(numbers["gain"], rel=1e-3)
    poor = sk.metrics.held_out(study, {"noise": noise, "mean": means}, n_splits=1, n_boot=20)
    assert sk.metrics.held_out_verdict(poor)[0].startswith("Enhancing harms")
    text = sk.metrics.held_out_verdict(poor, "mean")[0]
    assert text.startswith("No evidence")
    assert text.endswith("says the peak mean itself, so there are no differences between cells to judge.")
    assert np.isnan(poor.table.loc["mean", ["slope", "slope_se"]].astype(float)).all()
    assert "-" in repr(poor).splitlines()[-2]
    with pytest.raises(KeyError, match="available"):
        sk.metrics.held_out_verdict(poor, "other")


def test_results_of_every_kind_score_alike(study):
    split = sk.metrics.hide_entries(study)
    cells, peaks = types(split.training)
    matrix = cells @ peaks.T
    wanted = split.score((cells, peaks))
    other = ad.AnnData(matrix, var=split.training.var[[]])
    order = np.random.default_rng(0).permutation(other.n_vars)
    for result in (matrix, sparse.csr_matrix(matrix), other, other[:, order].copy()):
        np.testing.assert_allclose(split.score(result), wanted, rtol=1e-6)
    fewer = split.score(other[:, : other.n_vars // 2].copy())
    assert 0 < fewer["gain"] < wanted["gain"]
    with pytest.raises(ValueError, match="returned 3 cells"):
        split.score(matrix[:3])
    with pytest.raises(ValueError, match="return an AnnData with their names"):
        split.score(matrix[:, :3])
    with pytest.raises(ValueError, match="1 peaks that the training data lack"):
        split.score(ad.AnnData(matrix[:, :1], var={"_index": ["nowhere"]}))


def test_thin_factors_of_left_out_peaks(study):
    split = sk.metrics.hide_entries(study)
    fitted = split.training[:, ::2].copy()
    sk.tl.enhance(fitted, 4, method="sccase")
    thin = split.score(fitted)
    dense = split.score(ad.AnnData(sk.get.enhanced(fitted, scale="accessibility"), var=fitted.var[[]]))
    np.testing.assert_allclose(thin, dense, rtol=1e-3)


@pytest.mark.parametrize("storage", ["backed", "dask"])
def test_stored_data_give_the_same(study, tmp_path, storage):
    wanted = sk.metrics.held_out(study, {"means": means, "enhance": sk.tl.enhance}, n_splits=1, n_boot=10)
    study.write_h5ad(tmp_path / "a.h5ad")
    stored = ad.read_h5ad(tmp_path / "a.h5ad", backed="r")
    if storage == "dask":
        da = pytest.importorskip("dask.array")
        stored.file.close()
        chunks = (40, study.n_vars)
        stored = study.copy()
        stored.X = da.from_array(study.X, chunks=chunks, asarray=False)
    methods = {"means": lambda a: means(a.to_memory()), "enhance": sk.tl.enhance}
    found = sk.metrics.held_out(stored, methods, n_splits=1, n_boot=10)
    np.testing.assert_allclose(found.table[["gain", "slope"]], wanted.table[["gain", "slope"]], rtol=1e-3, atol=1e-6)
    if storage == "backed":
        stored.file.close()


def test_a_failing_method_is_recorded(study):
    def broken(adata):
        raise RuntimeError("no memory")

    with pytest.raises(RuntimeError, match="no memory"):
        sk.metrics.held_out(study, {"broken": broken}, n_splits=1)
    result = sk.metrics.held_out(study, {"mean": means, "broken": broken}, n_splits=1, on_error="record", n_boot=5)
    assert result.table.loc["broken", "error"] == "RuntimeError: no memory"
    assert np.isnan(result.table.loc["broken", "gain"])
    with pytest.raises(ValueError, match="failed: RuntimeError"):
        sk.metrics.held_out_verdict(result, "broken")


def test_what_is_left_out_is_told(study):
    adata = study.copy()
    x = adata.X.tolil()
    x[:, 4], x[9] = 0, 0
    adata.X = x.tocsr()
    with pytest.warns(UserWarning, match=r"1 of 200 peaks with fewer than 5 training entries and 1 of 150 cells"):
        result = sk.metrics.held_out(adata, {"mean": means}, n_splits=1, n_boot=5)
    assert result.n_cells == 149


def test_errors(study):
    with pytest.raises(TypeError, match="methods must map"):
        sk.metrics.held_out(study, {"a": 3})
    with pytest.raises(ValueError, match="share"):
        sk.metrics.hide_entries(study, share=1.0)
    with pytest.raises(ValueError, match="nothing can be scored"):
        sk.metrics.hide_entries(study, min_cells=10_000)


def test_compare_adds_the_scores(study):
    split = sk.metrics.hide_entries(study)
    fitted = split.training.copy()
    sk.tl.enhance(fitted, 4, method="sccase")
    table = sk.metrics.compare({"fit": fitted, "counts": split.training}, "cell_type", hidden=split)
    assert table.loc["fit", "gain"] == pytest.approx(split.score(fitted)["gain"])
    assert table.loc["fit", "gain"] > 0
    assert table.loc["counts", "gain"] == pytest.approx(0, abs=1e-6)  # own counts tell nothing of the other peaks
    assert table.loc["fit", "slope"] == pytest.approx(split.score(fitted)["slope"])


def test_matrices_of_other_tools_next_to_functions(study):
    splits = [sk.metrics.hide_entries(study, rng=seed) for seed in (1, 2)]
    factors = [types(split.training) for split in splits]
    matrices = [cells @ peaks.T for cells, peaks in factors]
    tables = [ad.AnnData(matrix, var=split.training.var[[]]) for matrix, split in zip(matrices, splits, strict=True)]
    methods = {"types": types, "matrices": matrices, "factors": factors, "tables": tables, "mean": means}
    result = sk.metrics.held_out(study, methods, splits=splits, n_boot=20)
    assert result.share == 0.3
    assert set(result.splits["split"]) == {0, 1}
    for name in ("matrices", "factors", "tables"):
        columns = ["gain", "se", "sd_splits", "slope"]
        found, wanted = (result.table.loc[which, columns].astype(float) for which in (name, "types"))
        np.testing.assert_allclose(found, wanted, rtol=1e-4)
    assert result.table.loc["types", "gain"] == pytest.approx(
        np.mean([s.score(types(s.training))["gain"] for s in splits]), rel=0.01
    )
    with pytest.warns(UserWarning, match="n_splits: no effect with splits"):
        sk.metrics.held_out(study, {"mean": means}, splits=splits[:1], n_splits=2, n_boot=5)


def test_wrong_splits_and_results(study):
    split = sk.metrics.hide_entries(study)
    matrix = np.ones(split.training.shape)
    with pytest.raises(TypeError, match="lists need splits="):
        sk.metrics.held_out(study, {"a": [matrix]})
    with pytest.raises(ValueError, match="one result for each of 1 splits, got 2"):
        sk.metrics.held_out(study, {"a": [matrix, matrix]}, splits=[split])
    with pytest.raises(TypeError, match="results of sccase_kit"):
        sk.metrics.held_out(study, splits=[study])
    with pytest.raises(ValueError, match="of these data"):
        sk.metrics.held_out(study[:50].copy(), splits=[split])


def test_the_spread_over_seeds(study):
    def noisy(adata, rng):
        member, peaks = types(adata)
        return member, peaks * np.random.default_rng(rng).uniform(0.5, 2, peaks.shape)

    result = sk.metrics.held_out(study, {"noisy": noisy, "types": types}, n_splits=2, n_seeds=4, n_boot=10)
    runs = result.splits[result.splits["method"] == "noisy"]
    assert list(runs["run"]) == [0, 1, 2, 3] * 2
    wanted = np.sqrt(runs.groupby("split")["gain"].var(ddof=1).mean())
    assert result.table.loc["noisy", "sd_seeds"] == pytest.approx(wanted)
    assert wanted > 0
    assert np.isnan(result.table.loc["types", "sd_seeds"])  # draws nothing
    assert result.table.loc["noisy", "gain"] == pytest.approx(runs["gain"].mean(), rel=0.02)
    alone = sk.metrics.held_out(study, {"noisy": noisy}, n_splits=2, n_boot=10)
    first = runs[runs["run"] == 0]["gain"].to_numpy()
    np.testing.assert_allclose(alone.splits["gain"], first)


def test_what_a_fit_logs_is_said_once(study, caplog):
    """Three fits of the same method on the same cells: not three times that batches could be corrected."""
    adata = study.copy()
    adata.obs["batch"] = np.arange(adata.n_obs) % 2
    with caplog.at_level("INFO", logger="sccase_kit"):
        sk.metrics.held_out(adata, {"knn": partial(sk.tl.enhance, method="knn")}, n_splits=3, n_boot=2)
    assert sum("would correct for them" in line for line in caplog.messages) == 1
    with caplog.at_level("INFO", logger="sccase_kit"):
        sk.tl.enhance(adata, method="knn")  # and what comes later is said again
    assert sum("would correct for them" in line for line in caplog.messages) == 2


def test_methods_that_can_be_spelled_are_kept_as_code(study):
    adata = study.copy()
    fit = partial(sk.tl.enhance, method=sk.enhance.METHODS["knn"](n_neighbors=4), depth=False, dtype="float64")
    sk.metrics.held_out(adata, {"mine": fit}, n_splits=1, n_boot=2, key_added="held_out")
    code = adata.uns["held_out"]["spelled"]["methods"]
    assert code == "{'mine': partial(sk.tl.enhance, method=sk.enhance.METHODS['knn'](n_neighbors=4), dtype='float64')}"
    again = eval(code, {"sk": sk, "partial": partial})  # ours, made above
    assert again["mine"].keywords["method"] == fit.keywords["method"]
    sk.metrics.held_out(adata, {"means": means}, n_splits=1, n_boot=2, key_added="held_out")
    assert dict(adata.uns["held_out"]["spelled"]) == {}

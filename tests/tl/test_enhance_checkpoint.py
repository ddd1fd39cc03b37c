"""Long fits that are stopped and taken up again."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import sccase_kit as sk
from sccase_kit.enhance import extension, graph, nmf, robust
from sccase_kit.enhance.checkpoint import Checkpoint
from sccase_kit.enhance.methods import sccase

FIELDS = ("X_sccase", "sccase_cell_factors", "sccase_sources")


@pytest.fixture
def adata():
    return sk.datasets.toy_study(n_cells=150, n_peaks=600, rng=2).adata


def same(a, b):
    for name in FIELDS:
        np.testing.assert_array_equal(a.obsm[name], b.obsm[name])
    np.testing.assert_array_equal(a.varm["sccase_peak_factors"], b.varm["sccase_peak_factors"])
    np.testing.assert_array_equal(a.uns["sccase"]["objective"], b.uns["sccase"]["objective"])


OPTIONS = {
    "scCASE": {"n_components": 4, "method": "sccase", "max_iter": 4, "tol": 0},
    "robust": {"n_components": 4},
    "batches": {"n_components": 4, "method": "sccase", "batch_key": "batch", "depth": True},
    "robust, batches": {"batch_key": "batch", "depth": True},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_a_checkpoint_changes_nothing_and_a_second_run_computes_nothing_again(adata, tmp_path, name, monkeypatch):
    plain, first, second = adata.copy(), adata.copy(), adata.copy()
    sk.tl.enhance(plain, **OPTIONS[name])
    sk.tl.enhance(first, **OPTIONS[name], checkpoint=tmp_path / "run")
    same(plain, first)

    def refuse(*_args, **_kwargs):
        raise AssertionError("computed again")

    for module, function in ((sccase, "fast_start"), (robust, "nmf_bank"), (robust, "cell_graph")):
        monkeypatch.setattr(module, function, refuse)
    sk.tl.enhance(second, **OPTIONS[name], checkpoint=tmp_path / "run")
    same(plain, second)


@pytest.mark.parametrize("few", [True, False])
def test_a_run_stopped_before_the_graph_gives_the_same_one(adata, tmp_path, few, monkeypatch):
    """The spectral components are of the graph's stage, and the factorisations of more cells start from them."""
    if not few:
        for module in (extension, graph, nmf):
            monkeypatch.setattr(module, "gram_pays", lambda _op: False)
    plain, first, second = adata.copy(), adata.copy(), adata.copy()
    sk.tl.enhance(plain)
    sk.tl.enhance(first, checkpoint=tmp_path / "run")
    for path in (tmp_path / "run").iterdir():
        if path.name not in ("run.json", "bank.npz"):
            path.unlink()
    sk.tl.enhance(second, checkpoint=tmp_path / "run")
    same(plain, first)
    same(plain, second)


@pytest.mark.parametrize("stop_after", [0, 1, 3])
def test_a_stopped_descent_goes_on_where_it_was(adata, tmp_path, stop_after, monkeypatch):
    plain = adata.copy()
    sk.tl.enhance(plain, **OPTIONS["scCASE"])
    saves = []
    save = Checkpoint.save

    def stop(self, stage, arrays):
        save(self, stage, arrays)
        saves.append(stage)
        if len(saves) > stop_after:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save", stop)
        with pytest.raises(KeyboardInterrupt):
            sk.tl.enhance(adata, **OPTIONS["scCASE"], checkpoint=tmp_path / "run")
    assert saves == ["start", *["point"] * stop_after]
    assert "X_sccase" not in adata.obsm
    seen = []
    monkeypatch.setattr(Checkpoint, "save", lambda self, stage, arrays: seen.append(stage) or save(self, stage, arrays))
    sk.tl.enhance(adata, **OPTIONS["scCASE"], checkpoint=tmp_path / "run")
    assert seen == ["point"] * (4 - stop_after)
    same(plain, adata)


@pytest.mark.parametrize(
    ("change", "named"),
    [({"n_components": 5}, "n_components"), ({"lam": 10.0}, "lam"), ({"rng": 1}, "rng"), ({"depth": True}, "depth")],
)
def test_the_folder_of_another_run_is_refused(adata, tmp_path, change, named):
    sk.tl.enhance(adata, **OPTIONS["scCASE"], checkpoint=tmp_path / "run")
    with pytest.raises(ValueError, match=rf"of another run: \['{named}'\] differ"):
        sk.tl.enhance(adata, **(OPTIONS["scCASE"] | change), checkpoint=tmp_path / "run")


def test_other_counts_of_the_same_shape_are_another_run(adata, tmp_path):
    sk.tl.enhance(adata, **OPTIONS["scCASE"], checkpoint=tmp_path / "run")
    other = adata.copy()
    other.X = other.X[::-1]
    with pytest.raises(ValueError, match="checksums"):
        sk.tl.enhance(other, **OPTIONS["scCASE"], checkpoint=tmp_path / "run")


@pytest.mark.parametrize("name", ["run.json", "start.npz", "point.npz"])
def test_a_damaged_file_is_named(adata, tmp_path, name):
    sk.tl.enhance(adata, **OPTIONS["scCASE"], checkpoint=tmp_path / "run")
    (tmp_path / "run" / name).write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ValueError, match=rf"{name} is damaged"):
        sk.tl.enhance(adata, **OPTIONS["scCASE"], checkpoint=tmp_path / "run")


def test_arguments_that_cannot_be(adata, tmp_path):
    with pytest.raises(ValueError, match=r"cannot use checkpoint; methods that can: \['robust', 'sccase', 'knn'\]"):
        sk.tl.enhance(adata, 4, solver="published", checkpoint=tmp_path / "run")
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="file"):
        sk.tl.enhance(adata, 4, checkpoint=tmp_path / "file")
    with pytest.raises(ValueError, match="MT19937"):
        sk.tl.enhance(adata, 4, checkpoint=tmp_path / "run", rng=np.random.Generator(np.random.MT19937(0)))
    assert not (tmp_path / "run").exists()


def test_counts_that_differ_only_in_who_has_what_are_another_run(adata, tmp_path):
    """Two entries trade places, so that depths, open cells and values stay: what a null model by swaps does."""
    sk.tl.enhance(adata, checkpoint=tmp_path / "kept")
    dense = adata.X.toarray()
    i = 0
    for j in range(1, adata.n_obs):
        only_i, only_j = (np.flatnonzero((dense[a] == 1) & (dense[b] == 0)) for a, b in ((i, j), (j, i)))
        if len(only_i) and len(only_j):
            break
    dense[[i, j], only_i[0]], dense[[i, j], only_j[0]] = (0, 1), (1, 0)
    other = adata.copy()
    other.X = type(adata.X)(dense)
    assert (other.X.sum(axis=0) == adata.X.sum(axis=0)).all()
    assert (other.X.sum(axis=1) == adata.X.sum(axis=1)).all()
    with pytest.raises(ValueError, match=r"of another run: \['checksums'\] differ"):
        sk.tl.enhance(other, checkpoint=tmp_path / "kept")


def rewrite(path, change):
    """Change arrays of a stage that was kept."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    np.savez(path, **change(arrays))


def with_value(name, value, place=0):
    def change(arrays):
        arrays[name].flat[place] = value
        return arrays

    return change


DAMAGED = {
    "an index outside": ("graph", with_value("indices", 10**6), "indices from 0 to 1000000, outside 0 to 149"),
    "a negative index": ("graph", with_value("indices", -1), "indices with negative values"),
    "pointers that fall": ("graph", with_value("indptr", 10**6, 3), "pointers"),
    "no integers": ("graph", lambda a: a | {"indices": a["indices"].astype(float)}, "indices that are not integers"),
    "other lengths": ("graph", lambda a: a | {"data": a["data"][:-1]}, "where the pointers name"),
    "missing values": ("bank", with_value("h", np.nan), "h with missing, infinite"),
    "negative values": ("bank", with_value("w", -1.0), "w with negative values"),
    "another shape": ("bank", lambda a: a | {"h": a["h"][:-1]}, r"h of shape \(149, 55\), expected \(150, 55\)"),
    "an array less": ("bank", lambda a: {n: v for n, v in a.items() if n != "x"}, r"\['x'\] missing"),
    "an array more": ("bank", lambda a: a | {"y": a["x"]}, r"\['y'\] unknown"),
    "complex values": ("bank", lambda a: a | {"h": a["h"].astype(complex)}, "h with missing, infinite or other"),
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept") / "run"
    data = sk.datasets.toy_study(n_cells=150, n_peaks=600, rng=2).adata
    sk.tl.enhance(data, checkpoint=folder)
    return folder


@pytest.mark.parametrize("name", DAMAGED)
def test_contents_that_cannot_be_of_this_run_are_refused(adata, kept, tmp_path, name):
    stage, change, why = DAMAGED[name]
    shutil.copytree(kept, tmp_path / "run")
    rewrite(tmp_path / "run" / f"{stage}.npz", change)
    with pytest.raises(ValueError, match=rf"{stage}\.npz is damaged \(.*{why}.*remove it, and the stage is done anew"):
        sk.tl.enhance(adata, checkpoint=tmp_path / "run")
    assert "sccase" not in adata.uns


@pytest.mark.parametrize(("stage", "name"), [("start", "h"), ("point", "a"), ("point", "trace")])
def test_points_of_a_descent_are_judged_too(adata, tmp_path, stage, name):
    sk.tl.enhance(adata, **OPTIONS["scCASE"], checkpoint=tmp_path / "run")
    rewrite(tmp_path / "run" / f"{stage}.npz", with_value(name, np.inf))
    with pytest.raises(ValueError, match=rf"{stage}\.npz is damaged \({name} with missing, infinite"):
        sk.tl.enhance(adata, **OPTIONS["scCASE"], checkpoint=tmp_path / "run")


def test_a_generator_is_its_state(adata, tmp_path):
    """The same state takes up the run, another is another run; a seed is the generator that it makes."""
    first, second = adata.copy(), adata.copy()
    sk.tl.enhance(first, rng=np.random.default_rng(0), checkpoint=tmp_path / "run")
    with pytest.raises(ValueError, match=r"of another run: \['rng'\] differ"):
        sk.tl.enhance(adata, rng=np.random.default_rng(1), checkpoint=tmp_path / "run")
    used = np.random.default_rng(0)
    used.random()
    with pytest.raises(ValueError, match=r"of another run: \['rng'\] differ"):
        sk.tl.enhance(adata, rng=used, checkpoint=tmp_path / "run")
    assert "sccase" not in adata.uns
    for rng in (np.random.default_rng(0), 0):
        sk.tl.enhance(second, rng=rng, checkpoint=tmp_path / "run")
        same(first, second)

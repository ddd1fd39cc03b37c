"""A method is one file: what is written below once gets checks, progress, checkpoint, command line and record."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

import anndata as ad
import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit._record import recorded
from sccase_kit.enhance import METHODS, Enhancement, Method, option, register
from sccase_kit.enhance.method import TAKES, methods_that_take

COMPUTED = []


@dataclass(frozen=True)
class Mean(Method):
    """Every cell becomes the mean of its group of cells."""

    name = "mean"
    summary = "mean of groups of cells, as an example"
    takes = frozenset({"checkpoint", "depth"})

    n_groups: int = option(4, "groups of cells", minimum=2)
    power: float = option(1.0, "power of the sizes", minimum=0, exclusive=True)
    start: Literal["random", "order"] = option("random", "how cells are put into groups")
    limit: int | None = option(None, "most cells per group", minimum=1)
    strict: bool = option(False, "whether groups are of one size")

    def columns(self, shape):
        return self.n_groups

    def fit(self, data, inputs):
        def groups():
            COMPUTED.append("groups")
            return {"codes": inputs.rng.integers(self.n_groups, size=data.op.shape[0])}

        codes = inputs.stage("groups", groups)["codes"]
        cells = np.eye(self.n_groups)[codes]
        sources = cells / np.maximum(cells.sum(axis=0), 1) ** self.power
        if inputs.depth:
            sources *= data.depth[:, None]
        return Enhancement(cells, None, cells, data.op.rmatmul(sources), sources, info={"sizes": cells.sum(axis=0)})


@pytest.fixture
def mean(monkeypatch):
    COMPUTED.clear()
    monkeypatch.setitem(METHODS, "mean", Mean)
    return register(Mean)


@pytest.fixture
def adata():
    return sk.datasets.toy_study(n_cells=80, n_peaks=300).adata


def test_it_is_fitted_shown_and_recorded(mean, adata, tmp_path, capsys):
    with sk.settings.override(progress=True):
        sk.tl.enhance(adata, method="mean", rng=5)
    assert "enhance" in capsys.readouterr().err
    made = recorded(adata.uns["sccase"], "tl.enhance")
    assert made.params == {
        **{"method": "mean", "n_groups": 4, "power": 1.0, "start": "random", "strict": False},
        **{"depth": False, "dtype": "float32", "rng": 5},
    }
    assert made.results["sizes"].sum() == adata.n_obs
    assert set(made.results["timing"]) == {"prepare", "groups"}
    # the same by hand: group means of the TF-IDF
    codes = np.random.default_rng(5).integers(4, size=adata.n_obs)
    dense = sk.metrics.raw_tfidf(adata).toarray()
    expected = np.array([dense[codes == code].mean(axis=0) for code in codes])
    np.testing.assert_allclose(sk.get.enhanced(adata), expected, atol=1e-6)
    sk.io.write_enhanced(adata, tmp_path / "e.h5ad")
    assert recorded(ad.read_h5ad(tmp_path / "e.h5ad").uns["sccase"]).params == made.params


@pytest.mark.parametrize(
    ("options", "error", "why"),
    [
        ({"n_groups": 1}, ValueError, "n_groups must be at least 2, got 1"),
        ({"n_groups": 2.5}, TypeError, "n_groups must be an integer"),
        ({"power": 0}, ValueError, "power must be greater than 0"),
        ({"power": "high"}, TypeError, "power must be a number"),
        ({"start": "Random"}, ValueError, r"start must be one of \['random', 'order'\], got 'Random'. Did you mean"),
        ({"limit": 0}, ValueError, "limit must be at least 1"),
        ({"strict": 1}, TypeError, "strict must be True or False"),
    ],
)
def test_its_options_are_checked(options, error, why):
    with pytest.raises(error, match=why):
        Mean(**options)


def test_its_options_are_of_pythons_types():
    assert type(Mean(n_groups=np.int64(3)).n_groups) is int
    assert type(Mean(power=2).power) is float


@pytest.mark.parametrize("way", [Mean(n_groups=3), Mean])
def test_objects_and_classes_are_methods_too(mean, adata, way):
    sk.tl.enhance(adata, method=way)
    assert adata.obsm["X_sccase"].shape == (80, 3 if isinstance(way, Mean) else 4)


def test_what_it_cannot_use_is_refused_with_the_methods_that_can(mean, adata):
    with pytest.raises(ValueError, match=r"method='mean' cannot use batch_key; methods that can: \['robust', 'sccase'"):
        sk.tl.enhance(adata, method="mean", batch_key="batch")
    with pytest.raises(ValueError, match=r"method='knn' cannot use depth; methods that can: \[.*'mean'\]"):
        sk.tl.enhance(adata, method="knn", depth=True)
    with pytest.warns(UserWarning, match=r"lam=3\.0 has no effect with method='mean'"):
        sk.tl.enhance(adata, method="mean", lam=3.0)
    assert not np.array_equal(
        sk.get.factors(sk.tl.enhance(adata, method="mean", depth=True, copy=True))[1], sk.get.factors(adata)[1]
    )


def test_a_stage_that_was_kept_is_not_computed_again(mean, adata, tmp_path):
    other = adata.copy()
    sk.tl.enhance(adata, method="mean", checkpoint=tmp_path / "run")
    sk.tl.enhance(other, method="mean", checkpoint=tmp_path / "run")
    assert COMPUTED == ["groups"]
    np.testing.assert_array_equal(*(a.varm["sccase_peak_factors"] for a in (adata, other)))
    with pytest.raises(ValueError, match=r"of another run: \['n_groups'\] differ"):
        sk.tl.enhance(adata, method=Mean(n_groups=3), checkpoint=tmp_path / "run")


def test_the_command_line_has_it(mean, adata, tmp_path, capsys):
    from sccase_kit.cli import main

    adata.write_h5ad(tmp_path / "a.h5ad")
    assert main(["enhance", str(tmp_path / "a.h5ad"), "-o", str(tmp_path / "o.h5ad"), "--method", "mean"]) == 0
    assert recorded(sk.read(tmp_path / "o.h5ad").uns["sccase"]).params["method"] == "mean"
    with pytest.raises(SystemExit):
        main(["enhance", "--help"])
    assert "mean of groups of cells, as an example" in " ".join(capsys.readouterr().out.split())


def test_the_page_and_the_script_have_it(mean, adata):
    from sccase_kit.report._reproduce import code

    sk.tl.enhance(adata, method=Mean(n_groups=3))
    assert code(adata.uns).splitlines()[-1] == "sk.tl.enhance(adata, method=sk.enhance.METHODS['mean'](n_groups=3))"
    with pytest.raises(ValueError, match="the mean method has no objective trace"):
        sk.pl.objective_trace(adata)


def test_methods_that_are_not_whole_are_refused(monkeypatch):
    def made(**parts):
        return dataclass(frozen=True)(type("Bad", (Method,), {"name": "bad", "summary": "bad", **parts}))

    for bad in (object, 3, type("Bare", (Method,), {})):
        with pytest.raises(TypeError, match="must be a subclass of Method"):
            register(bad)
    with pytest.raises(TypeError, match="must have a text 'summary'"):
        register(made(summary=None))
    with pytest.raises(ValueError, match="name='knn' of Bad is taken by Knn"):
        register(made(name="knn"))
    with pytest.raises(ValueError, match=r"takes holds \['gpu'\]"):
        register(made(takes=frozenset({"gpu"})))
    with pytest.raises(ValueError, match=r"options \['layer'\] have the names of other arguments"):
        register(made(layer=option(1, "a"), __annotations__={"layer": int}))
    with pytest.raises(TypeError, match=r"fields \['a'\] are not made by option\(\)"):
        register(made(a=1, __annotations__={"a": int}))
    assert "bad" not in METHODS


@pytest.mark.parametrize("name", METHODS)
def test_every_method_says_what_it_is(name):
    method = METHODS[name]
    assert method.name == name
    assert method.takes <= set(TAKES)
    assert {*method.options()} == {field.name for field in dataclasses.fields(method)}
    for entry in method.options().values():
        assert entry.meaning
        assert entry.needs in (None, "reference", "batch")
        assert entry.needs is None or entry.needs in method.takes
    assert method().params() == method.defaults()


@pytest.mark.parametrize("name", METHODS)
def test_what_a_method_says_it_can_use_changes_its_result(name, tmp_path):
    """And what it does not name is refused: neither is without effect."""
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=200).adata
    sk.pp.filter_peaks(adata)
    k = {} if name in ("robust", "tfidf", "knn") else {"n_components": 3}
    plain = sk.get.enhanced(sk.tl.enhance(adata, method=name, copy=True, **k))
    reference = sk.pp.pseudobulk(adata, "cell_type")
    given = {"reference": reference, "depth": True, "batch": "batch", "checkpoint": tmp_path / "run"}
    for part, value in given.items():
        if part not in METHODS[name].takes:
            with pytest.raises(ValueError, match="cannot use"):
                sk.tl.enhance(adata, method=name, **k, **{TAKES[part]: value})
            continue
        found = sk.get.enhanced(sk.tl.enhance(adata, method=name, copy=True, **k, **{TAKES[part]: value}))
        if part == "checkpoint":
            assert {path.suffix for path in (tmp_path / "run").iterdir()} == {".json", ".npz"}
            np.testing.assert_array_equal(found, plain)
        else:
            assert np.abs(found - plain).max() > 1e-6


def test_options_given_twice_are_refused(adata):
    with pytest.raises(ValueError, match=r"lam is given twice: 100000.0 in method, and lam=10000.0"):
        sk.tl.enhance(adata, 3, method=sk.enhance.Sccase(lam=1e5), lam=1e4)
    one = sk.tl.enhance(adata, 3, method=sk.enhance.Sccase(lam=1e5), copy=True)
    other = sk.tl.enhance(adata, 3, method="sccase", lam=1e5, copy=True)
    np.testing.assert_array_equal(one.obsm["X_sccase"], other.obsm["X_sccase"])
    assert recorded(one.uns["sccase"]).params == recorded(other.uns["sccase"]).params


def test_spellings(adata):
    made = {
        "solver": {"solver": "published"},
        "method": {"method": "published"},
        "both": {"method": "sccase", "solver": "published"},
        "init": {"solver": "published", "init": "published"},
    }
    results = [sk.tl.enhance(adata, 3, copy=True, **arguments) for arguments in made.values()]
    for other in results[1:]:
        np.testing.assert_array_equal(other.layers["sccase"], results[0].layers["sccase"])
        assert recorded(other.uns["sccase"]).params == recorded(results[0].uns["sccase"]).params
    with pytest.raises(
        TypeError, match=r"method must be one of \['robust', 'sccase', 'published', 'paper', 'knn', 'tfidf'\] or"
    ):
        sk.tl.enhance(adata, method=3)
    with pytest.raises(ValueError, match="method='sccase' needs solver='thin'"):
        sk.tl.enhance(adata, method=sk.enhance.Sccase(3), solver="published")


def test_arrays_alone(adata):
    """The same table serves those who have no AnnData."""
    fitted = sk.tl.enhance(adata, copy=True)
    run = sk.enhance.fit(adata.X, sk.enhance.Robust())
    np.testing.assert_array_equal(run.result.cell_factors, fitted.obsm["sccase_cell_factors"])
    consensus = sk.enhance.fit_consensus(sk.enhance.prepare(adata.X))
    np.testing.assert_array_equal(consensus.peak_factors, fitted.varm["sccase_peak_factors"])
    with pytest.raises(ValueError, match="n_components='auto' must be a number here"):
        sk.enhance.fit(adata.X, sk.enhance.Sccase())
    with pytest.raises(ValueError, match="n_components='auto' must be a number here"):
        sk.enhance.fit_sccase(sk.enhance.prepare(adata.X), sk.enhance.ModelOptions())
    seen = []
    sk.enhance.fit_sccase(
        sk.enhance.prepare(adata.X), sk.enhance.ModelOptions(3), report=lambda number, value: seen.append(number)
    )
    assert seen == list(range(1, 1 + len(seen)))
    assert seen


def test_those_who_can():
    assert methods_that_take("device") == ["robust", "sccase"]


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({}, "thin factors or a matrix"),
        ({"cell_factors": np.ones((3, 2))}, "must be given together"),
        ({"matrix": np.ones((4, 2))}, "the embedding has 3 cells"),
        ({"matrix": np.ones((3, 2)), "cell_factors": np.ones((3, 1)), "peak_factors": np.ones((2, 1))}, "not both"),
    ],
)
def test_results_that_cannot_be(parts, why):
    with pytest.raises(ValueError, match=why):
        Enhancement(np.ones((3, 1)), **parts)


@pytest.mark.parametrize(
    "arguments", [{"method": "robust"}, {"method": "published", "n_components": 3}, {"method": "knn"}]
)
def test_a_result_is_read_as_it_was_written(adata, arguments):
    sk.tl.enhance(adata, **arguments)
    fit = Enhancement.read(adata, "sccase", objective=adata.uns["sccase"]["objective"])
    assert fit.thin is (arguments["method"] == "robust")
    again = fit.fields("sccase")
    for axis in ("obsm", "varm", "obsp", "layers"):
        assert {name for name in getattr(adata, axis) if name and "sccase" in name} == set(again[axis])
        for name, value in again[axis].items():
            stored = getattr(adata, axis)[name]
            assert not (abs(stored - value) > 0).sum() if sparse.issparse(value) else np.array_equal(stored, value)

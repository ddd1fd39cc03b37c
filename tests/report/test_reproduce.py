"""The code on the page repeats the study."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit._calls import made_by
from sccase_kit._record import record
from sccase_kit.pages.versions import versions
from sccase_kit.report._reproduce import NO_STEPS, STUDY, UNRECORDED, code, page_call, parameter_table


def test_the_script_gives_the_same_result(tmp_path):
    adata = sk.datasets.toy_study(n_cells=80, n_peaks=400).adata
    adata.write_h5ad(tmp_path / "counts.h5ad")
    sk.pp.tfidf(adata, variant="log", key_added="log")
    sk.tl.enhance(adata, 5, method="sccase", depth=True, batch_key="batch", rng=3, key_added="fit")
    sk.tl.cluster(adata, method="leiden", use_rep="X_fit", resolution=0.4)
    sk.tl.cluster(adata, 3, use_rep="X_fit", key_added="three")
    sk.tl.specific_peaks(adata, "cell_type", n_top=20, ranking="contrast", alpha=1, min_specificity=0, key="fit")
    sk.tl.background_peaks(adata, n_top=30, key="fit")
    sk.tl.scabc(adata, "cell_type", n_top=10)
    adata.write_h5ad(tmp_path / "result.h5ad")
    adata = sk.read(tmp_path / "result.h5ad")  # the way numbers and None come back from a file
    script = code(adata.uns, source=str(tmp_path / "counts.h5ad"))
    space = {}
    exec(script, space)  # the script is ours, made above
    again = space["adata"]
    np.testing.assert_array_equal(sk.get.factors(again, key="fit")[0], sk.get.factors(adata, key="fit")[0])
    for name in ("leiden", "three"):
        assert again.obs[name].tolist() == adata.obs[name].tolist()
    assert again.uns["specific_peaks"]["peaks"].equals(adata.uns["specific_peaks"]["peaks"])
    assert again.uns["scabc"]["top"]["peak"].tolist() == adata.uns["scabc"]["top"]["peak"].tolist()
    assert (again.layers["log"] != adata.layers["log"]).nnz == 0


def repeated(adata, tmp_path):
    """Return what the script makes of the counts, and its lines, after the results went through a file."""
    adata.write_h5ad(tmp_path / "result.h5ad")
    script = code(sk.read(tmp_path / "result.h5ad").uns, source=str(tmp_path / "counts.h5ad"))
    space = {}
    exec(script, space)  # the script is ours, made above
    return space["adata"], script.removeprefix("import numpy as np\n").splitlines()[3:]


def check_same(again, adata):
    assert again.obs.equals(adata.obs)
    assert again.var_names.equals(adata.var_names)
    assert again.X.dtype == adata.X.dtype
    assert (again.X != adata.X).nnz == 0
    assert set(adata.obsm) == set(again.obsm)
    for name in adata.obsm:
        np.testing.assert_array_equal(again.obsm[name], adata.obsm[name])
    for name in {"tfidf"} & set(adata.layers):
        assert (again.layers[name] != adata.layers[name]).nnz == 0


def test_steps_of_preparation_are_repeated_in_their_order(tmp_path):
    adata = sk.datasets.toy_study(n_cells=160, n_peaks=600).adata
    adata.write_h5ad(tmp_path / "counts.h5ad")
    sk.pp.filter_peaks(adata, min_fraction=0.03)
    adata = sk.pp.subsample_cells(adata, fraction=0.8, groupby="cell_type", rng=5)
    adata = sk.pp.filter_cells(adata, min_peaks=12, min_counts=14, copy=True)
    adata = sk.pp.dropout(adata, 0.1, rng=3)
    sk.pp.filter_peaks(adata, min_fraction=0.04, by="counts")
    sk.pp.binarize(adata)
    sk.pp.filter_peaks(adata, min_fraction=0.04, by="counts")
    sk.tl.enhance(adata, 5, method="sccase")
    again, lines = repeated(adata, tmp_path)
    assert lines == [
        f"# {UNRECORDED}",
        "sk.pp.filter_peaks(adata, min_fraction=0.03)",
        "adata = sk.pp.subsample_cells(adata, fraction=0.8, groupby='cell_type', rng=5)",
        "sk.pp.filter_cells(adata, min_peaks=12, min_counts=14.0)",
        "adata = sk.pp.dropout(adata, rate=0.1, rng=3)",
        "sk.pp.filter_peaks(adata, min_fraction=0.04, by='counts')",
        "sk.pp.binarize(adata)",
        "sk.pp.filter_peaks(adata, min_fraction=0.04, by='counts')",
        "sk.tl.enhance(adata, n_components=5, method='sccase')",
    ]
    check_same(again, adata)


def test_results_are_repeated_between_the_steps_that_they_came_between(tmp_path):
    adata = sk.datasets.toy_study(n_cells=120, n_peaks=500).adata
    adata.write_h5ad(tmp_path / "counts.h5ad")
    sk.pp.tfidf(adata)
    sk.pp.filter_peaks(adata, min_fraction=0.03)
    sk.tl.enhance(adata, 4, method="sccase")
    sk.tl.enhance(adata, 4, method="sccase", key_added="again")
    sk.tl.cluster(adata, 3)
    sk.pp.filter_cells(adata, min_counts=20)
    sk.pp.filter_peaks(adata, min_fraction=0.02)
    sk.tl.enhance(adata, 5, method="sccase", key_added="again")
    sk.tl.cluster(adata, 3, use_rep="X_again", key_added="late")
    again, lines = repeated(adata, tmp_path)
    assert lines[1:] == [
        "sk.pp.tfidf(adata)",
        "sk.pp.filter_peaks(adata, min_fraction=0.03)",
        "sk.tl.enhance(adata, n_components=4, method='sccase')",
        "sk.tl.cluster(adata, n_clusters=3)",
        "sk.pp.filter_cells(adata, min_counts=20.0)",
        "sk.pp.filter_peaks(adata, min_fraction=0.02)",
        "sk.tl.enhance(adata, n_components=5, method='sccase', key_added='again')",
        "sk.tl.cluster(adata, n_clusters=3, use_rep='X_again', key_added='late')",
    ]
    check_same(again, adata)


def used(seed):
    """A generator from which something was drawn before."""
    rng = np.random.default_rng(seed)
    rng.random(3)
    return rng


def test_calls_with_a_generator_are_repeated(tmp_path):
    adata = sk.datasets.toy_study(n_cells=90, n_peaks=300).adata
    adata.write_h5ad(tmp_path / "counts.h5ad")
    adata = sk.pp.subsample_cells(adata, n_cells=80, rng=np.random.default_rng(3))
    adata = sk.pp.dropout(adata, 0.1, rng=used(4))
    sk.pp.filter_peaks(adata)
    sk.tl.enhance(adata, 3, method="sccase", rng=used(5))
    sk.tl.enhance(adata, key_added="other", rng=None)
    again, lines = repeated(adata, tmp_path)
    assert "adata = sk.pp.subsample_cells(adata, n_cells=80, rng=np.random.default_rng(3))" in lines
    assert "sk.tl.enhance(adata, n_components=3, method='sccase', rng=rng)" in lines
    check_same(again, adata)


def test_steps_without_a_seed_say_so():
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=300).adata
    adata = sk.pp.subsample_cells(adata, n_cells=50)
    adata.uns["sccase_kit_steps"]["0000"]["params"]["rng"] = "generator"  # as version 0.1 wrote it
    line = "adata = sk.pp.subsample_cells(adata, n_cells=50)  # rng: no number was given then, so the results differ by"
    assert code(adata.uns).splitlines()[-1] == f"{line} chance"


def test_data_from_before_steps_were_recorded():
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=300).adata
    sk.tl.enhance(adata, 3, method="sccase")
    assert f"# {NO_STEPS}" in code(adata.uns)
    adata.uns["sccase"]["n_steps_before"] = "none"
    adata.uns["sccase_kit_steps"] = {"0000": {"function": "pp.of_tomorrow", "params": {}}}
    assert code(adata.uns).splitlines()[4:] == [
        "# sk.pp.of_tomorrow: not in this version",
        "sk.tl.enhance(adata, n_components=3, method='sccase')",
    ]


def test_other_seeds_give_the_same_result(tmp_path):
    """What is random, with seeds and options other than the defaults, and runs of chromvar that read each other's."""
    study = sk.datasets.toy_study(n_cells=120, n_peaks=500)
    adata, sets = study.adata, np.random.default_rng(1).random((500, 6)) < 0.2
    sk.pp.filter_peaks(adata, min_fraction=0)
    sets, given = sets[: adata.n_vars], np.random.default_rng(2).integers(adata.n_vars, size=(adata.n_vars, 5))
    adata.var["gc"] = np.random.default_rng(3).uniform(0.3, 0.7, adata.n_vars)
    adata.write_h5ad(tmp_path / "counts.h5ad")
    sk.tl.estimate_k(adata, k_values=range(2, 7), rng=11)
    sk.tl.estimate_k(adata, k_values=range(2, 7), rng=np.random.default_rng(5), key_added="drawn")
    sk.tl.enhance(adata, 5, method="sccase", rng=3)
    sk.tl.cluster(adata, method="leiden", resolution=0.7, rng=5)
    sk.tl.cluster(adata, 3, use_rep="enhanced", rng=6, key_added="three")
    given_names = {"names": list("abcdef")}
    sk.tl.chromvar(adata, sets, **given_names, n_background=7, n_bootstrap=30, rng=9, key_added="zeta")
    sk.tl.chromvar(adata, "zeta_sets", background="zeta_background", min_expected=2.5, n_bootstrap=20, rng=4)
    sk.tl.chromvar(adata, sets, background=given, n_bootstrap=0, key_added="free")
    adata.write_h5ad(tmp_path / "result.h5ad")
    stored = sk.read(tmp_path / "result.h5ad")
    script = code(stored.uns, source=str(tmp_path / "counts.h5ad"))
    assert script.index("key_added='zeta'") < script.index("annotations='zeta_sets'")
    with pytest.raises(NameError, match="annotations"):
        exec(script, {})  # the script is ours, made above
    space = {"annotations": sets, "background": given, **given_names}
    exec(script, space)
    again = space["adata"]
    for key in ("estimate_k", "drawn"):
        np.testing.assert_array_equal(again.uns[key]["curves"].to_numpy(), stored.uns[key]["curves"].to_numpy())
    for key in ("leiden", "three"):
        assert again.obs[key].tolist() == stored.obs[key].tolist()
    for key in ("zeta", "chromvar", "free"):
        np.testing.assert_array_equal(again.varm[f"{key}_background"], stored.varm[f"{key}_background"])
        np.testing.assert_array_equal(again.obsm[f"{key}_z"], stored.obsm[f"{key}_z"])
        a, b = (x.uns[key]["variability"] for x in (again, stored))
        np.testing.assert_array_equal(a.to_numpy(), b.to_numpy())


def test_what_must_be_given_is_said():
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=300).adata
    sk.pp.filter_peaks(adata, min_fraction=0)
    n = adata.n_vars
    given = np.random.default_rng(0).integers(n, size=(n, 4))
    adata.varm["mine"] = np.eye(n, 2) + 1
    options = {"n_bootstrap": 0, "background": given, "rng": np.random.default_rng(0)}
    sk.tl.chromvar(adata, adata.varm["mine"], **options)
    sk.tl.chromvar(adata, "mine", **options, key_added="own")
    sk.tl.chromvar(adata, "mine", n_bootstrap=0, background="own_background", key_added="own")
    head, _, _, _, note, step, first, second = code(adata.uns).splitlines()
    assert head == "import numpy as np"
    assert note == f"# {UNRECORDED}"
    assert step == "sk.pp.filter_peaks(adata, min_fraction=0.0)"
    assert first == (
        "sk.tl.chromvar(adata, annotations=annotations, background=background, n_background=4, n_bootstrap=0, "
        "rng=np.random.default_rng(0))  # give what was used then: annotations, background"
    )
    assert second == (
        "sk.tl.chromvar(adata, annotations='mine', background=background, n_background=4, n_bootstrap=0, "
        "key_added='own')  # give what was used then: background; adata.varm['mine'] must be "
        "there, as it was then"
    )


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda a: sk.tl.enhance(a, 3, method="sccase"), "sk.tl.enhance(adata, n_components=3, method='sccase')"),
        (lambda a: sk.tl.enhance(a), "sk.tl.enhance(adata, method='robust')"),
        (
            lambda a: sk.tl.enhance(a, method=sk.enhance.Sccase(3, lam=1e5)),
            "sk.tl.enhance(adata, n_components=3, method='sccase', lam=100000.0)",
        ),
        (
            lambda a: sk.tl.enhance(a, method=sk.enhance.Knn(n_neighbors=4, n_components=9)),
            "sk.tl.enhance(adata, n_components=9, method=sk.enhance.METHODS['knn'](n_neighbors=4))",
        ),
        (
            lambda a: sk.tl.enhance(a, 3, sk.pp.pseudobulk(a, "cell_type"), method="sccase", n_reference=2),
            "sk.tl.enhance(adata, n_components=3, reference=reference, method='sccase', n_reference=2)"
            "  # give what was used then: reference",
        ),
    ],
)
def test_only_what_differs_from_the_defaults_is_written(make, line):
    adata = sk.datasets.toy_study(n_cells=80, n_peaks=400).adata
    make(adata)
    assert code(adata.uns).splitlines()[-1] == line


def test_unknown_results_are_left_out():
    assert made_by({"params": {"a": 1}}) is None
    assert made_by({"a": 1}) is None
    text = code({"x": {"params": {"a": 1}}, "y": 3, "z": {"params": "no"}}, source="it's.h5ad")
    assert text == f'import sccase_kit as sk\n\nadata = sk.read("it\'s.h5ad")\n# {NO_STEPS}'


def test_another_tool_is_not_repeated():
    """Its entry has names that sk.tl.great has too; and it may be replaced, which is said."""
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=300).adata
    adata.uns["enrich"] = {"params": {"genome": "hg38", "gene_sets": "GO"}}
    assert "enrich" not in code(adata.uns)
    table = parameter_table(adata.uns).set_index("stored in")["function"]
    assert table["enrich"].eq("").all()
    assert table["toy_study"].eq("datasets.toy_study").all()
    assert "# made by sk.datasets.toy_study(" in code(adata.uns)
    with pytest.warns(UserWarning, match=r"uns\['enrich'\] is not of this package and is replaced"):
        sk.pp.tfidf(adata, key_added="enrich")
    assert made_by(adata.uns["enrich"]) == "pp.tfidf"


def test_functions_that_return_tables_are_assigned():
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=300).adata
    record(adata, "great", "tl.great", params={"genome": "hg38", "gene_sets": "GO"}, table=None)
    record(adata, "new", "tl.of_tomorrow", params={})
    assert code(adata.uns).splitlines()[4:] == [
        "great = sk.tl.great(adata, genome='hg38', gene_sets='GO')",
        "# sk.tl.of_tomorrow: not in this version",
    ]


def test_every_function_of_a_study_exists():
    for name in STUDY:
        package, function = name.split(".")
        assert callable(getattr(getattr(sk, package), function))


def test_the_table_shows_what_was_given(full, tmp_path):
    adata = full.copy()
    sk.tl.cluster(adata, key_added="free")
    sk.tl.enhance(adata, 4, sk.pp.pseudobulk(adata, "cell_type"), method="sccase", key_added="second")
    adata.uns["leiden"] = {"params": {"resolution": 1.0, "n_iterations": -1, "note": ""}}  # as scanpy stores it
    adata.write_h5ad(tmp_path / "result.h5ad")
    for uns in (adata.uns, sk.read(tmp_path / "result.h5ad").uns):
        table = parameter_table(uns)
        found = {key: dict(zip(t["parameter"], t["value"], strict=True)) for key, t in table.groupby("stored in")}
        assert found["sccase"] == {
            **{"n_components": "auto", "batch_key": "batch", "method": "robust", "dtype": "float32"},
            **{"depth": False, "rng": 0},
        }
        assert (found["second"]["reference"], found["second"]["n_reference"]) == ("given", 5)
        assert found["second"]["n_components"] == 4
        assert found["louvain"]["n_clusters"] == 4
        assert "n_clusters" not in found["free"]
        assert not {"min_expected", "r_seed", "weight", "layer", "key"} & set(found["chromvar"])
        assert "depth" not in found["scabc"]
        assert found["leiden"] == {"resolution": 1.0, "n_iterations": -1, "note": ""}


def test_tables(full):
    table = parameter_table(full.uns)
    assert {"stored in", "function", "parameter", "value"} == set(table.columns)
    assert table.iloc[0].tolist() == ["step 1", "pp.filter_peaks", "min_fraction", 0.01]
    found = dict(zip(table["stored in"], table["function"], strict=True))
    assert found["sccase"] == "tl.enhance"
    assert found["louvain"] == "tl.cluster"
    assert found["scabc"] == "tl.scabc"
    assert found["specific_peaks"] == "tl.specific_peaks"
    assert found["background_peaks"] == "tl.background_peaks"
    assert found["chromvar"] == "tl.chromvar"
    assert found["motifs"] == "tl.match_motifs"
    line = "sk.tl.match_motifs(adata, motifs=motifs, sequences=sequences)"
    assert f"\n{line}  # give what was used then: motifs, sequences\n" in code(full.uns)
    shown = versions().set_index("package")["version"]
    assert shown["sccase_kit"] == sk.__version__
    assert shown["numpy"] == np.__version__


def test_the_script_ends_with_the_page():
    given = {"title": None, "key": "sccase", "layer": "counts", "max_cells": 50, "held_out": True, "rng": 0}
    step = pd.DataFrame({"x": [1]})
    step.attrs["interpret"] = {"groupby": "'cl'"}
    call = page_call("a.html", "cl", given, tables={"peaks": step})
    assert call == [
        "sk.report.write_report(adata, 'a.html', 'cl', layer='counts', max_cells=50, held_out=True, tables=tables)"
    ]
    own = page_call("a.html", None, {}, tables={"Mine": pd.DataFrame()}, command="sccase-kit report x")
    assert own == [
        "sk.report.write_report(adata, 'a.html', tables=tables)  # in tables, give what was used then: Mine",
        "# from a shell: sccase-kit report x",
    ]
    assert code({}, last=["x()"]).splitlines()[-1] == "x()"

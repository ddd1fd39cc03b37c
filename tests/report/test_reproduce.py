"""The code on the page repeats the study."""

from __future__ import annotations

import numpy as np
import pytest

import sccase_kit as sk
from sccase_kit.report._reproduce import code, made_by, parameter_table, versions


def test_the_script_gives_the_same_result(tmp_path):
    adata = sk.datasets.toy_study(n_cells=80, n_peaks=400).adata
    adata.write_h5ad(tmp_path / "counts.h5ad")
    sk.pp.tfidf(adata, variant="log", key_added="log")
    sk.tl.enhance(adata, 5, method="sccase", depth=True, batch_key="batch", rng=3, key_added="fit")
    sk.tl.cluster(adata, method="leiden", use_rep="X_fit", resolution=0.4)
    sk.tl.cluster(adata, 3, use_rep="X_fit", key_added="three")
    sk.tl.specific_peaks(adata, "cell_type", n_top=20, alpha=1, min_specificity=0, key="fit")
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


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda a: sk.tl.enhance(a, 3, method="sccase"), "sk.tl.enhance(adata, n_components=3, method='sccase')"),
        (lambda a: sk.tl.enhance(a), "sk.tl.enhance(adata, method='robust')"),
        (
            lambda a: sk.tl.enhance(a, 3, sk.pp.pseudobulk(a, "cell_type"), method="sccase", n_reference=2),
            "sk.tl.enhance(adata, n_components=3, reference=reference, method='sccase', n_reference=2)"
            "  # reference: the data used then",
        ),
    ],
)
def test_only_what_differs_from_the_defaults_is_written(make, line):
    adata = sk.datasets.toy_study(n_cells=80, n_peaks=400).adata
    make(adata)
    assert code(adata.uns).splitlines()[-1] == line


def test_unknown_results_are_left_out():
    assert made_by({"a": 1}) is None
    text = code({"x": {"params": {"a": 1}}, "y": 3, "z": {"params": "no"}}, source="it's.h5ad")
    assert text == 'import sccase_kit as sk\n\nadata = sk.read("it\'s.h5ad")'


def test_every_stored_function_exists():
    from sccase_kit.report._reproduce import STORED

    for name in STORED:
        package, function = name.split(".")
        assert callable(getattr(getattr(sk, package), function))


def test_tables(full):
    table = parameter_table(full.uns)
    assert {"stored in", "function", "parameter", "value"} == set(table.columns)
    found = dict(zip(table["stored in"], table["function"], strict=True))
    assert found["sccase"] == "tl.enhance"
    assert found["louvain"] == "tl.cluster"
    assert found["scabc"] == "tl.scabc"
    assert found["specific_peaks"] == "tl.specific_peaks"
    assert found["background_peaks"] == "tl.background_peaks"
    assert found["chromvar"] == "tl.chromvar"
    assert found["motifs"] == "tl.match_motifs"
    shown = versions().set_index("package")["version"]
    assert shown["sccase_kit"] == sk.__version__
    assert shown["numpy"] == np.__version__

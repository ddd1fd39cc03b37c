"""`traits`: groups in which planted variants act, as a table and as data; names of traits; refusals."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk


@pytest.fixture(scope="module")
def variants(study, tmp_path_factory):
    """Variants in the peaks that are specific to the second type."""
    peaks = study.adata.var[study.adata.var["specific_to"].astype(str) == "type_2"].iloc[:40]
    path = tmp_path_factory.mktemp("variants") / "second.trait.bed"
    bed = pd.DataFrame({"c": peaks["chrom"], "s": peaks["start"] + 5, "e": peaks["start"] + 6, "n": "rs", "p": 0.9})
    bed.to_csv(path, sep="\t", header=False, index=False)
    return path


def test_the_type_of_the_planted_variants_comes_first(call, call_json, enhanced_file, variants, tmp_path):
    argv = ["traits", enhanced_file, "-g", "cell_type", "--permutations", 199]
    code, out, err = call(*argv, "--variants", variants)
    assert code == 0, err
    table = pd.read_csv(io.StringIO(out), sep="\t")
    assert table.iloc[0][["trait", "group"]].tolist() == ["second", "type_2"]
    adata = sk.read(enhanced_file)
    sk.tl.trait_scores(adata, {"second": str(variants)}, "cell_type", bias=None, n_permutations=199)
    np.testing.assert_allclose(table["score"], adata.uns["traits"]["groups"]["score"], rtol=1e-5)
    given = call_json(*argv, "--variants", f"mine={variants}", "--bias", "gc", "-o", tmp_path / "t.h5ad")
    assert given["groups that pass (FDR 0.05)"]["mine"].split(", ")[0] == "type_2"
    assert given["peaks with a variant"] == {"mine": adata.uns["traits"]["traits"]["n_peaks"].tolist()[0]}
    assert given["stored in"] == "obsm['traits_z'], obsm['traits_scores'], obsm['traits_p'], uns['traits']"
    assert "mine" in sk.read(tmp_path / "t.h5ad").obsm["traits_scores"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--variants", "none.bed"], "none.bed"),
        (["--variants", "=x.bed"], "--variants '=x.bed': TRAIT=FILE is expected"),
        (["--variants", "a=x.bed", "--variants", "a=y.bed"], "every trait once"),
    ],
)
def test_refusals(call, enhanced_file, argv, message):
    code, out, err = call("traits", enhanced_file, "-g", "cell_type", *argv)
    assert code != 0
    assert message in err
    assert out == ""

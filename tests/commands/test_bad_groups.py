"""Groups and peaks that cannot be used, from the shell: one line says why, nothing is written."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk


@pytest.fixture(scope="module")
def files(study, enhanced_file, tmp_path_factory):
    """Return files whose column g has no label for a cell, one group, or whose peaks have no coordinates; variants."""
    folder = tmp_path_factory.mktemp("bad")
    adata = sk.read(enhanced_file)
    sk.tl.match_motifs(adata, study.motifs, sequences=study.sequences)
    labels = adata.obs["cell_type"].astype(str).to_numpy(object)
    adata.obs["g"] = "all"
    adata.write_h5ad(folder / "one.h5ad")
    labels[3] = np.nan
    adata.obs["g"] = pd.Series(labels, index=adata.obs_names)
    adata.write_h5ad(folder / "unlabelled.h5ad")
    adata.obs["g"] = adata.obs["cell_type"].astype(str)
    adata.var = adata.var.drop(columns=["chrom", "start", "end"])
    adata.var_names = [f"p{k}" for k in range(adata.n_vars)]
    adata.write_h5ad(folder / "nowhere.h5ad")
    peaks = study.adata.var.iloc[:30]
    bed = pd.DataFrame({"c": peaks["chrom"], "s": peaks["start"] + 5, "e": peaks["start"] + 6, "n": "rs", "p": 0.9})
    bed.to_csv(folder / "v.bed", sep="\t", header=False, index=False)
    return folder


COMMANDS = {
    "peaks": [],
    "annotate": ["--markers", "blood", "--genome", "hg38"],
    "traits": ["--variants", "{folder}/v.bed", "--permutations", "9"],
    "motifs": [],
    "interpret": ["--genome", "hg38", "-o", "{out}/meaning"],
}
ONE, UNLABELLED = "has 1 group(s), at least 2 are needed", "has no label for 1 of 120 cells; drop or label them first"
NOWHERE = "coordinates, e.g. ['p0', 'p1', 'p2']"


@pytest.mark.parametrize(
    ("file", "command", "message"),
    [
        *(("one", command, ONE) for command in COMMANDS if command != "traits"),
        *(("unlabelled", command, UNLABELLED) for command in COMMANDS),
        *(("nowhere", command, NOWHERE) for command in ("annotate", "traits", "interpret")),
    ],
)
@pytest.mark.filterwarnings("ignore:.* peak names have no coordinates")
def test_the_reason_is_one_line_and_nothing_is_written(call, files, tmp_path, file, command, message):
    argv = [word.format(folder=files, out=tmp_path) for word in COMMANDS[command]]
    code, out, err = call(command, files / f"{file}.h5ad", "-g", "g", *argv)
    assert (code, out) == (1, "")
    assert message in err
    assert list(tmp_path.rglob("result.tsv")) == []


def test_a_group_without_reads_is_named_by_the_commands(call_json, study, enhanced_file, tmp_path):
    adata = sk.read(enhanced_file)
    labels = adata.obs["cell_type"].astype(str).to_numpy(object)
    labels[:3] = "empty"
    adata.obs["g"] = labels
    matrix = adata.X.tolil()
    matrix[:3] = 0
    adata.X = matrix.tocsr()
    adata.write_h5ad(tmp_path / "in.h5ad")
    argv = [tmp_path / "in.h5ad", "-g", "g", "-n", 20]
    names = ["empty", *(f"type_{k}" for k in range(1, 6))]
    found = call_json("peaks", *argv, "-o", tmp_path / "peaks.tsv")["peaks per group"]
    assert list(found) == names
    assert (found["empty"], min(found[name] for name in names[1:])) == (0, 20)
    found = call_json("interpret", *argv, "--genome", "hg38", "-o", tmp_path / "out")
    assert found["groups"] == [*names, "background"]
    assert found["groups without peaks"] == ["empty"]
    groups = pd.read_csv(tmp_path / "out" / "peaks" / "groups.tsv", sep="\t").set_index("group")
    assert groups.loc["empty", "reason"] == "none of its 3 cells has a read"

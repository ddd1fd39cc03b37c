"""How inputs are named: the modality of MuData, the names of a Matrix Market file."""

import argparse
import importlib

import pytest
from scipy.io import mmwrite

from sccase_kit.cli import COMMANDS

READ = [
    "annotate",
    "cluster",
    "enhance",
    "great",
    "held-out",
    "info",
    "interpret",
    "motifs",
    "peaks",
    "report",
    "tracks",
]


@pytest.mark.parametrize("command", READ)
def test_every_command_that_reads_takes_a_modality(command):
    module = importlib.import_module(f"sccase_kit._commands.{command.replace('-', '_')}")
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    assert "--modality" in parser.format_help()
    assert set(READ) <= set(COMMANDS)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*left out")
def test_a_modality_is_read(call, call_json, study, tmp_path):
    mudata = pytest.importorskip("mudata")
    path = tmp_path / "study.h5mu"
    parts = {name: study.adata[:, first : first + 300].copy() for name, first in (("one", 0), ("two", 300))}
    mudata.MuData(parts).write(path)
    found = call_json("info", path, "--modality", "two")
    assert found["peaks"] == 300
    assert "left out: one (120 × 300)" in found["left out"][0]
    code, _, err = call("info", path)
    assert code == 1
    assert "Name one" in err
    code, _, err = call("info", path, "--modality", "three")
    assert code == 1
    assert "no modality 'three'; there are ['one', 'two']" in err


def test_a_modality_of_regions_is_refused(call, tmp_path):
    (tmp_path / "a.bed").write_text("chr1\t1\t2\n")
    code, _, err = call("great", tmp_path / "a.bed", "--genome", "hg38", "--gene-sets", "GO:BP", "--modality", "atac")
    assert code == 1
    assert "--modality is of MuData" in err


def test_names_of_a_matrix_are_given(call, call_json, study, tmp_path):
    (tmp_path / "names").mkdir()
    mmwrite(tmp_path / "counts.mtx", study.adata.X.T)
    peaks, cells = tmp_path / "names" / "p.txt", tmp_path / "names" / "c.txt"
    peaks.write_text("\n".join(study.adata.var_names) + "\n")
    cells.write_text("\n".join(study.adata.obs_names) + "\n")
    code, _, err = call("info", tmp_path / "counts.mtx")
    assert code == 1
    assert "peaks=" in err
    found = call_json("info", tmp_path / "counts.mtx", "--peak-names", peaks, "--cell-names", cells)
    assert (found["cells"], found["peaks"]) == study.adata.shape
    assert found["peaks with coordinates"] == study.adata.n_vars

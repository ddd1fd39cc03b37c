"""edgeR on numpy inputs and on files."""

from __future__ import annotations

import subprocess

import numpy as np
import pandas as pd
import pytest
from scipy import io, sparse

import sccase_kit as sk
from sccase_kit.r._locate import rscript, scripts_dir

DESIGN = np.column_stack([np.ones(6), [0, 0, 0, 1, 1, 1]])


@pytest.fixture(scope="module")
def counts():
    rng = np.random.default_rng(0)
    rate = rng.gamma(3, 20, 60) * rng.gamma(50, 1 / 50, (6, 60))
    rate[3:, :5] *= 4
    return rng.poisson(rate)


@pytest.mark.r("edgeR")
def test_planted_peaks_come_first_and_the_script_gives_the_same(counts, tmp_path):
    result = sk.r.edger(counts, DESIGN, [[0, 1]])
    assert set(np.argsort(result["pvalue"][0])[:5]) == set(range(5))
    assert (result["logfc"][0, :5] > 1).all()
    assert result["logcpm"].shape == (60,)
    io.mmwrite(tmp_path / "counts.mtx", sparse.csc_matrix(counts.T.astype(float)))
    (tmp_path / "labels.txt").write_text("a\na\na\nb\nb\nb\n")
    given = ["--counts", tmp_path / "counts.mtx", "--labels", tmp_path / "labels.txt", "--out", tmp_path / "out"]
    command = [rscript(), str(scripts_dir() / "edger.R"), *map(str, given)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    written = pd.read_csv(tmp_path / "out" / "pvalue.tsv", sep="\t").iloc[:, -1].to_numpy()
    np.testing.assert_allclose(written, result["pvalue"][0], rtol=1e-5)


def test_shapes_and_fractions_are_refused(counts):
    with pytest.raises(ValueError, match="shapes do not match"):
        sk.r.edger(counts, DESIGN[:4], [[0, 1]])
    with pytest.raises(ValueError, match="must hold integers"):
        sk.r.edger(counts + 0.5, DESIGN, [[0, 1]])

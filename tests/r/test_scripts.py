"""The R scripts used from R alone, on files."""

from __future__ import annotations

import subprocess

import numpy as np
import pandas as pd
import pytest
from scipy import io, sparse

from sccase_kit.r._locate import rscript, scripts_dir


def run(script, *arguments):
    command = [rscript(), str(scripts_dir() / script), *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.mark.r
@pytest.mark.parametrize("script", ["scabc.R", "chromvar.R", "motifmatchr.R", "edger.R", "limma.R"])
def test_help_and_unknown_options(script):
    done = run(script, "--help")
    assert done.returncode == 0
    assert "--out" in done.stdout
    done = run(script, "--nonsense", "1")
    assert done.returncode != 0
    assert "unknown option --nonsense; known: --" in done.stderr
    done = run(script, "--out", "x")
    assert "missing option(s)" in done.stderr


@pytest.mark.r
def test_installer_checks_without_installing():
    done = run("install.R", "--check", "cluster", "scABC")
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert set(lines) >= {"cluster", "WeightedCluster", "Matrix", "scABC"}
    missing = [line for line in lines.values() if "MISSING" in line]
    assert done.returncode == (1 if missing else 0)
    done = run("install.R", "--check", "noSuchPackage")
    assert done.returncode == 1
    assert "unknown: noSuchPackage" in done.stderr


@pytest.mark.r
def test_installer_takes_local_sources(tmp_path):
    source = tmp_path / "sources" / "nabor"
    (source / "R").mkdir(parents=True)
    (source / "DESCRIPTION").write_text("Package: nabor\nVersion: 9.9\nTitle: T\nDescription: D.\nLicense: MIT\n")
    (source / "NAMESPACE").write_text("export(f)\n")
    (source / "R" / "f.R").write_text("f <- function() 1\n")
    code = (
        "a <- commandArgs(TRUE); source(a[[1]]); sources$nabor$needs <- NULL; .libPaths(a[[3]], include.site = FALSE); "
        "status <- main(c(paste0('--from=', a[[2]]), paste0('--lib=', a[[3]]), 'nabor')); quit(status = status)"
    )
    (tmp_path / "lib").mkdir()
    command = [
        rscript(),
        "-e",
        code,
        str(scripts_dir() / "install.R"),
        str(tmp_path / "sources"),
        str(tmp_path / "lib"),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if (tmp_path / "lib" / "nabor").is_dir():
        assert "installed from" in done.stdout
    else:
        assert "present" in done.stdout


@pytest.mark.r("scABC")
def test_scabc_on_files(tmp_path):
    rng = np.random.default_rng(0)
    counts = rng.poisson(1, size=(20, 15)) + 1
    io.mmwrite(tmp_path / "counts.mtx", sparse.coo_matrix(counts.T))
    (tmp_path / "labels.txt").write_text("\n".join(np.repeat(["b", "a"], 10)))
    (tmp_path / "depth.txt").write_text("\n".join(map(str, rng.uniform(1, 2, 20))))
    files = [
        "--counts",
        tmp_path / "counts.mtx",
        "--labels",
        tmp_path / "labels.txt",
        "--depth",
        tmp_path / "depth.txt",
    ]
    done = run("scabc.R", *files, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "out" / "pvalues.tsv", sep="\t", index_col=0)
    assert table.shape == (15, 2)
    assert table.columns.tolist() == ["a", "b"]
    np.testing.assert_allclose(table.sum(axis=1), 1)
    assert (tmp_path / "out" / "beta.tsv").is_file()


@pytest.mark.r("chromVAR")
@pytest.mark.slow
def test_chromvar_on_files(tmp_path):
    rng = np.random.default_rng(0)
    io.mmwrite(tmp_path / "counts.mtx", sparse.coo_matrix(rng.poisson(1, size=(30, 8)) + 1))
    io.mmwrite(tmp_path / "sets.mtx", sparse.coo_matrix((rng.random((30, 2)) < 0.5).astype(int)))
    (tmp_path / "bias.txt").write_text("\n".join(map(str, rng.random(30))))
    (tmp_path / "names.txt").write_text("CTCF\nGATA1\n")
    files = [
        "--counts",
        tmp_path / "counts.mtx",
        "--annotations",
        tmp_path / "sets.mtx",
        "--bias",
        tmp_path / "bias.txt",
    ]
    more = ["--sets", tmp_path / "names.txt", "--iterations", "5", "--bootstrap", "10", "--out", tmp_path / "out"]
    done = run("chromvar.R", *files, *more)
    assert done.returncode == 0, done.stderr
    z = pd.read_csv(tmp_path / "out" / "z.tsv", sep="\t", index_col=0)
    assert z.index.tolist() == ["CTCF", "GATA1"]
    assert z.shape == (2, 8)
    variability = pd.read_csv(tmp_path / "out" / "variability.tsv", sep="\t", index_col=0)
    assert "bootstrap_lower_bound" in variability


@pytest.mark.r("motifmatchr", "TFBSTools")
@pytest.mark.slow
def test_motifs_on_files(tmp_path):
    (tmp_path / "peaks.fa").write_text(">p1\nTTTTTGACGACGTCATTTTTT\n>p2\nAAAAAAAAAAAAAAAAAAAAA\n")
    rows = {base: [30 if letter == base else 0 for letter in "GACGACGTCA"] for base in "ACGT"}
    text = "".join(f"{base} [ {' '.join(map(str, counts))} ]\n" for base, counts in rows.items())
    (tmp_path / "motifs.jaspar").write_text(">M1\ttest\n" + text)
    files = ["--fasta", tmp_path / "peaks.fa", "--jaspar", tmp_path / "motifs.jaspar", "--background", "even"]
    done = run("motifmatchr.R", *files, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert io.mmread(tmp_path / "out" / "matches.mtx").toarray().astype(bool).tolist() == [[True], [False]]
    assert (tmp_path / "out" / "motifs.txt").read_text().startswith("M1")

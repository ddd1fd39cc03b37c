"""`sk.pp.call_peaks`, with MACS3 where it is installed and with a stand-in that records its arguments."""

import shutil
import stat

import pandas as pd
import pytest

import sccase_kit as sk

_STAND_IN = """#!/bin/sh
echo "$@" >> {log}
while [ $# -gt 0 ]; do
  case $1 in --outdir) out=$2;; --barcodes) cp $2 {log}.$(basename $out);; esac
  shift
done
{what}
"""
_PEAKS = 'printf "chr1\\t100\\t900\\tp\\t50\\t.\\t3\\t8\\t5.5\\t300\\n" > $out/peaks_peaks.narrowPeak'


@pytest.fixture
def macs(tmp_path):
    def make(what=_PEAKS):
        path = tmp_path / "macs3"
        path.write_text(_STAND_IN.format(log=tmp_path / "log", what=what))
        path.chmod(path.stat().st_mode | stat.S_IEXEC)
        return str(path)

    return make


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "f.tsv"
    path.write_text("chr1\t1\t50\tA\t1\n")
    return path


def test_what_macs3_is_asked(macs, file, tmp_path):
    found = sk.pp.call_peaks(file, ["A", "B"], genome="mm10", program=macs(), q_value=0.01, options=["--nolambda"])
    assert found.index.tolist() == ["chr1:150-651"]
    asked = (tmp_path / "log").read_text()
    for words in ("callpeak", f"-t {file}", "-f FRAG", "--max-count 1", "-q 0.01", "-g mm", "--nolambda", "--barcodes"):
        assert words in asked
    assert (tmp_path / "log.0").read_text() == "A\nB\n"


def test_peaks_of_groups_and_samples_are_joined(macs, file, tmp_path):
    cells = sk.datasets.toy_study(n_cells=40, n_peaks=200, n_types=2).adata
    cells.obs["sample"] = ["x", "y"] * 20
    cells.obs["barcode"] = cells.obs_names
    found = sk.pp.call_peaks({"x": file, "y": file}, cells, genome="hg38", groupby="cell_type", program=macs())
    assert (tmp_path / "log").read_text().count("callpeak") == 4
    assert found["n_samples"].tolist() == [4]
    asked = [line for i in range(4) for line in (tmp_path / f"log.{i}").read_text().split()]
    assert sorted(asked) == sorted(cells.obs_names)


@pytest.mark.parametrize(
    ("what", "error", "message"),
    [
        ("echo 'INFO x' >&2; echo 'bad file' >&2; exit 1", RuntimeError, "MACS3 failed on f: bad file"),
        ("touch $out/peaks_peaks.narrowPeak", ValueError, "found no peak"),
    ],
)
def test_failures_are_told(macs, file, what, error, message):
    with pytest.raises(error, match=message):
        sk.pp.call_peaks(file, genome="hg38", program=macs(what))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"genome": "danRer11"}, ValueError, "pass genome_size="),
        ({"cells": 5}, TypeError, "must be barcodes here"),
        ({"groupby": "type"}, TypeError, "needs an AnnData"),
        ({"q_value": 0}, ValueError, "q_value"),
        ({"program": "no-such-program"}, RuntimeError, "pip install macs3"),
    ],
)
def test_arguments(macs, file, options, error, message):
    with pytest.raises(error, match=message):
        sk.pp.call_peaks(file, **({"genome": "hg38", "program": macs()} | options))


@pytest.mark.skipif(shutil.which("macs3") is None, reason="MACS3 is not installed")
def test_macs3_itself_finds_the_peaks(tmp_path):
    study = sk.datasets.toy_study(n_cells=200, n_peaks=400, n_types=3, capture=2)
    path = sk.datasets.write_toy_fragments(study, tmp_path / "fragments.tsv.gz")
    found = sk.pp.call_peaks(path, study.adata, genome="hg38", q_value=1e-5)
    assert isinstance(found, pd.DataFrame)
    deep = study.adata.var[study.adata.X.sum(axis=0).A1 > 30]
    hits = sk.regions.overlap(deep[["chrom", "start", "end"]], found[["chrom", "start", "end"]])
    assert len(hits) > 0.9 * len(deep)

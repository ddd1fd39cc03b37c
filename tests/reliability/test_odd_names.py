"""Names that a shell, a spreadsheet or a table could take for something else stay names, in files and programs."""

from __future__ import annotations

import csv
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

import sccase_kit as sk
from sccase_kit._tables import read_table

SHELL = ["a b", "it's", 'say "x"', "$(touch pwned)", "a;touch pwned", "`touch pwned`", "a|b", "ä & ö", "*", "--help"]
FORMULAS = ["=1+1", "=HYPERLINK(A1)", "+1", "-1+2", "@SUM(A1)", "=cmd|' /C calc'!A0"]
NEEDS_BEDTOOLS = pytest.mark.skipif(
    not any(Path(p, "bedtools").is_file() for p in os.environ.get("PATH", "").split(os.pathsep)), reason="no bedtools"
)
PROGRAM = """#!{python}
import json, pathlib, sys
log = pathlib.Path({log!r})
log.write_text(json.dumps(sys.argv[1:]))
if "--out" in sys.argv and pathlib.Path(sys.argv[0]).name == "snpsea":
    out = pathlib.Path(sys.argv[sys.argv.index("--out") + 1])
    (out / "condition_pvalues.txt").write_text("condition\\tpvalue\\tnulls_observed\\tnulls_tested\\na\\t1\\t1\\t1\\n")
"""


def put_program(name, folder, monkeypatch):
    """Put a stand-in on the PATH that notes its arguments; return where."""
    place, log = folder / "programs" / name, folder / "arguments.json"
    place.parent.mkdir(exist_ok=True)
    place.write_text(PROGRAM.format(python=sys.executable, log=str(log)))
    place.chmod(place.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{place.parent}{os.pathsep}{os.environ['PATH']}")
    return log


def regions(names):
    start = np.arange(len(names)) * 100
    return pd.DataFrame({"chrom": names, "start": start, "end": start + 50})


@NEEDS_BEDTOOLS
@pytest.mark.usefixtures("in_folder")
@pytest.mark.parametrize("verb", ["overlap", "merge", "coverage", "closest", "window"])
def test_bedtools_takes_chromosomes_of_any_name(verb):
    pytest.importorskip("pybedtools")
    a, b = regions([*SHELL, *FORMULAS]), regions([*SHELL, *FORMULAS]).assign(start=lambda t: t["start"] + 10)
    given = (a,) if verb == "merge" else (a, b)
    ours, theirs = (getattr(sk.regions, verb)(*given, engine=engine) for engine in ("native", "bedtools"))
    pd.testing.assert_frame_equal(pd.DataFrame(ours), pd.DataFrame(theirs), check_dtype=False)
    assert not Path("pwned").exists()


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@NEEDS_BEDTOOLS
def test_a_bed_file_holds_names_as_they_are(tmp_path):
    pytest.importorskip("pybedtools")
    names = [*SHELL, *FORMULAS]
    table = regions(["chr1"] * len(names)).assign(name=names)
    path = sk.io.write_bed(table, tmp_path / 'it\'s "a" $(file).bed')
    assert [line.split("\t")[3] for line in Path(path).read_text(encoding="utf-8").splitlines()] == names
    assert sk.regions.read_bed(path)["name"].tolist() == names


@pytest.mark.usefixtures("in_folder")
def test_snpsea_gets_files_of_any_name(tmp_path, monkeypatch):
    log = put_program("snpsea", tmp_path, monkeypatch)
    folder = tmp_path / "$(touch pwned) it's"
    folder.mkdir()
    given = {}
    for name in ("snps", "gene_matrix", "gene_intervals", "snp_intervals", "null_snps"):
        given[name] = folder / f'{name} ;touch pwned "x"'
        given[name].write_text("rs1\n")
    sk.io.run_snpsea(given.pop("snps"), folder / "the out; put", **given)
    arguments = json.loads(log.read_text())
    assert [arguments[arguments.index(f"--{name.replace('_', '-')}") + 1] for name in given] == [
        str(path) for path in given.values()
    ]
    assert not list(tmp_path.rglob("pwned"))


@NEEDS_BEDTOOLS
def test_groups_of_any_name_become_files_of_snpsea(tmp_path):
    pytest.importorskip("pybedtools")
    groups = [*SHELL, *FORMULAS, "two\nlines"]
    peaks = regions(["chr1"] * len(groups)).assign(group=groups)
    snps = pd.DataFrame({"chrom": "chr1", "pos": peaks["start"] + 5, "snp": [f"rs{k}" for k in range(len(groups))]})
    files = sk.io.write_snpsea(peaks, snps, tmp_path / "out", groupby="group")
    assert list(files) == groups
    for k, group in enumerate(groups):
        lines = files[group].read_text(encoding="utf-8").splitlines()
        assert lines[1:] == ["CHR\tPOS\tSNP", f"chr1\t{k * 100 + 5}\trs{k}"]
        assert lines[0].startswith("# ")


@pytest.mark.usefixtures("in_folder")
def test_ldsc_gets_arguments_of_any_name(tmp_path, monkeypatch):
    from sccase_kit.ldsc.program import run_ldsc

    log = put_program("ldsc.py", tmp_path, monkeypatch)
    run_ldsc(["--h2", *SHELL, *FORMULAS])
    assert json.loads(log.read_text()) == ["--h2", *SHELL, *FORMULAS]
    assert not Path("pwned").exists()


def test_the_script_of_ldsc_runs_nothing_that_a_name_says(tmp_path, monkeypatch):
    log = put_program("ldsc.py", tmp_path, monkeypatch)
    panel = tmp_path / "it's $(touch pwned)."
    Path(f"{panel}1.bim").write_text("1\trs1\t0\t50\tA\tC\n")
    peaks = regions(["chr1"]).assign(group="$(touch pwned); 'x'", end=80)
    if not any(Path(p, "bedtools").is_file() for p in os.environ["PATH"].split(os.pathsep)):
        pytest.skip("no bedtools")
    sk.io.write_ldsc_annot(peaks, tmp_path / "out `touch pwned`", panel=panel, groupby="group")
    script = tmp_path / "out `touch pwned`" / "run_ldsc.sh"
    done = subprocess.run(
        ["bash", str(script), "a; touch pwned.gz"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert log.exists(), done.stderr
    assert not [p for p in tmp_path.rglob("pwned*") if p.is_file()]


@pytest.mark.parametrize("separator", [",", "\t"])
def test_formulas_in_a_table_are_text(tmp_path, separator):
    """They are read back as they were written: nothing is put in front of them, and nothing is computed."""
    path = tmp_path / "table.txt"
    table = pd.DataFrame({"name": [*FORMULAS, *SHELL], "n": range(len(FORMULAS) + len(SHELL))})
    table.to_csv(path, sep=separator, index=False)
    assert read_table(path, text=["name"])["name"].tolist() == table["name"].tolist()
    with path.open(newline="") as handle:
        assert [row[0] for row in csv.reader(handle, delimiter=separator)][1:] == table["name"].tolist()


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".h5ad"])
def test_formulas_as_names_of_cells_and_groups_are_text(tmp_path, suffix):
    path = tmp_path / f"counts{suffix}"
    names, peaks = FORMULAS, [f"chr1:{k * 100}-{k * 100 + 50}" for k in range(4)]
    counts = np.random.default_rng(0).integers(0, 3, (len(names), len(peaks)))
    if suffix in (".csv", ".tsv"):
        pd.DataFrame(counts, names, peaks).to_csv(path, sep="," if suffix == ".csv" else "\t")
    else:
        obs = pd.DataFrame({"group": names}, index=names)
        adata = AnnData(sparse.csr_matrix(counts), obs, pd.DataFrame(index=peaks))
        adata.write_h5ad(path)
    found = sk.read(path)
    assert list(found.obs_names) == names
    if "group" in found.obs:
        assert found.obs["group"].astype(str).tolist() == names


def test_formulas_as_names_of_gene_sets_come_through_the_table_of_results(tmp_path):
    genes = pd.DataFrame({"chrom": "chr1", "tss": np.arange(60) * 10_000, "strand": "+"})
    genes["gene_id"] = [f"G{k}" for k in range(60)]
    gmt = tmp_path / "sets.gmt"
    gmt.write_text(
        "".join(f"{name}\t=1+1\t" + "\t".join(f"G{k + j}" for j in range(12)) + "\n" for k, name in enumerate(FORMULAS))
    )
    peaks = pd.DataFrame({"chrom": "chr1", "start": np.arange(30) * 10_000 + 100, "end": np.arange(30) * 10_000 + 200})
    table = sk.tl.great(peaks, None, sk.regions.read_gmt(gmt), tss=genes, chrom_sizes={"chr1": 700_000})
    assert set(table["ID"]) == set(FORMULAS)
    table.to_csv(tmp_path / "great.tsv", sep="\t", index=False)
    assert read_table(tmp_path / "great.tsv", text=["ID"])["ID"].tolist() == table["ID"].tolist()

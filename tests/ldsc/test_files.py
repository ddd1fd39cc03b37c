"""Annotations, lists and scripts for ldsc; running the program."""

import gzip
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit._optional import MissingProgramError
from sccase_kit.io import write_bed, write_ldsc_annot
from sccase_kit.ldsc.program import run_ldsc

pytestmark = pytest.mark.skipif(shutil.which("bedtools") is None, reason="the program bedtools is not installed")


@pytest.fixture
def panel(tmp_path):
    """Write .bim files of two chromosomes; two SNPs share the position 150."""
    for chrom in ("1", "2"):
        places = [50, 150, 150, 250, 350]
        lines = [f"{chrom}\trs{chrom}_{i}\t{i}\t{bp}\tA\tG\n" for i, bp in enumerate(places)]
        (tmp_path / f"panel.{chrom}.bim").write_text("".join(lines))
    return tmp_path / "panel."


@pytest.fixture
def peaks():
    rows = [("chr1", 100, 150), ("chr1", 140, 200), ("chr2", 0, 60), ("chr2", 300, 400)]
    return pd.DataFrame(rows, columns=["chrom", "start", "end"]).assign(group=["B cell"] * 2 + ["T/NK"] * 2)


BACKGROUND = pd.DataFrame({"chrom": ["chr1", "chr2"], "start": [200, 200], "end": [300, 300]})


def read_annotation(file):
    with gzip.open(file, "rt") as handle:
        header, *values = handle.read().splitlines()
    assert header == "ANNOT"
    return [int(v) for v in values]


def test_annotations_follow_the_bim_row_by_row(panel, peaks, tmp_path):
    files = write_ldsc_annot(peaks, tmp_path / "out", panel=panel, groupby="group", background=BACKGROUND)
    assert list(files) == ["B cell", "T/NK", "background"]
    found = {name: [read_annotation(f) for f in parts] for name, parts in files.items()}
    assert found == {
        "B cell": [[0, 1, 1, 0, 0], [0] * 5],
        "T/NK": [[0] * 5, [1, 0, 0, 0, 1]],
        "background": [[0, 0, 0, 1, 0], [0, 0, 0, 1, 0]],
    }


def test_files_of_the_folder(panel, peaks, tmp_path):
    write_ldsc_annot(peaks, tmp_path / "out", panel=panel, groupby="group", background=BACKGROUND)
    folder = tmp_path / "out"
    names = ["B_cell", "T_NK", "background"]
    expected = {f"{n}.bed" for n in names} | {f"{n}.{c}.annot.gz" for n in names for c in "12"}
    assert {p.name for p in folder.iterdir()} == expected | {"cell_types.ldcts", "run_ldsc.sh"}
    assert (folder / "B_cell.bed").read_text() == "chr1\t100\t200\n"
    assert (folder / "cell_types.ldcts").read_text() == ("B_cell\tB_cell.,background.\nT_NK\tT_NK.,background.\n")


def test_same_input_gives_the_same_bytes(panel, peaks, tmp_path):
    for name in ("a", "b"):
        write_ldsc_annot(peaks, tmp_path / name, panel=panel, groupby="group")
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_window_widens_the_peaks(panel, peaks, tmp_path):
    files = write_ldsc_annot(peaks, tmp_path / "out", panel=panel, groupby="group", window=60)
    assert read_annotation(files["B cell"][0]) == [1, 1, 1, 1, 0]


RECORDER = """#!{python}
import json, pathlib, sys
args = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(json.dumps(args) + "\\n")
out = args[args.index("--out") + 1]
if "--h2" in args:
    rows = "Category\\tEnrichment\\tEnrichment_p\\nbaseL2_0\\t1.0\\tNA\\nL2_1\\t3.5\\t0.01\\n"
    pathlib.Path(out + ".results").write_text(rows)
elif "--l2" in args:
    if {fail!r} in out:
        sys.exit("Traceback: no such thing")
    pathlib.Path(out + ".l2.ldscore.gz").touch()
"""


def put_program(folder, monkeypatch, *, fail="nowhere"):
    program = folder / "bin" / "ldsc.py"
    program.parent.mkdir()
    program.write_text(RECORDER.format(python=sys.executable, log=str(folder / "calls.txt"), fail=fail))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return folder / "calls.txt"


def calls(log):
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_script_runs_every_step_of_ldsc(panel, peaks, tmp_path, monkeypatch):
    folder = tmp_path / "with blank"
    write_ldsc_annot(peaks, folder, panel=panel, groupby="group", background=BACKGROUND)
    log = put_program(tmp_path, monkeypatch)
    done = subprocess.run(
        ["bash", str(folder / "run_ldsc.sh"), "trait.sumstats.gz"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    made = calls(log)
    assert len(made) == 3 * 2 + 3 + 1
    for args in made[:6]:
        name, chrom = Path(args[args.index("--out") + 1]).name.rsplit(".", 1)
        assert args[args.index("--annot") + 1] == f"{name}.{chrom}.annot.gz"
        assert args[args.index("--bfile") + 1] == f"{panel}{chrom}"
        assert "--thin-annot" in args
    for args in made[6:9]:
        assert {"--overlap-annot", "--print-coefficients", "--frqfile-chr"} <= set(args)
        assert args[args.index("--ref-ld-chr") + 1].endswith(".")
    assert made[9][:2] == ["--h2-cts", "trait.sumstats.gz"]
    assert made[9][made[9].index("--ref-ld-chr-cts") + 1] == "cell_types.ldcts"


def test_engine_ldsc_runs_the_program_for_every_pair(panel, peaks, tmp_path, monkeypatch):
    log = put_program(tmp_path, monkeypatch)
    statistics = tmp_path / "trait.sumstats.gz"
    pd.DataFrame({"SNP": ["rs1_0"], "N": [10.0], "Z": [1.0]}).to_csv(statistics, sep="\t", index=False)
    found = sk.tl.ldsc(
        peaks, {"height": statistics}, panel=panel, baseline="base.", weights="w.", frequencies="f.", snps=["rs1_0"],
        engine="ldsc",
    )  # fmt: skip
    assert found[["trait", "group", "Category", "Enrichment"]].to_numpy().tolist() == [
        ["height", "B cell", "B cell", 3.5],
        ["height", "T/NK", "T/NK", 3.5],
    ]
    assert len(calls(log)) == 2 * 2 + 2


def test_engine_ldsc_asks_for_files(panel, peaks, tmp_path, monkeypatch):
    put_program(tmp_path, monkeypatch)
    table = pd.DataFrame({"SNP": ["rs1_0"], "N": [10.0], "Z": [1.0]})
    with pytest.raises(ValueError, match="needs weights="):
        sk.tl.ldsc(peaks, table, panel=panel, baseline="base.", engine="ldsc")
    more = {"baseline": "b.", "weights": "w.", "frequencies": "f.", "snps": ["rs1_0"]}
    with pytest.raises(TypeError, match="from a file, got DataFrame"):
        sk.tl.ldsc(peaks, table, panel=panel, engine="ldsc", **more)


def test_what_the_program_says_reaches_the_user(tmp_path, monkeypatch):
    put_program(tmp_path, monkeypatch, fail="broken")
    with pytest.raises(RuntimeError, match="ended with code 1: Traceback: no such thing"):
        run_ldsc(["--l2", "--out", "broken"])


def test_missing_program_says_where_to_get_it(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingProgramError, match=r"ldsc\.py.*engine='python'"):
        run_ldsc(["--l2"])


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"panel": "elsewhere/panel."}, FileNotFoundError, "for any chromosome from 1 to 22"),
        ({"groupby": "cell_type"}, KeyError, "not among the columns of peaks"),
        ({"peaks": "far"}, ValueError, r"no SNP of the panel lies in the peaks of \['T/NK'\]"),
        ({"peaks": "name"}, ValueError, "a group is named 'background'"),
        ({"peaks": "empty"}, ValueError, "empty"),
    ],
)
def test_bad_input_writes_nothing(panel, peaks, tmp_path, change, error, match):
    options = {"panel": panel, "groupby": "group", "background": BACKGROUND} | change
    kind = options.pop("peaks", None)
    if kind == "far":
        peaks.loc[peaks["group"] == "T/NK", ["start", "end"]] += 10_000
    elif kind == "name":
        peaks["group"] = "background"
    elif kind == "empty":
        peaks = peaks.head(0)
    with pytest.raises(error, match=match):
        write_ldsc_annot(peaks, tmp_path / "out", **options)
    assert not [p for p in tmp_path.iterdir() if "out" in p.name]


def test_groups_of_alike_and_long_names_have_their_own_files(panel, peaks, tmp_path):
    long = "T/NK" * 100
    peaks["group"] = ["a/b", "a b", long, long]
    files = write_ldsc_annot(peaks, tmp_path / "out", panel=panel, groupby="group", background=BACKGROUND)
    paths = [path for part in files.values() for path in part]
    assert len(set(paths)) == len(paths)
    assert all(path.is_file() for path in paths)
    listed = (tmp_path / "out" / "cell_types.ldcts").read_text().splitlines()
    assert len({line.split("\t")[0] for line in listed}) == 3


def test_forgotten_dot_of_the_prefix(panel, peaks, tmp_path):
    with pytest.raises(FileNotFoundError, match="Did you mean"):
        write_ldsc_annot(peaks, tmp_path / "out", panel=str(panel)[:-1])


def test_small_annotations_warn(tmp_path):
    lines = [f"1 rs{i} 0 {i + 1} A G\n" for i in range(1000)]
    (tmp_path / "p.1.bim").write_text("".join(lines))
    one = pd.DataFrame({"chrom": ["chr1"], "start": [5], "end": [6]})
    with pytest.warns(UserWarning, match=r"peaks \(0\.100%\)"):
        write_ldsc_annot(one, tmp_path / "o", panel=tmp_path / "p.")


def test_bed_is_sorted_and_named(tmp_path):
    table = pd.DataFrame({"chrom": ["chr2", "chr1"], "start": [5, 7], "end": [9, 9]}, index=["b", "a"])
    assert write_bed(table, tmp_path / "x.bed").read_text() == "chr1\t7\t9\ta\nchr2\t5\t9\tb\n"
    with pytest.raises(ValueError, match="chr2"):
        write_bed(table.assign(end=10**9), tmp_path / "y.bed", genome="hg19")
    assert not (tmp_path / "y.bed").exists()
    assert np.all(table["start"] == [5, 7])

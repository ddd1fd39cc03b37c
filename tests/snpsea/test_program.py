"""The program snpsea, by a stand-in on the PATH."""

import os
import stat
import sys

import pytest

from sccase_kit.io import run_snpsea

STAND_IN = """#!{python}
import pathlib, sys
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
assert all(pathlib.Path(given[k]).is_file() for k in ("--snps", "--gene-matrix", "--null-snps"))
if given["--slop"] == "13":
    sys.exit("ERROR: thirteen")
out = pathlib.Path(given["--out"])
(out / "args.txt").write_text(" ".join(sys.argv[1:]))
(out / "log.txt").write_text("a.b # Computing one column at a time ...\\n..... .\\nNov 1 # done.\\n")
if "--condition" in given:
    (out / "condition.txt").write_text(pathlib.Path(given["--condition"]).read_text())
if given["--slop"] != "14":
    rows = "condition\\tpvalue\\tnulls_observed\\tnulls_tested\\nliver\\t0.5\\t50\\t100\\n"
    (out / "condition_pvalues.txt").write_text(rows)
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a stand-in for the program on the PATH; return the files that it is given."""
    folder = tmp_path / "bin"
    folder.mkdir()
    path = folder / "snpsea"
    path.write_text(STAND_IN.format(python=sys.executable))
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    names = ("gene_matrix", "gene_intervals", "snp_intervals", "null_snps")
    for name in ("snps", *names):
        (tmp_path / name).write_text("rs1\n")
    return {name: tmp_path / name for name in names}


def test_program_is_called_with_its_flags(tmp_path, program):
    out = tmp_path / "out"
    table = run_snpsea(tmp_path / "snps", out, **program, score="total", threads=2, condition=["a b", "c"])
    assert table.to_dict("list") == {
        "condition": ["liver"],
        "pvalue": [0.5],
        "nulls_observed": [50],
        "nulls_tested": [100],
    }
    flags = (out / "args.txt").read_text()
    for part in ("--score total", "--threads 2", "--slop 10000", "--min-observations 100", "--null-snpsets 0"):
        assert part in flags
    assert (out / "condition.txt").read_text() == "a b\nc\n"


def test_progress_follows_the_log_of_the_program(tmp_path, program, monkeypatch):
    seen = []

    class Bar:
        n = 0

        def __enter__(self):
            return self

        def __exit__(self, *_):
            seen.append(self.n)

        def update(self, n):
            self.n += n

    monkeypatch.setattr("sccase_kit.snpsea.program.progress", lambda **_: Bar())
    run_snpsea(tmp_path / "snps", tmp_path / "out", **program)
    assert seen == [6]


@pytest.mark.parametrize(("slop", "message"), [(13, "code 1: ERROR: thirteen"), (14, "wrote no condition_pvalues")])
def test_failing_program_leaves_nothing(tmp_path, program, slop, message):
    with pytest.raises(RuntimeError, match=message):
        run_snpsea(tmp_path / "snps", tmp_path / "out", **program, slop=slop)
    assert not (tmp_path / "out").exists()


def test_missing_files_are_named(tmp_path, program):
    program["null_snps"] = tmp_path / "absent.txt"
    with pytest.raises(FileNotFoundError, match=r"null_snps: there is no file .*absent\.txt"):
        run_snpsea(tmp_path / "snps", tmp_path / "out", **program)

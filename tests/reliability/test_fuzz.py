"""A part of the fuzzing and of the kills, and that they see what they look for."""

from __future__ import annotations

import subprocess
import sys

import fuzz
import fuzz_files
import numpy as np
import pandas as pd


def test_some_damaged_files(tmp_path, monkeypatch):
    """In this process: only damage that no library crashed on."""
    writers = {file: write for file, write in fuzz_files.WRITERS.items() if file not in ("e.rds", "t.rds", "t.rdata")}
    monkeypatch.setattr(fuzz_files, "WRITERS", dict.fromkeys(fuzz_files.WRITERS, _missing) | writers)
    (tmp_path / "whole").mkdir()
    forms = fuzz_files.write_whole(tmp_path / "whole")
    assert forms[".rds, experiment"] is None
    form = forms["tsv"]
    whole = form.read(tmp_path / "whole" / "tsv" / form.name)
    results = set()
    for number in range(60):
        path = tmp_path / form.name
        path.write_bytes((tmp_path / "whole" / "tsv" / form.name).read_bytes())
        damage = form.damage(path, np.random.default_rng([1, number]))
        results.add(fuzz.judge(form, path, whole, damage)[0])
    assert results == {"read", "refused"}


def _missing(*_):
    raise ImportError("not here")


def test_faults_are_seen(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text("a\n")
    whole = pd.DataFrame({"a": [1]})

    def judge(read, *, known=True):
        form = fuzz_files.Form("x.tsv", read, lambda *_: fuzz_files.Damage(""))
        return fuzz.judge(form, path, whole, fuzz_files.Damage("", known=known))[0]

    assert judge(lambda _: whole.copy()) == "read"
    assert judge(lambda _: whole + 1) == "misread"
    assert judge(lambda _: whole + 1, known=False) == "read"
    assert judge(lambda _: pd.DataFrame({"start": [5], "end": [1]}), known=False) == "misread"
    assert judge(lambda p: pd.read_csv(p, sep="\t", usecols=["b"])) == "raw"
    assert judge(lambda _: fuzz_files.sk.read("not there.tsv")) == "raw"  # another file is named


def test_the_same_number_makes_the_same_file():
    data = b"a\tb\tc\n1\t2\t3\n4\t5\t6\n"
    for number in range(20):
        one, two = (fuzz_files.damaged_text(data, np.random.default_rng([0, number]), headed=True)[0] for _ in range(2))
        assert one == two


def test_a_hang_is_of_the_file_that_hangs():
    """Lines that came together are all taken before the process is waited for."""
    code = "import sys; sys.stdout.write('one\\ntwo\\nthree\\n'); sys.stdout.flush()\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, bufsize=0) as process:
        lines = fuzz._Lines(process)
        assert [lines.next(60) for _ in range(3)] == ["one", "two", "three"]
        assert lines.next(0.2) is None
        process.kill()
        assert lines.next(60) == ""

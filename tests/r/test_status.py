from __future__ import annotations

import pandas as pd
import pytest

from sccase_kit import r
from sccase_kit._optional import MissingProgramError
from sccase_kit.r import _locate, _pairs, _status
from sccase_kit.r._locate import rscript, scripts_dir


@pytest.fixture
def no_r(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("R_HOME", raising=False)


def test_without_r_everything_says_so(no_r, capsys):
    assert r.available() is False
    assert r.available("chromVAR") is False
    r.status()
    printed = capsys.readouterr().out
    assert "apt-get install r-base" in printed
    assert "needs R first" in printed
    with pytest.raises(MissingProgramError, match="'Rscript' was not found"):
        rscript()


def test_r_home_comes_before_the_path(monkeypatch, tmp_path):
    program = tmp_path / "bin" / "Rscript"
    program.parent.mkdir()
    program.touch()
    monkeypatch.setenv("R_HOME", str(tmp_path))
    assert rscript() == str(program)


def test_broken_rscript_is_not_r(monkeypatch, tmp_path):
    program = tmp_path / "bin" / "Rscript"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho broken >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("R_HOME", str(tmp_path))
    assert r.available() is False
    table = r.status_table()
    assert "exit status 3" in table.note[0]
    assert "broken" in table.note[0]


@pytest.mark.r
def test_table_has_versions_and_install_lines(capsys, monkeypatch):
    monkeypatch.setitem(_status._PACKAGES, "noSuchPackage", "nothing")
    table = r.status_table().set_index("component")
    assert table.version["R"].count(".") == 2
    assert pd.isna(table.version["noSuchPackage"])
    assert table.note["noSuchPackage"] == f"Rscript {scripts_dir() / 'install.R'} noSuchPackage"
    r.status()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["component", "version", "used_by", "note"]
    assert len(lines) == 1 + len(table)


@pytest.mark.r
def test_available_asks_r():
    assert r.available() is True
    assert r.available("stats", "utils") is True
    assert r.available("stats", "noSuchPackage") is False


@pytest.mark.r("rpy2")
def test_good_pair_has_no_problem():
    assert _status.bridge_problem() is None


FAILURES = {
    "ffi.error: symbol 'R_getVar' not found in library 'libR.so': undefined symbol: R_getVar": "R lacks R_getVar",
    "ImportError: _rinterface_cffi_api.abi3.so: undefined symbol: R_ClosureBody": "R lacks R_ClosureBody",
    "ImportError: libR.so: cannot open shared object file": "shared library",
    "RuntimeError: Unable to determine R_HOME.": "R RHOME",
    "ModuleNotFoundError: No module named 'rpy2.rinterface_lib'": "do not fit together",
    "ValueError: odd": "does not start",
}


@pytest.mark.parametrize(("failure", "text"), FAILURES.items())
def test_failures_are_explained(failure, text, monkeypatch):
    monkeypatch.setattr(_pairs, "installed", lambda: dict.fromkeys(_pairs._PARTS, "3.6.6"))
    explanation = _pairs.explain(failure)
    assert text in explanation
    assert failure in explanation


def test_missing_rpy2_is_explained(monkeypatch):
    monkeypatch.setattr(_pairs, "installed", lambda: dict.fromkeys(_pairs._PARTS))
    assert "pip install 'sccase_kit[r]'" in _pairs.explain("ModuleNotFoundError: No module named 'rpy2'")


def test_scripts_are_found_and_missing_ones_named(monkeypatch, tmp_path):
    folder = scripts_dir()
    for name in ("scabc.R", "chromvar.R", "motifmatchr.R", "install.R", "apt-packages.txt"):
        assert (folder / name).is_file()
    fake = tmp_path / "sccase_kit" / "r" / "_locate.py"
    fake.parent.mkdir(parents=True)
    monkeypatch.setattr(_locate, "__file__", str(fake))
    with pytest.raises(FileNotFoundError, match="reinstall"):
        scripts_dir()
    wheel = fake.parent / "scripts" / "lib"
    wheel.mkdir(parents=True)
    (wheel / "child.R").touch()
    assert scripts_dir() == wheel.parent

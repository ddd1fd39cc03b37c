from __future__ import annotations

import subprocess

import pandas as pd
import pytest

from sccase_kit import r
from sccase_kit._commands import doctor
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


BROKEN = """
dir.create(a[[1]]); lib <- a[[1]]
for (p in c('needed', 'broken')) {
  d <- file.path(dirname(lib), 'sources', p); dir.create(file.path(d, 'R'), recursive = TRUE)
  writeLines(c(paste('Package:', p), 'Version: 1.2', 'Title: T', 'Description: D.', 'License: MIT',
    if (p == 'broken') 'Imports: needed'), file.path(d, 'DESCRIPTION'))
  writeLines(if (p == 'broken') 'import(needed)' else 'export(f)', file.path(d, 'NAMESPACE'))
  writeLines('f <- function() 1', file.path(d, 'R', 'f.R'))
  utils::install.packages(d, lib = lib, repos = NULL, type = 'source', quiet = TRUE)
}
unlink(file.path(lib, 'needed'), recursive = TRUE)
"""


@pytest.mark.r
def test_a_package_that_cannot_be_loaded_is_not_available_anywhere(tmp_path, monkeypatch):
    library = tmp_path / "lib"
    code = "a <- commandArgs(TRUE); Sys.setenv(R_LIBS = a[[1]]);" + BROKEN
    done = subprocess.run([rscript(), "-e", code, str(library)], check=False, capture_output=True, text=True)
    assert (library / "broken").is_dir(), done.stderr
    monkeypatch.setenv("R_LIBS", str(library))
    assert r.available("broken") is False
    monkeypatch.setattr(_status, "_PACKAGES", {"Matrix": "sparse matrices", "broken": "nothing"})
    table = r.status_table().set_index("component")
    assert table.version["broken"] == "1.2"
    assert table.note["broken"].startswith("cannot be loaded (there is no package called")
    assert "install.R broken" in table.note["broken"]
    assert table.note["Matrix"] == ""
    row = next(row for row in doctor._r() if row["check"].startswith("broken"))
    assert (row["state"], row["found"]) == ("broken", "1.2")
    row_of_installer = _install("--check", "broken")
    assert row_of_installer.returncode == 1
    assert "broken                 1.2        BROKEN: there is no package called" in row_of_installer.stdout
    assert row_of_installer.stdout.strip().endswith(table.note["broken"].rpartition("; ")[2])
    mended = _install(f"--from={library.parent / 'sources'}", f"--lib={library}", "broken")
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert "mended: needed" in mended.stdout
    assert r.available("broken") is True


def _install(*arguments):
    code = "a <- commandArgs(TRUE); source(a[[1]]); sources$broken <- list(); quit(status = main(a[-1]))"
    command = [rscript(), "-e", code, str(scripts_dir() / "install.R"), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.mark.r
def test_status_doctor_and_installer_tell_the_same():
    done = subprocess.run(
        [rscript(), str(scripts_dir() / "install.R"), "--check"], check=False, capture_output=True, text=True
    )
    told = dict(line.split(maxsplit=1) for line in done.stdout.splitlines()[1:])
    table = r.status_table().set_index("component")
    assert set(told) == set(_status._PACKAGES) == set(table.index) - {"R", "rpy2 / robjects / rinterface"}
    checks = {row["check"].split(" (")[0]: row for row in doctor._r()}
    for name, line in told.items():
        found, text = line.split(maxsplit=1)
        row, note = checks[name], table.note[name]
        if text == "present":
            assert (table.version[name], note, row["state"], row["found"]) == (found, "", "ok", found)
        elif found == "MISSING":
            assert (note, row["state"], row["mend"]) == (text, "missing", text)
            assert pd.isna(table.version[name])
        else:
            assert note.rpartition("; ")[2] == text.rpartition("; ")[2] == row["mend"].rpartition("; ")[2]
            assert row["state"] == "broken"
    missing = [name for name, line in told.items() if not line.endswith("present")]
    assert done.returncode == (1 if missing else 0)


@pytest.mark.r
def test_the_command_that_helps_is_the_one_of_this_machine():
    code = (
        "source(commandArgs(TRUE)[[1]]); on_debian <- function() {}; "
        "cat(command_for('chromVAR', 'install.R'), command_for('TFBSTools', 'install.R'), sep = '\\n')"
    )
    for debian, expected in (
        ("TRUE", "apt-get install r-bioc-tfbstools"),
        ("FALSE", "Rscript install.R TFBSTools  (Bio"),
    ):
        command = [rscript(), "-e", code.replace("{}", debian), str(scripts_dir() / "lib" / "packages.R")]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
        assert lines[0].startswith(
            "Rscript install.R chromVAR  (Bioconductor, if the release for this R has it; or https"
        )
        assert lines[1].startswith(expected)

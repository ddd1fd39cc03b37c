"""`doctor` names what is missing, how to mend it, and fails only for what the package cannot do without."""

from __future__ import annotations

import importlib
import shutil
from importlib import metadata

import pandas as pd
import pytest

import sccase_kit as sk


def rows(result):
    return {row["check"].split(" ")[0]: row for row in result["checks"]}


def test_core_is_there(call_json):
    result = call_json("doctor", "--no-r")
    assert result["all core checks"] == "ok"
    found = rows(result)
    assert found["numpy"]["found"] == metadata.version("numpy")
    assert found["memory"]["found"].endswith("GiB")
    assert "R" not in found


def test_text_is_a_table(call):
    code, out, _ = call("doctor", "--no-r")
    assert code == 0
    assert out.startswith("Python")
    assert "numpy " in out


def test_a_missing_core_package_fails(call, monkeypatch):
    version = metadata.version

    def absent(name):
        if name == "igraph":
            raise metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(metadata, "version", absent)
    code, out, _ = call("doctor", "--no-r")
    assert code == 1
    assert "pip install igraph" in out


@pytest.mark.parametrize(("error", "state"), [(ModuleNotFoundError("x"), "missing"), (OSError("x"), "broken: OSError")])
def test_missing_and_broken_options_are_told_apart(call_json, monkeypatch, error, state):
    real = importlib.import_module

    def fail(name, *args):
        if name == "pyfaidx":
            raise error
        return real(name, *args)

    monkeypatch.setattr(importlib, "import_module", fail)
    row = rows(call_json("doctor", "--no-r"))["pyfaidx"]
    assert row["state"] == state
    assert row["mend"] == "pip install 'sccase_kit[genomics]'"


def test_missing_programs_say_the_install_line(call_json, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda *_args, **_kw: None)
    monkeypatch.delenv("R_HOME", raising=False)  # rpy2 sets it
    found = rows(call_json("doctor"))
    assert found["bedtools"]["mend"].startswith("apt-get install bedtools")
    assert found["R"]["state"] == "missing"
    assert found["R"]["mend"] != ""


def test_r_packages_are_listed(call_json, monkeypatch):
    table = pd.DataFrame(
        [
            ("R", "4.2.2", "all", "/usr/bin/Rscript"),
            ("rpy2", "3.6.6", "to_r", "does not start"),
            ("scABC", None, "scabc", "install it"),
        ],
        columns=["component", "version", "used_by", "note"],
    )
    monkeypatch.setattr(sk.r, "status_table", lambda: table)
    found = rows(call_json("doctor"))
    assert (found["R"]["state"], found["R"]["mend"]) == ("ok", "")
    assert (found["rpy2"]["state"], found["rpy2"]["mend"]) == ("broken", "does not start")
    assert (found["scABC"]["state"], found["scABC"]["mend"]) == ("missing", "install it")

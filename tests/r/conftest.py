"""What the tests of the R bridge need, decided at collection.

``@pytest.mark.r`` needs R; ``@pytest.mark.r("rpy2")`` also rpy2 that starts; any other name is an R package.
"""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

import pytest

from sccase_kit._optional import MissingProgramError
from sccase_kit.r._locate import install_line, rscript
from sccase_kit.r._status import available, bridge_problem

HERE = Path(__file__).parent


@functools.cache
def _missing(need: str) -> str | None:
    if need == "R":
        try:
            rscript()
        except MissingProgramError as err:
            return str(err)
        return None
    if need == "rpy2":
        return bridge_problem()
    return None if available(need) else f"R package {need} is not installed: {install_line(need)}"


def pytest_collection_modifyitems(items):
    items = [item for item in items if item.path.is_relative_to(HERE)]
    needs = {need for item in items for mark in item.iter_markers("r") for need in mark.args}
    available(*sorted(needs - {"R", "rpy2"}))  # one R loads them all and is asked no more
    for item in items:
        for mark in item.iter_markers("r"):
            reasons = [reason for need in ("R", *mark.args) if (reason := _missing(need))]
            if reasons:
                item.add_marker(pytest.mark.skip(reason=reasons[0]))
                break


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory):
    """Build the stand-ins of chromVAR, motifmatchr and scABC by R CMD INSTALL; return their library."""
    folder = tmp_path_factory.mktemp("library")
    program = str(Path(rscript()).with_name("R"))
    options = ["--no-docs", "--no-byte-compile", "--no-test-load", f"--library={folder}"]
    sources = [str(source) for source in sorted((HERE / "packages").iterdir())]
    done = subprocess.run([program, "CMD", "INSTALL", *options, *sources], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder

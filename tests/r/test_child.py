"""R in a child process: results, errors, and that nothing survives an interrupt."""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sccase_kit.r import RError, _child
from sccase_kit.r._child import run_tool
from sccase_kit.r._locate import scripts_dir

TOOLS = {
    "adder": "run_adder <- function(x, y) { message('adding 50%'); warning('careful'); list(sum = x + y) }",
    "failer": "run_failer <- function(x) deeper(x)\ndeeper <- function(x) stop('no such ', x)",
    "quitter": "run_quitter <- function(x) { cat('last words\\n'); quit(status = 7) }",
    "killed": "run_killed <- function(x) { cat('aargh\\n'); tools::pskill(Sys.getpid(), 9); Sys.sleep(60) }",
    "sleeper": (
        "run_sleeper <- function(x) { job <- parallel::mcparallel(Sys.sleep(600)); "
        "file.create(tempfile()); message('pids ', Sys.getpid(), ' ', job$pid); repeat {} }"
    ),
}

WAITER = """
import logging, signal, sys
from pathlib import Path
from sccase_kit.r import _child
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells start background jobs with SIGINT ignored
logging.basicConfig(level=logging.INFO, format="%(message)s")
_child.scripts_dir = lambda: Path(sys.argv[1])
try:
    _child.run_tool("sleeper", {"x": 1})
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(42)
"""


@pytest.fixture
def tools(tmp_path):
    folder = tmp_path / "scripts"
    shutil.copytree(scripts_dir(), folder)
    for name, code in TOOLS.items():
        (folder / f"{name}.R").write_text(code)
    return folder


@pytest.fixture
def child(tools, tmp_path, monkeypatch):
    """Run tools of this file, with temporary files where they can be counted."""
    monkeypatch.setattr(_child, "scripts_dir", lambda: tools)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    yield run_tool
    assert list((tmp_path / "tmp").iterdir()) == []


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.is_file() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def wait_until(condition, seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.r("Matrix")
def test_result_log_and_warnings(child, caplog):
    caplog.set_level(logging.INFO, logger="sccase_kit.r")
    assert child("adder", {"x": 1.5, "y": 2})["sum"].tolist() == [3.5]
    levels = {record.getMessage(): record.levelname for record in caplog.records}
    assert levels == {"adding 50%": "INFO", "Warning: careful": "WARNING"}


@pytest.mark.r("Matrix")
def test_error_carries_message_call_traceback_and_session(child):
    with pytest.raises(RError, match="no such thing") as caught:
        child("failer", {"x": "thing"})
    error = caught.value
    assert error.message == "no such thing"
    assert error.call == "deeper(x)"
    assert error.r_traceback[-2:] == ("deeper(x)", 'stop("no such ", x)')
    assert "R version" in error.session_info
    assert any("deeper(x)" in note for note in error.__notes__)


@pytest.mark.r("Matrix")
def test_silent_end_is_an_error(child):
    with pytest.raises(RError, match=r"exit status 7 while it ran quitter.*last words"):
        child("quitter", {"x": 1})


@pytest.mark.r("Matrix")
def test_killed_child_is_an_error(child):
    with pytest.raises(RError, match=r"(SIGKILL|exit status 137) while it ran killed.*aargh"):
        child("killed", {"x": 1})


def start_waiter(tools, tmp_path):
    (tmp_path / "tmp").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", WAITER, str(tools)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
    )
    for line in process.stdout:
        if found := re.search(r"pids (\d+) (\d+)", line):
            return process, [int(pid) for pid in found.groups()]
    process.wait()
    pytest.fail("R did not start")


@pytest.mark.r("Matrix")
def test_interrupt_ends_r_and_its_children_and_cleans_up(tools, tmp_path):
    process, pids = start_waiter(tools, tmp_path)
    assert all(alive(pid) for pid in pids)
    assert list((tmp_path / "tmp").iterdir())
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 42, output
    assert "interrupted" in output
    assert wait_until(lambda: not any(alive(pid) for pid in pids))
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.r("Matrix")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv (util-linux) to tie R to this process")
def test_killing_python_ends_r(tools, tmp_path):
    process, pids = start_waiter(tools, tmp_path)
    process.kill()
    process.wait()
    process.stdout.close()
    ended = wait_until(lambda: not alive(pids[0]))
    if alive(pids[1]):
        os.kill(pids[1], signal.SIGKILL)
    assert ended

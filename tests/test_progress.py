"""Lines that say what a command is at, where no bar can be seen."""

from __future__ import annotations

import time

import pytest

import sccase_kit as sk
from sccase_kit._progress import at_work, heartbeat, progress, stage
from sccase_kit.cli import main


def until(check, seconds=5.0):
    start = time.monotonic()
    while not check():
        assert time.monotonic() - start < seconds
        time.sleep(0.01)


def test_the_open_bars_are_said():
    with sk.settings.override(progress="lines"):
        assert at_work() == ""
        with progress(total=3, desc="parts") as bar, stage("UMAP of 5 cells"):
            bar.update(2)
            assert at_work() == "parts 2 of 3, UMAP of 5 cells"
        assert at_work() == ""
        assert list(progress(range(3), desc="parts")) == [0, 1, 2]
    with sk.settings.override(progress=False), stage("unseen"):
        assert at_work() == ""


def test_a_line_every_so_often_until_it_is_done():
    said = []
    with sk.settings.override(progress="lines"), heartbeat(said.append, name="sccase-kit report", every=0.02):
        until(lambda: said)
        with progress(total=4, desc="report: maps"):
            until(lambda: "maps" in said[-1])
    n = len(said)
    time.sleep(0.1)
    assert len(said) == n
    assert said[0].startswith("sccase-kit report: at work, 0 s")
    assert said[-1].startswith("sccase-kit report: maps 0 of 4, 0 s")


@pytest.mark.parametrize("quiet", [False, True])
def test_commands_say_what_they_are_at(tmp_path, monkeypatch, quiet):
    """On a stream that is a file, as in a batch job; not with --quiet."""
    monkeypatch.setattr("sccase_kit.cli.EVERY", 0.01)
    (tmp_path / "peaks.tsv").write_text("peak\tc1\tc2\n" + "".join(f"chr1:{k}00-{k}50\t1\t0\n" for k in range(1, 4000)))
    with (tmp_path / "err").open("w") as stream, monkeypatch.context() as patched:
        patched.setattr("sys.stderr", stream)
        assert main(["info", str(tmp_path / "peaks.tsv"), *(["--quiet"] if quiet else [])]) == 0
    text = (tmp_path / "err").read_text()
    assert ("sccase-kit info: " in text) != quiet

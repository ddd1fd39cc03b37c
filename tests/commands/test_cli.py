"""What all commands share: exit codes, streams, JSON, pipes, interrupts."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit import cli
from sccase_kit._commands import output as _output


def said(stderr):
    """Return the lines on stderr without those that say, on a slow machine, what a command is at."""
    return [line for line in stderr.splitlines() if not re.fullmatch(r"sccase-kit [\w-]+: .*, \d+ s", line)]


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.strip() == f"sccase-kit {sk.__version__}"


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_has_help_with_an_example(command, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([command, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert f"example:\n  sccase-kit {command}" in text
    assert "--json" in text
    assert "--quiet" in text
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize(
    "argv", [[], ["nope"], ["info"], ["enhance", "a.h5ad"], ["info", "a", "b"], ["demo", "--cells", "many"]]
)
def test_wrong_usage_exits_with_2(argv, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(argv)
    assert stop.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: sccase-kit")


def test_failures_exit_with_1_and_name_the_file(call, tmp_path):
    code, out, err = call("info", tmp_path / "absent.h5ad")
    assert (code, out) == (1, "")
    assert err == f"sccase-kit info: no such file or folder: '{tmp_path / 'absent.h5ad'}'\n"


def test_failures_are_json_too(call, tmp_path):
    code, out, err = call("info", tmp_path / "absent.h5ad", "--json")
    assert code == 1
    assert json.loads(out)["error"] == "FileNotFoundError"
    assert "no such file" in json.loads(out)["message"]
    assert "no such file" in err


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KeyError("batch_key='x' is not in adata.obs"), "batch_key='x' is not in adata.obs"),
        (MemoryError(), "MemoryError"),
        (ValueError("k must be positive"), "k must be positive"),
    ],
)
def test_errors_are_shown_as_they_were_written(call, monkeypatch, error, text):
    error.add_note("a way out")

    def fail(_args):
        raise error

    monkeypatch.setattr("sccase_kit._commands.info.run", fail)
    code, out, err = call("info", "x")
    assert (code, out) == (1, "")
    assert err == f"sccase-kit info: {text}\na way out\n"


def test_ctrl_c(call, monkeypatch):
    def interrupt(_args):
        raise KeyboardInterrupt

    monkeypatch.setattr("sccase_kit._commands.info.run", interrupt)
    code, out, err = call("info", "x")
    assert (code, out) == (130, "")
    assert "interrupted" in err


def test_errors_of_the_program_are_not_hidden(call, monkeypatch):
    monkeypatch.setattr("sccase_kit._commands.info.run", lambda _args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call("info", "x")


def test_messages_go_to_stderr_and_quiet_silences_them(call, monkeypatch):
    import warnings

    from sccase_kit._logging import logger, warn

    def speak(_args):
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logger.info("step %d", 1)
            warn("take care")
            warnings.warn("old", FutureWarning, stacklevel=1)
        return {"a": 1}

    monkeypatch.setattr("sccase_kit._commands.info.run", speak)
    assert call("info", "x") == (0, "a  1\n", "step 1\nwarning: take care\n")
    assert call("info", "x", "--quiet") == (0, "a  1\n", "")
    assert not [h for h in logger.handlers if h.__class__.__name__ == "StreamHandler"]


def test_tables_go_to_stdout_and_the_rest_to_stderr(call, monkeypatch):
    table = pd.DataFrame({"peak": ["a", "b"], "p": [0.123456789, np.nan]})
    monkeypatch.setattr("sccase_kit._commands.info.run", lambda _args: {"table": table, "peaks": 2})
    assert call("info", "x") == (0, "peak\tp\na\t0.123457\nb\t\n", "peaks  2\n")
    code, out, err = call("info", "x", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {"table": [{"peak": "a", "p": 0.123456789}, {"peak": "b", "p": None}], "peaks": 2}


def test_json_of_what_numpy_and_pandas_hold():
    value = {
        1: np.int64(3),
        "f": np.float32(0.5),
        "bad": [float("nan"), np.inf],
        "b": np.bool_(True),
        "a": np.arange(2),
        "i": pd.Index(["x"]),
        "none": pd.NA,
        "path": cli.os.path,
        "text": "µ <b>",
    }
    read = json.loads(_output.to_json(value))
    assert read["1"] == 3
    assert read["f"] == 0.5
    assert read["bad"] == [None, None]
    assert read["b"] is True
    assert read["a"] == [0, 1]
    assert read["none"] is None
    assert read["text"] == "µ <b>"


def test_streams_of_a_real_process(shell, counts_file):
    done = shell("info", counts_file, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["cells"] == 120
    assert said(done.stderr) == []


@pytest.mark.parametrize("argv", [["info", "--help"], ["info", "{counts}", "--json"], ["info", "µ.h5ad"]])
def test_terminals_without_unicode(shell, counts_file, argv):
    import os

    done = shell(*(a.format(counts=counts_file) for a in argv), env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert "UnicodeEncodeError" not in done.stderr
    assert done.returncode == (1 if argv[-1] == "µ.h5ad" else 0)
    assert done.stdout + done.stderr


@pytest.mark.parametrize("seed", ["-1", "1.5", "x", "²"])
def test_bad_seeds_are_wrong_usage(seed, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["cluster", "a.h5ad", f"--seed={seed}"])
    assert stop.value.code == 2
    assert f"an integer of at least 0 is expected, got {seed!r}" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["info"], ["doctor", "--no-r"]])
def test_a_reader_that_stops_reading_is_no_error(command, counts_file):
    argv = [sys.executable, "-m", "sccase_kit.cli", *command, *([str(counts_file)] if command == ["info"] else [])]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    _, err = process.communicate(timeout=120)
    assert said(err.decode()) == []
    assert process.returncode == 0

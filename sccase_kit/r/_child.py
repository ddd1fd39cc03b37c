"""Long R work in a child process that can be stopped at any time."""

from __future__ import annotations

import codecs
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, cast

from sccase_kit._progress import progress

from ._console import Console, logger
from ._errors import RError, error_from
from ._exchange import read_bundle, write_bundle
from ._locate import rscript, scripts_dir

_GRACE = 2.0
"""Seconds a child has to end after SIGTERM before it is killed."""


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a child and everything it started (its process group)."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(timeout=_GRACE)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def run_command(command: Sequence[str], console: Console, *, env: dict[str, str] | None = None) -> int:
    """Run a command in its own process group, pass its output to `console`, return its exit status.

    Any exception in this process, Ctrl-C above all, ends the child and its children before it goes on. On Linux the
    child also ends when this process is killed.
    """
    guard = shutil.which("setpriv") if sys.platform == "linux" else None
    if guard is not None:
        command = [guard, "--pdeathsig", "TERM", "--", *command]
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env=env,
        bufsize=0,
    ) as process:
        try:
            output = cast(IO[bytes], process.stdout)
            while piece := output.read(65536):
                console.feed(decoder.decode(piece))
            console.close()
            return process.wait()
        except BaseException:
            logger.info("stopping R (process %d)", process.pid)
            stop(process)
            raise


def run_tool(tool: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """Run ``run_<tool>()`` of ``r_scripts/<tool>.R`` in a child R and return its result.

    Inputs and results travel through a private temporary folder, which is removed whatever happens.

    Parameters
    ----------
    tool
        Name of the script without its ending.
    inputs
        Arguments of the R function, see :func:`~sccase_kit.r._exchange.write_bundle`.

    Raises
    ------
    MissingProgramError
        If there is no R.
    RError
        If R fails.
    """
    program, scripts = rscript(), scripts_dir()
    with tempfile.TemporaryDirectory(prefix="sccase_kit-r-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        write_bundle(inputs, folder / "in")
        (folder / "tmp").mkdir()
        command = [program, str(scripts / "lib" / "child.R"), tool, str(folder / "in"), str(folder / "out")]
        with progress(desc=f"{tool} (R)", total=100) as bar:

            def show(percent: int) -> None:
                bar.n = percent
                bar.refresh()

            console = Console(show)
            status = run_command(command, console, env={**os.environ, "TMPDIR": str(folder / "tmp")})
        if status == 0:
            return read_bundle(folder / "out")
        problem = folder / "out" / "problem"
        if (problem / "index.tsv").is_file():
            raise error_from(read_bundle(problem))
        reason = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"stopped with exit status {status}"
        msg = f"R {reason} while it ran {tool}. Its last lines: " + " | ".join(console.tail[-5:])
        raise RError(msg)

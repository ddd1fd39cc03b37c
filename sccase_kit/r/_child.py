"""Long R work in a child process that can be stopped at any time."""

from __future__ import annotations

import codecs
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, Literal, cast

from .._arguments import checked
from .._logging import warn
from .._progress import progress
from ._console import Console, logger
from ._errors import RError, error_from
from ._exchange import has_bundle, read_bundle, read_values, write_bundle
from ._from_r import from_value, summary
from ._locate import rscript, scripts_dir
from ._values import RValue

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


def _run(
    tool: str, inputs: dict[str, Any], *, show: Callable[[int], None] | None, echo: Literal["stdout"] | None
) -> RValue:
    """Run a tool in a child R; return its result, unconverted."""
    program, scripts = rscript(), scripts_dir()
    with tempfile.TemporaryDirectory(prefix="sccase_kit-r-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        write_bundle(inputs, folder / "in")
        (folder / "tmp").mkdir()
        command = [program, str(scripts / "lib" / "child.R"), tool, str(folder / "in"), str(folder / "out")]
        console = Console(show, echo=echo)
        status = run_command(command, console, env={**os.environ, "TMPDIR": str(folder / "tmp")})
        if status == 0:
            return read_values(folder / "out")
        problem = folder / "out" / "problem"
        if has_bundle(problem):
            raise error_from(read_bundle(problem))
        reason = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"stopped with exit status {status}"
        msg = f"R {reason} while it ran {tool}. Its last lines: " + " | ".join(console.tail[-5:])
        raise RError(msg)


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
    with progress(desc=f"{tool} (R)", total=100) as bar:

        def show(percent: int) -> None:
            bar.n = percent
            bar.refresh()

        result = _run(tool, inputs, show=show, echo=None)
    return {name: from_value(value, []) for name, value in result.items()}


def run_code(code: str, objects: dict[str, Any], *, echo: Literal["stdout"] | None) -> RValue:
    """Run R code on objects in a child R; return the value of its last statement, unconverted."""
    return _run("code", {"code": str(code), "objects": objects}, show=None, echo=echo).get("value")


@checked()
def run(code: str, **objects: Any) -> Any:
    """Run R code in a process of its own and return the value of its last statement as a Python value.

    rpy2 is not needed, and the process can be stopped at any time: Ctrl-C ends R and whatever R started and raises
    KeyboardInterrupt. What R prints appears as it comes; where the logger ``sccase_kit.r`` takes level INFO, it goes
    there instead. Each call starts a fresh R, which takes about a second and the time to load the packages that the
    code needs.

    Parameters
    ----------
    code
        R code, any number of statements; it runs in R's global environment, where `objects` are.
    **objects
        Python values under the names the code uses: AnnData (as SummarizedExperiment), DataFrames, sparse matrices,
        arrays, lists, dicts, …

    Returns
    -------
    Any
        As :func:`~sccase_kit.r.evaluate`; None, with a warning, for R objects that have no Python counterpart.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C.
    MissingProgramError
        If there is no R.
    RError
        If R fails, with R's message, traceback and session.
    TypeError
        If an object has no R counterpart.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> sk.r.run("x + 1", x=[1.0, 2.0])  # doctest: +SKIP
    array([2., 3.])
    """
    lost: list[str] = []
    result = from_value(run_code(code, objects, echo="stdout"), lost)
    if lost:
        warn(summary(lost))
    return result

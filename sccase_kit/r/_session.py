"""R inside this process: lazy start, one lock, R's output shown or logged, R's errors as RError, Ctrl-C.

Everything below works on rpy2's low-level values and on this package's own conversions (:mod:`._sexp`), so nothing
depends on rpy2's active converters: calls from any thread work. Nothing is left in R's global environment.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .._arguments import checked
from ._console import Console, logger
from ._errors import error_from
from ._interrupt import interruptible
from ._locate import scripts_dir
from ._pairs import explain

_LOCK = threading.RLock()
_running: RSession | None = None


@dataclass(frozen=True, slots=True)
class RSession:
    """A started R.

    Attributes
    ----------
    rinterface
        The module ``rpy2.rinterface``.
    helpers
        R environment with the functions of ``r_scripts/lib`` (guard.R, objects.R).
    version
        R's version, e.g. ``"4.2.2"``.
    """

    rinterface: Any
    helpers: Any
    version: str

    def helper(self, name: str) -> Any:
        """Return an R function of the helper environment."""
        return self.helpers[name]


def r_session() -> RSession:
    """Start R if it is not running and return it.

    Raises
    ------
    ImportError
        If R or rpy2 is missing or they do not fit together; the message says what to install.
    """
    global _running
    with _LOCK:
        if _running is None:
            _running = _start()
        return _running


def _start() -> RSession:
    libraries = os.environ.get("LD_LIBRARY_PATH")
    with warnings.catch_warnings():
        # rpy2 warns about its own deprecations at import, and about a start outside the main thread.
        warnings.simplefilter("ignore")
        try:
            import rpy2.rinterface as rinterface

            rinterface.initr()
        except Exception as err:  # cffi's error class has no importable name
            msg = explain(f"{type(err).__name__}: {err}")
            raise ImportError(msg) from err
        finally:
            _give_back("LD_LIBRARY_PATH", libraries)
    base = rinterface.baseenv
    helpers = base["new.env"](parent=base["parent.env"](rinterface.globalenv))
    installer = rinterface.StrSexpVector([str(scripts_dir() / "install.R")])
    base["options"](**{"sccase_kit.installer": installer})
    for name in ("guard.R", "objects.R"):
        path = rinterface.StrSexpVector([str(scripts_dir() / "lib" / name)])
        base["sys.source"](path, envir=helpers)
    version = base["as.character"](base["getRversion"]())[0]
    logger.info("R %s started", version)
    return RSession(rinterface, helpers, version)


def _give_back(name: str, value: str | None) -> None:
    """Set an environment variable as it was: with R's LD_LIBRARY_PATH, other programs load the system's libraries.

    Processes of another Python than the system's (workers of dask, say) then fail at their start. R has read it by now.
    """
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


@contextmanager
def _console(*, show: bool) -> Iterator[None]:
    """Take what R prints while the block runs, then give R's console back."""
    from rpy2.rinterface_lib import callbacks

    consoles = {
        "consolewrite_print": Console(echo="stdout" if show else None),
        "consolewrite_warnerror": Console(echo="stderr" if show else None),
    }
    before = {name: getattr(callbacks, name) for name in consoles}
    try:
        for name, console in consoles.items():
            setattr(callbacks, name, console.feed)
        yield
    finally:
        for name, function in before.items():
            setattr(callbacks, name, function)
        for console in consoles.values():
            console.close()


@contextmanager
def exclusive(*, show: bool = False) -> Iterator[RSession]:
    """Hold R for this thread: its lock, rpy2's lock, R's console and Ctrl-C.

    Parameters
    ----------
    show
        Print what R prints where the package's log does not take it.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C came meanwhile.
    """
    with _LOCK:
        here = r_session()
        from rpy2.rinterface_lib import openrlib

        with openrlib.rlock, interruptible(), _console(show=show):
            yield here


def call_r(function: Any, *arguments: Any, **named: Any) -> Any:
    """Call an R function with R values and return an R value; hold :func:`exclusive` around it and the conversions.

    Parameters
    ----------
    function
        R closure or builtin.
    *arguments, **named
        Low-level R values, as :func:`~sccase_kit.r._sexp.write_sexp` makes them.

    Raises
    ------
    RError
        If R fails.
    """
    here = r_session()
    vector = here.rinterface.ListSexpVector([*arguments, *named.values()])
    if named:
        vector.names = here.rinterface.StrSexpVector([*[""] * len(arguments), *named])
    return unwrap(here.helper("invoke")(function, vector))


def unwrap(outcome: Any) -> Any:
    """Return the value of what ``guarded()`` in R returned.

    Raises
    ------
    RError
        If R failed.
    KeyboardInterrupt
        If R was interrupted.
    """
    value, problem, interrupted = outcome[0], outcome[1], outcome[2]
    if interrupted[0]:
        raise KeyboardInterrupt
    if problem.typeof.name == "NILSXP":
        return value
    raise error_from({name: list(lines) for name, lines in zip(problem.names, problem, strict=True)})


@checked()
def evaluate(code: str, **variables: Any) -> Any:
    """Run R code inside this process and return the value of its last statement as a Python value.

    The code sees `variables` and the attached packages, and nothing else: R's global environment is neither read nor
    written. What R prints is shown as it comes; where the logger ``sccase_kit.r`` takes level INFO, it goes there
    instead. Ctrl-C ends R's loops and functions and raises KeyboardInterrupt; compiled code of R packages may not look
    for it: :func:`~sccase_kit.r.run` runs code in a process that can be stopped at any time.

    Parameters
    ----------
    code
        R code, any number of statements.
    **variables
        Python values under the names the code uses, converted as the R bridge does.

    Returns
    -------
    Any
        numpy array, list of strings' array, DataFrame, sparse matrix, AnnData, dict, list or None; an rpy2 object for
        R objects that have no Python counterpart. What is left out is named in a warning; only the names of a vector
        are not (``names(x)`` gives them).

    Raises
    ------
    ImportError
        If R or rpy2 is missing or they do not fit together.
    KeyboardInterrupt
        After Ctrl-C.
    RError
        If R fails, with R's message, traceback and session.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> sk.r.evaluate("x + 1", x=[1.0, 2.0])  # doctest: +SKIP
    array([2., 3.])
    """
    from ._convert import python_of
    from ._sexp import write_sexp
    from ._to_r import to_value

    values = {name: to_value(value, name=name) for name, value in variables.items()}
    with exclusive(show=True) as here:
        vector = here.rinterface.ListSexpVector([write_sexp(value) for value in values.values()])
        vector.names = here.rinterface.StrSexpVector(list(values))
        text = here.rinterface.StrSexpVector([str(code)])
        return python_of(unwrap(here.helper("evaluate")(text, vector)))

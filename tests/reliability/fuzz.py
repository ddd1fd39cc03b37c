"""Seeded fuzzing of every reader: damaged files are read in a process that may not die, hang or err raw.

    python tests/reliability/fuzz.py                          # 1,000 files; a table by format
    python tests/reliability/fuzz.py --files 12000 --faults faults.txt
    python tests/reliability/fuzz.py --only "10x .h5" fragments --first 500

Every number stands for one file: a whole file of a format, damaged in one way. What may come of it: a sound result
("read"), or an error of the package that names the file ("refused"). Faults are: the process dies ("crash"), no answer
in a minute of CPU ("hang"), an error or warning of another library ("raw"), and something else than what the whole file
holds ("misread") without a word, where the damage is one that can be seen: a damaged gzip stream, a store that is cut
off or has lost a chunk, columns with names in another order, axes with repeated names.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import io
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

PATIENCE = 60
OURS = (
    "ValueError",
    "KeyError",
    "FormatError",
    "DamagedFileError",
    "FileNotFoundError",
    "NotADirectoryError",
    "IsADirectoryError",
)


def judge(form: Any, path: Path, whole: Any, damage: Any) -> tuple[str, str]:
    """Read a damaged file; return what came of it ("read", "refused", "raw", "misread") and details."""
    from damaged import check

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            value = form.read(path)
        except Exception as err:  # noqa: BLE001  every error is judged
            return _judge_error(err, path)
    packages = str(Path(np.__file__).parent.parent)
    news = (FutureWarning, DeprecationWarning, PendingDeprecationWarning)  # for developers, and true
    foreign = [w for w in said if w.filename.startswith(packages) and not issubclass(w.category, news)]
    foreign = [w for w in foreign if "names are not unique" not in str(w.message)]  # of anndata, and true
    if foreign:
        return "raw", f"{foreign[0].category.__name__} of a library: {foreign[0].message!s:.200}"
    try:
        check(value)
    except (AssertionError, ValueError) as err:
        return "misread", f"unsound: {err}"
    if isinstance(value, AnnData) and not said and not (value.obs_names.is_unique and value.var_names.is_unique):
        return "misread", "repeated names without a warning"
    if damage.known and not said and not _same(value, whole):
        return "misread", "other values without a word"
    return "read", ""


def _judge_error(err: Exception, path: Path) -> tuple[str, str]:
    place = err.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    text, kind = str(err), type(err).__name__
    if place is None or "sccase_kit" not in place.tb_frame.f_code.co_filename or kind not in OURS:
        return "raw", f"{kind}: {text:.300}"
    if not any(name in text for name in (path.name, path.stem, path.parent.name)):
        return "raw", f"no file is named: {kind}: {text:.300}"
    if len(text) > 2000:
        return "raw", f"a message of {len(text)} characters: {text:.100}"
    return "refused", text[:200]


def _same(value: Any, whole: Any) -> bool:
    from damaged import same

    try:
        if isinstance(whole, AnnData):
            return (
                isinstance(value, AnnData)
                and value.shape == whole.shape
                and list(value.obs_names) == list(whole.obs_names)
                and list(value.var_names) == list(whole.var_names)
                and np.array_equal(_dense(value.X), _dense(whole.X))
            )
        if isinstance(whole, dict) and type(whole) is type(value):
            return whole.keys() == value.keys() and all(_same(value[k], whole[k]) for k in whole)
        if isinstance(whole, np.ndarray):
            return isinstance(value, np.ndarray) and np.array_equal(value, whole)
        if isinstance(whole, pd.DataFrame) and isinstance(value, pd.DataFrame):
            return set(value) == set(whole) and value[list(whole)].equals(whole)
        return bool(same(value, whole))
    except (AttributeError, TypeError, ValueError):
        return False


def _dense(x: Any) -> np.ndarray:
    return np.asarray(x.todense() if hasattr(x, "todense") else x)


def work(first: int, last: int, seed: int, only: list[str] | None) -> None:
    """Read the damaged files of some numbers; print a line before and after each."""
    import fuzz_files

    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stderr(io.StringIO()):
        folder, copies = Path(name) / "whole", Path(name) / "damaged"
        folder.mkdir()
        forms = fuzz_files.write_whole(folder)
        wholes: dict[str, Any] = {}
        names = [n for n in forms if only is None or n in only]
        for number in range(first, last):
            kind = names[number % len(names)]
            form = forms[kind]
            if form is None:
                _say({"number": number, "format": kind, "damage": ""})
                _say({"result": "left out", "detail": ""})
                continue
            if kind not in wholes:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    wholes[kind] = form.read(folder / kind / form.name)
            shutil.rmtree(copies, ignore_errors=True)
            copies.mkdir()
            path = copies / form.name
            source = folder / kind / form.name
            (shutil.copytree if source.is_dir() else shutil.copyfile)(source, path)
            damage = form.damage(path, np.random.default_rng([seed, number]))
            _say({"number": number, "format": kind, "damage": damage.kind})
            result, detail = judge(form, path, wholes[kind], damage)
            _say({"result": result, "detail": detail})


def _say(value: dict[str, Any]) -> None:
    sys.__stdout__.write(json.dumps(value) + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


class _Lines:
    """Lines of a process as they come.

    They are cut here: a buffered file takes several at once, and select then knows nothing of those it holds, so that
    a file would answer for the hang of the next one.
    """

    def __init__(self, process: subprocess.Popen) -> None:
        self._process, self._held = process, b""
        self._source: int = process.stdout.fileno()  # type: ignore[union-attr]

    def next(self, patience: float) -> str | None:
        """Return the next line, "" at the end, or None after so many seconds of CPU, or ten times as many asleep."""
        started, begun = time.monotonic(), _cpu_seconds(self._process.pid)
        while b"\n" not in self._held:
            if select.select([self._source], [], [], 1)[0]:
                more = os.read(self._source, 2**16)
                if not more:
                    return ""
                self._held += more
            elif _cpu_seconds(self._process.pid) - begun > patience or time.monotonic() - started > 10 * patience:
                return None
        line, _, self._held = self._held.partition(b"\n")
        return line.decode()


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended, or this is no Linux
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fuzz(first: int, last: int, *, seed: int = 0, only: list[str] | None = None) -> list[dict[str, Any]]:
    """Return number, format, damage, result and detail of every file; a process that dies or hangs is started again."""
    found: list[dict[str, Any]] = []
    while first < last:
        command = [sys.executable, __file__, "--work", str(first), str(last), "--seed", str(seed)]
        process = subprocess.Popen(
            [*command, *(["--only", *only] if only else [])], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        lines = _Lines(process)
        case: dict[str, Any] | None = None
        ended = "crash"
        while True:
            line = lines.next(PATIENCE * (5 if case is None else 1))
            if line is None:
                ended = "hang"
                process.kill()
            if not line:
                break
            value = json.loads(line)
            if "number" in value:
                case = value
            elif case is not None:
                found.append(case | value)
                first, case = case["number"] + 1, None
        text = process.communicate()[1].decode(errors="replace")
        if case is not None:
            number = -process.returncode if process.returncode < 0 else process.returncode
            name = signal.Signals(number).name if process.returncode < 0 else f"code {number}"
            found.append(case | {"result": ended, "detail": f"{name} {text[-300:]}"})
            first = case["number"] + 1
        elif first < last:
            msg = f"the reading process ended with code {process.returncode}: {text[-2000:]}"
            raise RuntimeError(msg)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Fuzz and print what was tried and what failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--faults", type=Path)
    parser.add_argument("--work", type=int, nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.work:
        work(*args.work, args.seed, args.only)
        return 0
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    found = fuzz(args.first, args.first + args.files, seed=args.seed, only=args.only)
    table: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    for case in found:
        table[case["format"]][case["result"]] += 1
    frame = pd.DataFrame(table).T.reindex(columns=["read", "refused", "left out", "crash", "hang", "raw", "misread"])
    frame = frame.fillna(0).astype(int)
    frame.loc["all"] = frame.sum()
    print(frame.to_string())
    faults = [case for case in found if case["result"] not in ("read", "refused", "left out")]
    if args.faults is not None:
        args.faults.write_text("".join(json.dumps(case) + "\n" for case in faults))
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())

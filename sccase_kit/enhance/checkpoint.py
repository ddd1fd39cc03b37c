"""Parts of a long fit kept in a folder, so that a run that was stopped can be taken up again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from .._atomic import check_folder, replacing
from .._logging import logger
from ..matrix.access import check_structure

_STATE = "generator_state"
Arrays = dict[str, np.ndarray]
#: Says what is wrong with the arrays of a stage, or None.
Judge = Callable[[Arrays], str | None]


def shapes_are(shapes: Mapping[str, tuple[int, ...]], *, optional: tuple[str, ...] = (), sign: bool = True) -> Judge:
    """Return a judge of arrays: all there and no others, of these shapes, real, finite, and not negative.

    Parameters
    ----------
    shapes
        Name → shape; −1 for a length that is free.
    optional
        Names that may be absent.
    sign
        Whether values must be at least 0.
    """

    def judge(arrays: Arrays) -> str | None:
        if missing := sorted(set(shapes) - set(optional) - set(arrays)):
            return f"{missing} missing"
        if unknown := sorted(set(arrays) - set(shapes)):
            return f"{unknown} unknown"
        for name, values in arrays.items():
            wanted = shapes[name]
            if values.ndim != len(wanted) or any(w not in (-1, n) for w, n in zip(wanted, values.shape, strict=True)):
                return f"{name} of shape {values.shape}, expected {wanted}"
            if values.dtype.kind not in "fiu" or not np.isfinite(values).all():
                return f"{name} with missing, infinite or other values than numbers"
            if sign and values.size and values.min() < 0:
                return f"{name} with negative values"
        return None

    return judge


def is_graph(n: int) -> Judge:
    """Return a judge of `data`, `indices` and `indptr`: a CSR matrix (n × n) of weights of at least 0."""
    sound = shapes_are({"data": (-1,), "indices": (-1,), "indptr": (n + 1,)})

    def judge(arrays: Arrays) -> str | None:
        if (reason := sound(arrays)) is not None:
            return reason
        if arrays["indices"].dtype.kind != "i" or arrays["indptr"].dtype.kind != "i":
            return "indices that are not integers"
        graph = sparse.csr_matrix((n, n), dtype=arrays["data"].dtype)
        graph.data, graph.indices, graph.indptr = arrays["data"], arrays["indices"], arrays["indptr"]
        try:
            check_structure(graph, name="graph")
        except ValueError as err:
            return str(err)
        return None

    return judge


class Checkpoint:
    """Finished stages of one run, a file each, written whole or not at all.

    Parameters
    ----------
    folder
        Made if missing.
    identity
        What makes the run what it is (JSON values); a folder of another run is refused.
    rng
        The run's generator; its state is kept with every stage, so that a resumed run gives the same numbers.

    Raises
    ------
    ValueError
        If the folder belongs to another run, or the generator's state cannot be kept.
    OSError
        If the folder cannot be written.
    """

    def __init__(self, folder: str | os.PathLike[str], identity: dict[str, Any], rng: np.random.Generator) -> None:
        self.folder, self._rng = check_folder(folder), rng
        if "PCG64" not in rng.bit_generator.state["bit_generator"]:
            msg = (
                f"checkpoint needs a generator of numpy's default kind, got {rng.bit_generator.state['bit_generator']}"
            )
            raise ValueError(msg)
        self.folder.mkdir(parents=True, exist_ok=True)
        card = self.folder / "run.json"
        if card.exists():
            self._compare(card, identity)
        else:
            with replacing(card) as temporary:
                temporary.write_text(json.dumps(identity, indent=1), encoding="utf-8")

    def _compare(self, card: Path, identity: dict[str, Any]) -> None:
        try:
            known = json.loads(card.read_text(encoding="utf-8"))
        except ValueError as err:
            msg = f"checkpoint: {card} is damaged ({err}); remove the folder and start anew"
            raise ValueError(msg) from err
        new = json.loads(json.dumps(identity))
        if other := sorted(name for name in {*known, *new} if known.get(name) != new.get(name)):
            msg = (
                f"checkpoint={str(self.folder)!r} is of another run: {other} differ; remove it or choose another folder"
            )
            raise ValueError(msg)

    def load(self, stage: str, *, judge: Judge | None = None) -> Arrays | None:
        """Return the arrays of a stage and set the generator to where it was, or None if it was not finished.

        Parameters
        ----------
        stage
            Its name.
        judge
            Says what is wrong with the arrays, or None.

        Raises
        ------
        ValueError
            If the file is damaged: it cannot be read, or its arrays cannot be of this run.
        """
        path = self._path(stage)
        if not path.exists():
            return None
        before = self._rng.bit_generator.state
        try:
            with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            self._rng.bit_generator.state = json.loads(str(arrays.pop(_STATE)))
            reason = None if judge is None else judge(arrays)
        except Exception as err:  # a damaged zip fails in many ways
            self._rng.bit_generator.state = before
            raise self._damaged(path, f"{type(err).__name__}: {err}") from err
        if reason is not None:
            self._rng.bit_generator.state = before
            raise self._damaged(path, reason)
        logger.info("checkpoint: stage %r taken from %s", stage, path)
        return arrays

    @staticmethod
    def _damaged(path: Path, reason: str) -> ValueError:
        return ValueError(f"checkpoint: {path} is damaged ({reason}); remove it, and the stage is done anew")

    def save(self, stage: str, arrays: Arrays) -> None:
        """Keep the arrays of a finished stage."""
        state = np.array(json.dumps(self._rng.bit_generator.state))
        with replacing(self._path(stage)) as temporary, open(temporary, "wb") as file:
            everything: dict[str, Any] = {**arrays, _STATE: state}
            np.savez(file, **everything)

    def stage(self, name: str, compute: Callable[[], Arrays], *, judge: Judge | None = None) -> Arrays:
        """Return the arrays of a stage: those kept, or computed now and kept."""
        arrays = self.load(name, judge=judge)
        if arrays is None:
            arrays = compute()
            self.save(name, arrays)
        return arrays

    def _path(self, stage: str) -> Path:
        return self.folder / f"{stage}.npz"

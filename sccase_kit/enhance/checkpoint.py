"""Parts of a long fit kept in a folder, so that a run that was stopped can be taken up again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .._atomic import check_folder, replacing
from .._logging import logger

_STATE = "generator_state"


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

    def load(self, stage: str) -> dict[str, np.ndarray] | None:
        """Return the arrays of a stage and set the generator to where it was, or None if it was not finished.

        Raises
        ------
        ValueError
            If the file is damaged.
        """
        path = self._path(stage)
        if not path.exists():
            return None
        try:
            with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            self._rng.bit_generator.state = json.loads(str(arrays.pop(_STATE)))
        except Exception as err:  # a damaged zip fails in many ways
            msg = f"checkpoint: {path} is damaged ({type(err).__name__}: {err}); remove it, and the stage is done anew"
            raise ValueError(msg) from err
        logger.info("checkpoint: stage %r taken from %s", stage, path)
        return arrays

    def save(self, stage: str, arrays: dict[str, np.ndarray]) -> None:
        """Keep the arrays of a finished stage."""
        state = np.array(json.dumps(self._rng.bit_generator.state))
        with replacing(self._path(stage)) as temporary, open(temporary, "wb") as file:
            np.savez(file, **arrays, **{_STATE: state})

    def stage(self, name: str, compute: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """Return the arrays of a stage: those kept, or computed now and kept."""
        arrays = self.load(name)
        if arrays is None:
            arrays = compute()
            self.save(name, arrays)
        return arrays

    def _path(self, stage: str) -> Path:
        return self.folder / f"{stage}.npz"

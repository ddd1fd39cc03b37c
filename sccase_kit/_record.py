"""Calls as records: the entry of `uns` that says what made a result, and from what; one writer, one reader.

An entry of a result is

.. code-block:: python

    adata.uns[key] = {
        "package": "sccase_kit",
        "function": "tl.chromvar",
        "version": "0.1.0",
        "number": 3,  # of the calls recorded in these data, in their order
        "params": {"source": "counts", "n_background": 50, "rng": 0},  # as given; None is left out
        "objects": ["annotations"],  # arguments that no file keeps; to repeat the call they must be given again
        "names": ...,  # and the results
    }

A front ends with one call of :func:`record`:

.. code-block:: python

    rng, seed = seeded(rng)  # at the top, before anything is drawn
    ...
    given = {"annotations": annotations, "layer": layer, "rng": seed}
    record(adata, key_added, "tl.chromvar", params=given, names=names)

and whoever reads it calls :func:`recorded` (None where there is no such result) or :func:`required` (an error that says
what to run). Nobody else looks into ``uns[key]["params"]``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from anndata import AnnData

from ._record_old import read_old

PACKAGE = "sccase_kit"
#: Keys of an entry that are not results.
OWN = ("package", "function", "version", "number", "params", "objects")
_FRESH = re.compile(r"default_rng\((\d+)\)")
_FUNCTION = re.compile(r"[a-z_]+\.[a-z_]\w*")


@dataclass(frozen=True)
class Record:
    """One call, as it was recorded.

    Attributes
    ----------
    function
        Such as "tl.chromvar".
    params
        Arguments by name, in Python's types; those that were None are absent.
    objects
        Names of arguments that were objects (a table, an AnnData), which no file keeps.
    results
        The other parts of the entry, as they are stored.
    version
        Version of this package that made it.
    number
        Place among the calls that the data hold; −1 for version 0.1, which kept none.
    """

    function: str
    params: dict[str, Any]
    objects: tuple[str, ...]
    results: Mapping[str, Any]
    version: str
    number: int


def record(adata: AnnData, key: str, function: str, /, *, params: Mapping[str, Any], **results: Any) -> None:
    """Write a call and its results to `adata.uns[key]`, in place of what was there.

    Parameters
    ----------
    adata
        The data.
    key
        Where to.
    function
        The public function, such as "tl.chromvar".
    params
        Its arguments, except the data, `key_added` and `copy`. Numbers, texts, paths and lists of them are kept, None
        is left out, and of everything else (arrays, tables, AnnData) only the name is kept, under `objects`. For a
        generator give what :func:`seeded` returned.
    results
        What else the entry holds.

    Raises
    ------
    TypeError
        If a generator is among the arguments: its state is no longer that at the beginning.
    """
    kept, objects = stored_params(params)
    number = 1 + max((entry.number for entry in records(adata.uns).values()), default=-1)
    entry: dict[str, Any] = {
        "package": PACKAGE,
        "function": function,
        "version": _version(),
        "number": number,
        "params": kept,
    }
    if objects:
        entry["objects"] = np.array(objects, dtype=object)
    adata.uns[key] = entry | results


def stored_params(params: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the arguments that a file can hold, without those that are None, and the names of the others."""
    kept: dict[str, Any] = {}
    objects = []
    for name, value in params.items():
        if isinstance(value, (np.random.Generator, np.random.RandomState)):
            msg = f"{name}: record what seeded() returned, not the generator, which has moved on since"
            raise TypeError(msg)
        if value is None:
            continue
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
        if isinstance(value, (range, tuple, list)):
            value = list(value)
        if _is_plain(value) or (isinstance(value, list) and _is_plain_list(value)):
            kept[name] = _plain(value)
        else:
            objects.append(name)
    return kept, objects


def _is_plain(value: object) -> bool:
    return isinstance(value, (bool, int, float, str, np.bool_, np.integer, np.floating))


def _is_plain_list(values: list[Any]) -> bool:
    """Return whether all are texts, or all are numbers: files hold no others."""
    texts = sum(isinstance(item, str) for item in values)
    return all(_is_plain(item) for item in values) and texts in (0, len(values))


def _plain(value: Any) -> Any:
    """Return a value in Python's types, whatever a file made of it."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray) or hasattr(value, "to_numpy"):
        return [_plain(item) for item in np.asarray(value).tolist()]
    return value.item() if isinstance(value, np.generic) else value


def recorded(entry: object, *functions: str) -> Record | None:
    """Return the call that made an entry of `uns`, or None if it is of another tool, or of another function.

    Entries of version 0.1 are read too; only those whose parameters and results are all that it wrote are taken for
    its own.

    Parameters
    ----------
    entry
        Such as ``adata.uns.get("chromvar")``.
    functions
        The functions that are wanted; any, if none is named.
    """
    if not isinstance(entry, Mapping) or not isinstance(entry.get("params"), Mapping):
        return None
    if str(entry.get("package")) == PACKAGE and _FUNCTION.fullmatch(str(entry.get("function"))):
        found = Record(
            function=str(entry["function"]),
            params={str(name): _plain(value) for name, value in entry["params"].items()},
            objects=tuple(str(name) for name in _plain(entry.get("objects", []))),
            results={name: value for name, value in entry.items() if name not in OWN},
            version=str(entry.get("version")),
            number=int(entry.get("number", -1)),
        )
    else:
        old = read_old(entry, _plain)
        if old is None:
            return None
        found = Record(*old, version="0.1", number=-1)
    return found if not functions or found.function in functions else None


def required(adata: AnnData, key: str, function: str) -> Record:
    """Return the result of a function under a key.

    Raises
    ------
    KeyError
        If `adata.uns[key]` is no such result; the message names the keys that are.
    """
    found = recorded(adata.uns.get(key), function)
    if found is None:
        there = [name for name, entry in records(adata.uns).items() if entry.function == function]
        state = "is missing" if key not in adata.uns else f"is no result of sccase_kit.{function}"
        way = f"the keys that are: {there}" if there else f"run sccase_kit.{function} first"
        msg = f"key={key!r}: adata.uns[{key!r}] {state}; {way}"
        raise KeyError(msg)
    return found


def records(uns: Mapping[str, Any]) -> dict[str, Record]:
    """Return every result of this package in `uns`: key → call."""
    found = {str(key): recorded(entry) for key, entry in uns.items()}
    return {key: entry for key, entry in found.items() if entry is not None}


def seeded(rng: Any) -> tuple[int | np.random.Generator, int | str]:
    """Return what to draw from, and what is recorded of it, so that the call can be repeated.

    Parameters
    ----------
    rng
        As a user gives it: integer, Generator, None, or anything else that :func:`numpy.random.default_rng` takes.

    Returns
    -------
    The integer twice; else a Generator, and the text of its present state, which :func:`generator_of` reads.
    """
    if isinstance(rng, (int, np.integer)) and not isinstance(rng, bool):
        return int(rng), int(rng) if rng < 2**63 else f"default_rng({int(rng)})"  # files hold 64 bits
    generator = np.random.default_rng(rng)
    return generator, _text(generator)


def _text(generator: np.random.Generator) -> str:
    """Return "default_rng(seed)" of a fresh generator, and of others all of their state as JSON."""
    bits = generator.bit_generator
    sequence = getattr(bits, "seed_seq", None)
    spawns = {}
    if isinstance(sequence, np.random.SeedSequence):
        spawns = sequence.state
        entropy = spawns["entropy"]
        if isinstance(entropy, (int, np.integer)) and bits.state == np.random.default_rng(entropy).bit_generator.state:
            if sequence.n_children_spawned == 0 and sequence.spawn_key == ():
                return f"default_rng({entropy})"
    return json.dumps({"state": bits.state, "seed_seq": spawns}, default=_listed)


def _listed(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    msg = f"a generator's state cannot be recorded: it holds {type(value).__name__}"
    raise TypeError(msg)


def generator_of(text: str) -> np.random.Generator:
    """Return the generator in the state that :func:`seeded` recorded.

    Raises
    ------
    ValueError
        If the text is not of it (version 0.1 wrote "generator" for every generator).
    """
    if fresh := _FRESH.fullmatch(text):
        return np.random.default_rng(int(fresh[1]))
    try:
        parts = json.loads(text)
        state, spawns = parts["state"], parts["seed_seq"]
        kind = getattr(np.random, state["bit_generator"])
        if spawns:
            spawns = {name: tuple(v) if name == "spawn_key" else v for name, v in spawns.items()}
        bits = kind(np.random.SeedSequence(**spawns)) if spawns else kind()
        bits.state = state
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        msg = f"rng: {text[:60]!r} is not the state of a generator"
        raise ValueError(msg) from err
    return np.random.Generator(bits)


def _version() -> str:
    from ._version import __version__

    return __version__

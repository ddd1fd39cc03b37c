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

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from anndata import AnnData

from ._record_old import read_old
from ._remedy import with_remedy
from ._rng import generator_of, seeded
from ._validate import check_adata
from ._version import __version__

__all__ = ["OBJECT", "Record", "as_object", "generator_of", "record", "recorded", "records", "required", "seeded"]

PACKAGE = "sccase_kit"
#: Keys of an entry that are not results.
OWN = ("package", "function", "version", "number", "params", "objects")
#: Longer lists are objects.
LONGEST = 100
#: Stands for an argument of which only the name is kept, such as a list of sequences; see :func:`as_object`.
OBJECT = object()
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

    def entry(self) -> dict[str, Any]:
        """Return the entry of `uns` that holds it."""
        head: dict[str, Any] = {"package": PACKAGE, "function": self.function, "version": self.version}
        head |= {"number": self.number, "params": dict(self.params)}
        if self.objects:
            head["objects"] = np.array(self.objects, dtype=object)
        return head | dict(self.results)

    def with_params(self, **values: Any) -> Record:
        """Return the record with other arguments; None takes one out."""
        params = {name: value for name, value in (self.params | values).items() if value is not None}
        return replace(self, params=params)


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
    adata.uns[key] = Record(function, kept, tuple(objects), results, __version__, number).entry()


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
            value = list(value) if len(value) <= LONGEST else OBJECT
        if _is_plain(value) or (isinstance(value, list) and _is_plain_list(value)):
            kept[name] = _plain(value)
        else:
            objects.append(name)
    return kept, objects


def as_object(value: object) -> object | None:
    """Return what :func:`record` is given for an argument of which only the name is kept: `OBJECT`, or None."""
    return None if value is None else OBJECT


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
    found = recorded(check_adata(adata).uns.get(key), function)
    if found is None:
        there = [name for name, entry in records(adata.uns).items() if entry.function == function]
        state = "is missing" if key not in adata.uns else f"is no result of sccase_kit.{function}"
        way = f"the keys that are: {there}" if there else f"run sccase_kit.{function} first"
        msg = f"key={key!r}: adata.uns[{key!r}] {state}; {way}"
        raise with_remedy(KeyError(msg), function)
    return found


def records(uns: Mapping[str, Any]) -> dict[str, Record]:
    """Return every result of this package in `uns`: key → call."""
    found = {str(key): recorded(entry) for key, entry in uns.items()}
    return {key: entry for key, entry in found.items() if entry is not None}

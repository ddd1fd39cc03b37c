"""What the arguments of a function must be: said once above it, checked before it runs.

    @checked(cell_factors=Numbers("cells components"), peak_factors=Numbers("peaks components"), rng=Generator())
    def ...

The same word stands for the same size, so arrays that do not fit are told by name. Arguments annotated as
``bool`` or ``Callable``, or as text or numbers, are checked without being named. None passes where it is the default.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from ._rng import check_rng
from ._validate import check_int, check_number

P = ParamSpec("P")
R = TypeVar("R")
#: Word → size, and the argument that set it.
Sizes = dict[str, tuple[int, str]]
_FLAGS = {"bool", "bool | None"}
#: Annotations of a single value.
_SINGLE = re.compile(r"(int|float|str|None|Literal\[[^]]*\])( \| (int|float|str|None|Literal\[[^]]*\]))*")


class Check(Protocol):
    """What an argument must be; returns what the function gets."""

    def __call__(self, value: Any, name: str, sizes: Sizes) -> Any: ...


def shown(value: object) -> str:
    """Return the type of a value, with its shape, or the value itself where that is short."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"{type(value).__name__} of shape {shape}"
    return f"{type(value).__name__} {value!r:.60}"


def wrong(name: str, what: str, value: object) -> TypeError:
    """Return the error that says what an argument must be."""
    return TypeError(f"{name} must be {what}, got {shown(value)}")


def _shape(words: str) -> str:
    """Return sizes as the docstrings write them: (n_cells, n_sets)."""
    named = [f"n_{word}" for word in words.split()]
    return f"({', '.join(named)}{',' * (len(named) == 1)})"


def _other_shape(name: str, sizes: str, array: Any) -> str:
    return f"{name} must have shape {_shape(sizes)}, got {tuple(array.shape)}"


def _fits(words: list[str], shape: tuple[int, ...], name: str, sizes: Sizes) -> None:
    """Raise ValueError where a size is not that of an earlier argument with the same word."""
    for word, size in zip(words, shape, strict=True):
        known, first = sizes.setdefault(word, (size, name))
        if known != size:
            msg = f"{name} is for {size} {word} and {first} for {known}: one row or column for each is needed in both"
            raise ValueError(msg)


@dataclass(frozen=True)
class Numbers:
    """A dense array of real numbers; lists and tables of numbers become one.

    Attributes
    ----------
    sizes
        A word per dimension, such as "cells peaks".
    whole
        Only integers (and booleans), and which are at least 0.
    empty
        Whether a size may be 0.
    least
        Fewest rows.
    finite
        Whether NaN and infinite values are refused.
    fit
        Whether sizes must be those of other arguments; else the function says what does not fit.
    """

    sizes: str
    whole: bool = False
    empty: bool = True
    least: int = 0
    finite: bool = False
    fit: bool = True

    @property
    def what(self) -> str:
        """What is expected, in words."""
        kind = "integers from 0" if self.whole else "numbers"
        return f"an array of {kind} of shape {_shape(self.sizes)}"

    def __call__(self, value: Any, name: str, sizes: Sizes) -> np.ndarray:
        """Return the array, or raise TypeError or ValueError."""
        array = _dense(value)
        words = self.sizes.split()
        if array is None or (self.whole and array.dtype.kind not in "biu"):
            raise wrong(name, self.what, value)
        if array.ndim != len(words):
            raise ValueError(_other_shape(name, self.sizes, array))
        if self.whole and array.size and array.min() < 0:
            msg = f"{name} must hold positions from 0, found {array.min()}"
            raise ValueError(msg)
        if not self.empty and not array.size:
            msg = f"{name} is empty: its shape is {array.shape} ({self.what})"
            raise ValueError(msg)
        if array.ndim and len(array) < self.least:
            msg = f"{name} has {len(array)} {words[0]}, at least {self.least} are needed"
            raise ValueError(msg)
        if self.finite:
            _finite(array, name)
        if self.fit:
            _fits(words, array.shape, name, sizes)
        return array


def _finite(values: np.ndarray, name: str) -> None:
    """Raise ValueError where a value is NaN or infinite."""
    if values.dtype.kind == "f" and (bad := int((~np.isfinite(values)).sum())):
        msg = f"{name} holds {bad} NaN or infinite value(s)"
        raise ValueError(msg)


def _dense(value: Any) -> np.ndarray | None:
    """Return numbers as an array, or None if the value is no such thing."""
    if value is None or sparse.issparse(value) or isinstance(value, (str, bytes, AnnData)) or np.isscalar(value):
        return None
    try:
        array = np.asarray(value)
        if array.dtype == object:
            array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return None
    return array if array.dtype.kind in "biuf" else None


@dataclass(frozen=True)
class Matrix:
    """Numbers in two dimensions: sparse, or what :class:`Numbers` takes.

    Attributes
    ----------
    sizes
        A word per dimension.
    form
        What the function needs: "csr", "csc", or None for either and dense arrays too.
    stored
        Whether other storage passes as it is: dask arrays, and matrices on disk.
    empty, finite, fit
        As of :class:`Numbers`.
    """

    sizes: str
    form: str | None = None
    stored: bool = False
    empty: bool = True
    finite: bool = False
    fit: bool = True

    @property
    def what(self) -> str:
        """What is expected, in words."""
        return f"a matrix of numbers (sparse or dense) of shape {_shape(self.sizes)}"

    def __call__(self, value: Any, name: str, sizes: Sizes) -> Any:
        """Return the matrix, or raise TypeError or ValueError."""
        matrix: Any = None
        if sparse.issparse(value):
            matrix = value if value.dtype.kind in "biuf" else None
            if matrix is not None and self.form is None and value.ndim == 2 and value.format not in ("csr", "csc"):
                matrix = matrix.tocsr()
        elif self.stored and _is_stored(value):
            matrix = value
        elif self.stored and isinstance(value, np.ndarray) and value.dtype == np.dtype(object):
            matrix = None  # as in an AnnData, where objects are no counts
        else:
            matrix = _dense(value)
        if matrix is None:
            raise wrong(name, self.what, value)
        if len(matrix.shape) != 2:
            raise ValueError(_other_shape(name, self.sizes, matrix))
        if not self.empty and 0 in matrix.shape:
            msg = f"{name} is empty: its shape is {matrix.shape} ({self.what})"
            raise ValueError(msg)
        if self.finite:
            _finite(matrix.data if sparse.issparse(matrix) else matrix, name)
        if self.fit:
            _fits(self.sizes.split(), matrix.shape, name, sizes)
        if self.form == "csr":
            return matrix if sparse.issparse(matrix) and matrix.format == "csr" else sparse.csr_matrix(matrix)
        if self.form == "csc":
            return matrix if sparse.issparse(matrix) and matrix.format == "csc" else sparse.csc_matrix(matrix)
        return matrix


def _is_stored(value: Any) -> bool:
    """Return whether a value has the shape and type of a matrix and is neither an array nor a table."""
    if isinstance(value, (np.ndarray, pd.DataFrame)) or not hasattr(value, "dtype"):
        return False
    shape = getattr(value, "shape", None)
    return isinstance(shape, tuple) and len(shape) == 2 and np.dtype(value.dtype).kind in "biuf"


@dataclass(frozen=True)
class Labels:
    """A name per cell, sample or set: any values that can be compared; passed on as they are."""

    sizes: str
    fit: bool = True

    def __call__(self, value: Any, name: str, sizes: Sizes) -> Any:
        """Return the value, or raise TypeError or ValueError."""
        what = f"a list or column of labels, one for each of the {self.sizes}"
        if isinstance(value, (str, bytes, Mapping, set, pd.DataFrame)) or sparse.issparse(value):
            raise wrong(name, what, value)
        try:
            held = value if hasattr(value, "__len__") else list(value)
            if getattr(getattr(held, "dtype", None), "kind", "O") == "O":
                hash(tuple(held))  # equal ones are found by it
        except (TypeError, NotImplementedError) as err:
            raise wrong(name, what, value) from err
        if getattr(value, "ndim", 1) != 1:
            raise wrong(name, what, value)
        if self.fit:
            _fits([self.sizes], (len(held),), name, sizes)
        return held


@dataclass(frozen=True)
class Whole:
    """An integer, as :func:`check_int` knows it; of numbers of things, so no larger than 32 bits hold."""

    minimum: int | None = None
    maximum: int | None = 2**31 - 1

    def __call__(self, value: Any, name: str, sizes: Sizes) -> int:
        """Return the integer."""
        return check_int(value, name=name, minimum=self.minimum, maximum=self.maximum)


@dataclass(frozen=True)
class Number:
    """A finite number, as :func:`check_number` knows it."""

    minimum: float | None = None
    maximum: float | None = None
    exclusive: bool = False

    def __call__(self, value: Any, name: str, sizes: Sizes) -> float:
        """Return the number."""
        return check_number(value, name=name, minimum=self.minimum, maximum=self.maximum, exclusive=self.exclusive)


@dataclass(frozen=True)
class Generator:
    """A generator, or what makes one; `draw` hands the generator on instead of what was given."""

    draw: bool = True

    def __call__(self, value: Any, name: str, sizes: Sizes) -> Any:
        """Return the generator."""
        found = check_rng(value, name=name)
        return found if self.draw else value


@dataclass(frozen=True)
class Text:
    """Text."""

    def __call__(self, value: Any, name: str, sizes: Sizes) -> str:
        """Return the text."""
        if not isinstance(value, str):
            raise wrong(name, "text", value)
        return value


@dataclass(frozen=True)
class Flag:
    """True or False; `also` are texts that stand for True."""

    also: tuple[str, ...] = ()

    def __call__(self, value: Any, name: str, sizes: Sizes) -> bool:
        """Return the flag."""
        if isinstance(value, str) and value in self.also:
            return True
        if isinstance(value, (bool, np.bool_)) or (isinstance(value, (int, np.integer)) and value in (0, 1)):
            return bool(value)
        raise wrong(name, "True or False", value)


@dataclass(frozen=True)
class Single:
    """Text or a number, of which the function itself says which it takes; not a list, array or table."""

    def __call__(self, value: Any, name: str, sizes: Sizes) -> Any:
        """Return the value."""
        if hasattr(type(value), "__len__") and not isinstance(value, (str, bytes)):
            raise wrong(name, "a single value", value)
        return value


@dataclass(frozen=True)
class Called:
    """A function."""

    def __call__(self, value: Any, name: str, sizes: Sizes) -> Any:
        """Return the function."""
        if not callable(value):
            raise wrong(name, "a function", value)
        return value


@dataclass(frozen=True)
class Made:
    """A value of one of these classes.

    Attributes
    ----------
    classes
        What it may be.
    by
        What makes such values, for the message.
    """

    classes: type | tuple[type, ...]
    by: str = ""

    def __call__(self, value: Any, name: str, sizes: Sizes) -> Any:
        """Return the value."""
        if isinstance(value, self.classes):
            return value
        classes = self.classes if isinstance(self.classes, tuple) else (self.classes,)
        by = f" ({self.by} makes one)" if self.by else ""
        raise wrong(name, " or ".join(c.__name__ for c in classes) + by, value)


@dataclass(frozen=True)
class Named:
    """A dict of names and values, each value as `each` says."""

    what: str
    each: Any = None

    def __call__(self, value: Any, name: str, sizes: Sizes) -> Any:
        """Return the mapping, its values checked."""
        if not isinstance(value, Mapping):
            raise wrong(name, f"a dict of names and {self.what}", value)
        if self.each is None:
            return value
        return {key: self.each(part, f"{name}[{key!r}]", sizes) for key, part in value.items()}


@dataclass(frozen=True)
class Parts:
    """A tuple or list of so many arrays of numbers."""

    count: int

    def __call__(self, value: Any, name: str, sizes: Sizes) -> tuple[np.ndarray, ...]:
        """Return the arrays."""
        arrays = [_dense(part) for part in value] if isinstance(value, (tuple, list)) else []
        if len(arrays) != self.count or any(array is None for array in arrays):
            raise wrong(name, f"{self.count} arrays of numbers", value)
        return tuple(array for array in arrays if array is not None)


@dataclass(frozen=True)
class Table:
    """A DataFrame with these columns."""

    needed: tuple[str, ...]
    hint: str = ""

    def __call__(self, value: Any, name: str, sizes: Sizes) -> pd.DataFrame:
        """Return the table."""
        if not isinstance(value, pd.DataFrame):
            raise wrong(name, f"a DataFrame with the columns {list(self.needed)}{self.hint}", value)
        if missing := [column for column in self.needed if column not in value.columns]:
            msg = f"{name} has no column {missing}; there are {list(value.columns)[:20]}{self.hint}"
            raise KeyError(msg)
        return value


@dataclass(frozen=True)
class _Signature:
    signature: inspect.Signature
    checks: dict[str, Check]
    pass_none: frozenset[str] = field(default_factory=frozenset)

    def apply(self, args: tuple, kwargs: dict[str, Any]) -> inspect.BoundArguments | None:
        """Return the checked arguments, or None where they are not those of the function, which says so itself."""
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError:
            return None
        sizes: Sizes = {}
        for name, check in self.checks.items():
            if name in bound.arguments and not (bound.arguments[name] is None and name in self.pass_none):
                bound.arguments[name] = check(bound.arguments[name], name, sizes)
        return bound


def _by_annotation(parameter: inspect.Parameter) -> Check | None:
    """Return the check that an annotation (as text) asks for."""
    hint = str(parameter.annotation)
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        return None
    if hint in _FLAGS:
        return Flag()
    if hint.startswith("Callable["):
        return Called()
    return Single() if _SINGLE.fullmatch(hint) else None


def checked(**checks: Check) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that checks arguments by name, and others by their annotations, before the function runs."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        parameters = signature.parameters
        if unknown := checks.keys() - parameters.keys():
            msg = f"{function.__qualname__} has no argument {sorted(unknown)}"
            raise TypeError(msg)
        told = {name: check for name, p in parameters.items() if (check := _by_annotation(p)) is not None}
        pass_none = frozenset(k for k, p in parameters.items() if p.default is None or "None" in str(p.annotation))
        known = _Signature(signature, {**told, **checks}, pass_none)

        @wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            bound = known.apply(args, kwargs)
            if bound is None:
                return function(*args, **kwargs)
            return function(*bound.args, **bound.kwargs)

        run.__checks__ = known.checks  # type: ignore[attr-defined]  # what tests make sound arguments from
        return run

    return decorate

"""What a method of enhancement is: options that are checked, what it can use, a fit; and the table of all methods.

A method is one file in :mod:`sccase_kit.enhance.methods`. Everything that knows the methods reads :data:`METHODS`: the
front and its warnings, the command line, the page, the tables of the documentation.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar, Union, get_args, get_origin, get_type_hints

from .._arguments import checked
from .._validate import check_choice, check_int, check_number

if TYPE_CHECKING:
    from .preparation import Prepared
    from .result import Enhancement
    from .run import Inputs

#: What a method may be able to use → the argument of :func:`sccase_kit.tl.enhance` that gives it.
TAKES = {
    "reference": "reference",
    "depth": "depth",
    "batch": "batch_key",
    "checkpoint": "checkpoint",
    "device": "device",
}
#: Arguments of :func:`sccase_kit.tl.enhance` that belong to the call; no option may have their names.
CALL = {*TAKES.values(), "adata", "method", "solver", "dtype", "layer", "rng", "key_added", "copy", "given", "data"}
#: Every method by its name; filled by :func:`register`.
METHODS: dict[str, type[Method]] = {}


@dataclass(frozen=True)
class Option:
    """An option of a method.

    Attributes
    ----------
    meaning
        One sentence.
    minimum, maximum
        Bounds of a number.
    exclusive
        Whether the bounds themselves are excluded.
    needs
        What must be given for the option to have an effect: "reference" or "batch".
    """

    meaning: str
    minimum: float | None = None
    maximum: float | None = None
    exclusive: bool = False
    needs: str | None = None


@checked()
def option(
    default: Any,
    meaning: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    exclusive: bool = False,
    needs: str | None = None,
) -> Any:
    """Return a field of a :class:`Method`: its type is the annotation, the rest is said here.

    Parameters
    ----------
    default
        Value where none is given.
    meaning
        One sentence.
    minimum, maximum, exclusive
        Bounds of a number, and whether they are excluded themselves.
    needs
        What must be given for the option to have an effect: "reference" or "batch".

    Returns
    -------
    A field for a dataclass.
    """
    return field(default=default, metadata={"option": Option(meaning, minimum, maximum, exclusive, needs)})


@dataclass(frozen=True)
class Method:
    """A method of enhancement: a frozen dataclass whose fields are its options.

    Subclasses say what they are in class variables and compute in :meth:`fit`; copy
    :mod:`sccase_kit.enhance.methods.knn`. Options are checked when an object is made.

    Attributes
    ----------
    name
        As it is given to :func:`sccase_kit.tl.enhance`.
    summary
        One sentence for help and documentation.
    takes
        What it can use, of :data:`TAKES`.
    combines
        Whether reference, depth and batches may be given together.
    iterates
        Whether the `objective` of its result is a trace over iterations.
    graphs
        Whether it builds neighbour graphs of the cells (they count in the memory).
    estimated
        Whether ``n_components="auto"`` must become a number before the fit.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    takes: ClassVar[frozenset[str]] = frozenset()
    combines: ClassVar[bool] = True
    iterates: ClassVar[bool] = False
    graphs: ClassVar[bool] = False
    estimated: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check every option; numbers become Python's."""
        for name in self.options():
            object.__setattr__(self, name, self.check(name, getattr(self, name)))

    @classmethod
    def check(cls, name: str, value: Any) -> Any:
        """Return a value for an option if it is of its type and within its bounds, else raise."""
        kind: Any = cls
        return _checked(value, _hints(kind)[name], cls.options()[name], name=name)

    def fit(self, data: Prepared, inputs: Inputs) -> Enhancement:
        """Fit the method.

        Parameters
        ----------
        data
            The prepared counts: TF-IDF as a scaled operator, depth.
        inputs
            What else is given, and the generator; long parts go through its `stage`.

        Returns
        -------
        :class:`~sccase_kit.enhance.Enhancement`
        """
        raise NotImplementedError

    def resolve(self, shape: tuple[int, int], n_groups: int) -> Self:
        """Return the method with what `"auto"` and None stand for on data of this shape; raise where it cannot be.

        Parameters
        ----------
        shape
            Cells and peaks.
        n_groups
            Groups of the reference, 0 without one.
        """
        given = self.params()
        k = given.get("n_components")
        if isinstance(k, int) and k > min(shape):
            msg = f"n_components={k} exceeds the smaller side of the data ({shape[0]} cells × {shape[1]} peaks)"
            raise ValueError(msg)
        if n_groups == 0 or "n_reference" not in given:
            return self
        wanted = self.groups_used(n_groups) if given["n_reference"] == "auto" else given["n_reference"]
        return self.with_options(n_reference=check_int(wanted, name="n_reference", minimum=1, maximum=n_groups))

    def with_options(self, **values: Any) -> Self:
        """Return the method with other values of some options."""
        return replace(self, **values)

    def groups_used(self, n_groups: int) -> int:
        """Return what ``n_reference="auto"`` stands for with a reference of so many groups."""
        return n_groups

    def needs_estimate(self) -> bool:
        """Return whether ``n_components="auto"`` must become a number before the fit."""
        return self.estimated and self.params()["n_components"] == "auto"

    def n_stages(self) -> int | None:
        """Return how many calls of ``inputs.stage`` and ``inputs.report`` a fit makes, None if that is not known."""
        return None

    def columns(self, shape: tuple[int, int]) -> int | None:
        """Return the columns of the widest thin arrays on data of this shape; None if the method is not thin."""
        return None

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return name → :class:`Option`."""
        return {f.name: f.metadata["option"] for f in fields(cls) if "option" in f.metadata}

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """Return name → default of every option."""
        return {f.name: f.default for f in fields(cls) if "option" in f.metadata}

    def params(self) -> dict[str, Any]:
        """Return name → value of every option."""
        return {name: getattr(self, name) for name in self.options()}

    def note(self, shape: tuple[int, int]) -> str | None:
        """Return what a user may want to know of the options on data of this shape, for the log."""
        return None

    def explained(self) -> str:
        """Return how a user names the method in a message."""
        return f"method={self.name!r}"


_M = TypeVar("_M", bound=type[Method])


@checked()
def register(method: _M) -> _M:
    """Add a method to :data:`METHODS`; for use as a decorator.

    Parameters
    ----------
    method
        Subclass of :class:`Method`.

    Returns
    -------
    `method` itself.

    Raises
    ------
    TypeError
        If it is no frozen dataclass of this kind, or one of its parts is missing.
    ValueError
        If its name is taken, it takes what nothing gives, or an option has the name of another argument.
    """
    if not (isinstance(method, type) and issubclass(method, Method) and "__dataclass_fields__" in vars(method)):
        msg = f"a method must be a subclass of Method with @dataclass(frozen=True), got {method!r}"
        raise TypeError(msg)
    for part in ("name", "summary"):
        if not isinstance(getattr(method, part, None), str):
            msg = f"{method.__name__} must have a text {part!r}"
            raise TypeError(msg)
    if method.name in METHODS and METHODS[method.name].__qualname__ != method.__qualname__:
        msg = f"name={method.name!r} of {method.__name__} is taken by {METHODS[method.name].__name__}"
        raise ValueError(msg)
    if unknown := sorted(method.takes - set(TAKES)):
        msg = f"{method.__name__}.takes holds {unknown}; there are {list(TAKES)}"
        raise ValueError(msg)
    if clash := sorted(CALL & set(method.options())):
        msg = f"{method.__name__}: options {clash} have the names of other arguments of the call; rename them"
        raise ValueError(msg)
    if bare := [f.name for f in fields(method) if "option" not in f.metadata]:
        msg = f"{method.__name__}: fields {bare} are not made by option(), which says what they mean"
        raise TypeError(msg)
    METHODS[method.name] = method
    return method


def methods_that_take(part: str) -> list[str]:
    """Return the names of the methods that can use a part of :data:`TAKES`."""
    return [name for name, method in METHODS.items() if part in method.takes]


def check_takes(method: Method, given: Mapping[str, Any]) -> None:
    """Raise ValueError if something is given that a method cannot use.

    Parameters
    ----------
    method
        The method.
    given
        Part of :data:`TAKES` → what was given; None, and False, for nothing.
    """
    used = [part for part, value in given.items() if value is not None and value is not False]
    for part in used:
        if part not in method.takes:
            msg = f"{method.explained()} cannot use {TAKES[part]}; methods that can: {methods_that_take(part)}"
            raise ValueError(msg)
    many = [TAKES[part] for part in used if part in ("reference", "depth", "batch")]
    if len(many) > 1 and not method.combines:
        able = [name for name in methods_that_take("batch") if METHODS[name].combines]
        msg = f"{method.explained()} takes one of reference, depth, batch_key at a time, got {many}; "
        msg += f"methods that combine them: {able}"
        raise ValueError(msg)


def unused_options(method: Method, given: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what the method lacks to use options that are not at their defaults: part of `TAKES` → options.

    The parameters are those of :func:`check_takes`.
    """
    lacking: dict[str, list[str]] = {}
    for name, entry in method.options().items():
        changed = getattr(method, name) != method.defaults()[name]
        if entry.needs is not None and given.get(entry.needs) is None and changed:
            lacking.setdefault(entry.needs, []).append(name)
    return lacking


def used_options(method: Method, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return name → value of the options that play a part; the parameters are those of :func:`check_takes`."""
    needed = {name: entry.needs for name, entry in method.options().items()}
    return {name: value for name, value in method.params().items() if given.get(needed[name] or "", True) is not None}


@cache
def _hints(method: type[Any]) -> dict[str, Any]:
    return get_type_hints(method)


def _checked(value: Any, hint: Any, entry: Option, *, name: str) -> Any:
    """Return an option's value in Python's types if it is of its type and within its bounds."""
    kinds = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    words = [word for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)]
    if value is None and type(None) in kinds:
        return None
    if isinstance(value, str) and value in words:
        return value
    low, high = entry.minimum, entry.maximum
    if bool in kinds:
        if not isinstance(value, bool):
            msg = f"{name} must be True or False, got {value!r}"
            raise TypeError(msg)
        return value
    if int in kinds or float in kinds:
        if isinstance(value, str) and words:
            number = "an integer" if int in kinds else "a number"
            msg = f"{name} must be {number} or one of {words}, got {value!r}"
            raise ValueError(msg)
        if int in kinds:
            whole = {"minimum": None if low is None else int(low), "maximum": None if high is None else int(high)}
            return check_int(value, name=name, **whole)
        return check_number(value, name=name, exclusive=entry.exclusive, minimum=low, maximum=high)
    if words:
        return check_choice(value, words, name=name)
    if not isinstance(value, str):
        msg = f"{name} must be a text, got {value!r} ({type(value).__name__})"
        raise TypeError(msg)
    return value

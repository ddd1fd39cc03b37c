"""Methods that were judged, as code that a script can repeat."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ..enhance import Method


def spelled_methods(methods: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the code of the argument `methods`, as ``{"methods": code}``.

    Parameters
    ----------
    methods
        Name → function. Those that are :func:`sccase_kit.tl.enhance`, alone or as a `functools.partial` with plain
        options, can be spelled.

    Returns
    -------
    Nothing, as an empty mapping, where one cannot be spelled.
    """
    if not methods:
        return {}
    parts = {name: _spelled(method) for name, method in methods.items()}
    if any(text is None for text in parts.values()):
        return {}
    return {"methods": "{" + ", ".join(f"{str(name)!r}: {text}" for name, text in parts.items()) + "}"}


def _spelled(method: Any) -> str | None:
    function = method.func if isinstance(method, partial) else method
    package = str(getattr(function, "__module__", "")).rpartition(".")[0]
    if (package, getattr(function, "__qualname__", "")) != ("sccase_kit.tl", "enhance"):
        return None
    given: dict[str, Any] = dict(method.keywords) if isinstance(method, partial) else {}
    if isinstance(method, partial) and method.args:
        return None
    options = {name: _option(value) for name, value in given.items() if not _is_default(function, name, value)}
    if any(text is None for text in options.values()):
        return None
    words = "".join(f", {name}={text}" for name, text in options.items())
    return f"partial(sk.tl.enhance{words})" if words else "sk.tl.enhance"


def _is_default(function: Callable[..., Any], name: str, value: Any) -> bool:
    default = inspect.signature(function).parameters[name].default
    return type(value) is type(default) and bool(value == default)


def _option(value: Any) -> str | None:
    """Return the code of an option, or None; a method with its defaults is its name."""
    if isinstance(value, Method):
        defaults = value.defaults()
        own = {name: one for name, one in value.params().items() if one != defaults[name]}
        words = ", ".join(f"{name}={one!r}" for name, one in own.items())
        return f"sk.enhance.METHODS[{value.name!r}]({words})" if own else repr(value.name)
    return repr(value) if isinstance(value, (str, bool, int, float)) else None

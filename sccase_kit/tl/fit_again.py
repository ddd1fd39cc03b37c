"""A recorded fit as a function that makes it again on other counts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from anndata import AnnData

from .._record import required
from ..enhance import METHODS
from ._enhance import enhance


def fit_again(adata: AnnData, key: str) -> dict[str, Callable[..., Any]]:
    """Return the name of a recorded fit's method → a function that fits it, with its options, to other counts in `X`.

    Parameters
    ----------
    adata
        Data enhanced by :func:`sccase_kit.tl.enhance`.
    key
        The `key_added` of the fit.

    Raises
    ------
    KeyError
        If there is no such fit.
    ValueError
        If it used a reference, which the data do not hold.
    """
    made = required(adata, key, "tl.enhance")
    params = made.params
    if "reference" in made.objects:
        msg = f"the fit {key!r} used a reference, which is not stored with the data; run sccase_kit.metrics.held_out "
        msg += "with a function that gives it, and key_added='held_out'"
        raise ValueError(msg)
    kind = METHODS[params["method"]]
    options = {name: value for name, value in params.items() if name in kind.defaults()}
    rest = {name: params[name] for name in ("depth", "batch_key", "dtype", "device") if name in params}
    return {params["method"]: partial(enhance, method=kind(**options), **rest)}

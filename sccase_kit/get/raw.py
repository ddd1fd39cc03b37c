"""Which matrix a fit was made from: the raw data that plots, markers and measures lay beside it."""

from __future__ import annotations

from collections.abc import Sequence

from anndata import AnnData

from .._record import recorded
from ..matrix.access import layer_names
from .thin import check_fitted


def raw_layer(adata: AnnData, key: str | Sequence[str], layer: str | None = None) -> str | None:
    """Return the layer of the raw data (`None` for `X`): `layer` if it is given, else what was enhanced under `key`.

    Raises
    ------
    ValueError
        If several fits are of different matrices.
    KeyError
        If what was enhanced is no longer there.
    """
    if layer is not None:
        return layer
    keys = [key] if isinstance(key, str) else list(key)
    fits = [recorded(adata.uns.get(one), "tl.enhance") for one in keys]
    read = {fit.params.get("layer") for fit in fits if fit is not None}
    if len(read) > 1:
        names = sorted("X" if name is None else name for name in read)
        msg = f"key={keys}: these fits were made from different matrices, {names}; pass layer= with the raw counts"
        raise ValueError(msg)
    name = next(iter(read), None)
    if name is not None and name not in layer_names(adata):
        msg = f"key={keys[0]!r} was made from adata.layers[{name!r}], which is no longer there (layers: "
        msg += f"{layer_names(adata)}); put it back, or pass layer= with the raw counts"
        raise KeyError(msg)
    return name


def fitted_layer(adata: AnnData, key: str, layer: str | None = None) -> str | None:
    """Return what :func:`raw_layer` does, of a fit that must be there.

    Raises
    ------
    KeyError
        If nothing was enhanced under `key`, or what was enhanced is no longer there.
    """
    if layer is None:
        check_fitted(adata, key)
    return raw_layer(adata, key, layer)

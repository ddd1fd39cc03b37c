"""Read the deviations of :func:`sccase_kit.tl.chromvar` back out."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._validate import check_adata, check_choice, check_key

_HINT = "Run sccase_kit.tl.chromvar(adata, ...) first."


@checked()
def deviations(adata: AnnData, key: str = "chromvar", *, which: Literal["z", "deviations"] = "z") -> AnnData:
    """Return the deviations as an AnnData of cells × sets (motifs), ready for scanpy.

    Parameters
    ----------
    adata
        Data with :func:`sccase_kit.tl.chromvar` written; nothing is changed.
    key
        The `key_added` of the deviations.
    which
        What goes into `X`: z-scores or deviations.

    Returns
    -------
    AnnData: `X` (n_obs × sets, float64), `obs` and two-dimensional `obsm` layouts (keys that start with ``X_``) of
    `adata`, `var` the table of variability.

    Raises
    ------
    KeyError
        If there are no deviations under `key`.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> import numpy as np
    >>> sets = np.eye(500, 2, dtype=bool) | (np.arange(500) % 5 == 0)[:, None]
    >>> sk.tl.chromvar(adata, sets, background=np.random.default_rng(0).integers(500, size=(500, 10)))
    >>> sk.get.deviations(adata).shape
    (100, 2)
    """
    check_choice(which, ["z", "deviations"], name="which")
    values, names = read_deviations(adata, key, which)
    table = read_variability(adata, key).set_axis(names)
    layouts = {name: np.asarray(adata.obsm[name]) for name in adata.obsm if name.startswith("X_")}
    colors = {name: adata.uns[name] for name in adata.uns if name.endswith("_colors")}
    return AnnData(values.copy(), obs=adata.obs.copy(), var=table, obsm=layouts, uns=colors)


@checked()
def variability(adata: AnnData, key: str = "chromvar") -> pd.DataFrame:
    """Return the variability of every set (motif), the most variable first.

    Parameters
    ----------
    adata
        Data with :func:`sccase_kit.tl.chromvar` written; nothing is changed.
    key
        The `key_added` of the deviations.

    Returns
    -------
    DataFrame by set, see :func:`sccase_kit.tl.chromvar`; sets without variability (NaN) last.

    Raises
    ------
    KeyError
        If there are no deviations under `key`.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> import numpy as np
    >>> sets = np.eye(500, 2, dtype=bool) | (np.arange(500) % 5 == 0)[:, None]
    >>> sk.tl.chromvar(adata, sets, background=np.random.default_rng(0).integers(500, size=(500, 10)))
    >>> len(sk.get.variability(adata))
    2
    """
    return read_variability(adata, key).sort_values("variability", ascending=False, kind="stable")


def read_deviations(adata: AnnData, key: str, which: str) -> tuple[np.ndarray, list[str]]:
    """Return deviations or z (n_obs × sets) written by chromvar, and the names of the sets.

    Raises
    ------
    KeyError
        If there are none under `key`.
    """
    check_adata(adata)
    check_key(f"{key}_{which}", adata.obsm.keys(), name="key", where="adata.obsm", hint=_HINT, remedy="tl.chromvar")
    stored = adata.obsm[f"{key}_{which}"]
    if isinstance(stored, pd.DataFrame):
        return stored.to_numpy(dtype=np.float64), [str(name) for name in stored.columns]
    entry = adata.uns.get(key)
    names = entry["names"] if hasattr(entry, "keys") and "names" in entry else range(stored.shape[1])
    return np.asarray(stored, dtype=np.float64), [str(name) for name in names]


def read_variability(adata: AnnData, key: str) -> pd.DataFrame:
    """Return the table of variability in the order of the sets.

    Raises
    ------
    KeyError
        If there is none under `key`.
    """
    check_adata(adata)
    check_key(key, adata.uns.keys(), name="key", where="adata.uns", hint=_HINT, remedy="tl.chromvar")
    entry = adata.uns[key]
    check_key("variability", entry.keys(), name="key", where=f"adata.uns[{key!r}]", hint=_HINT, remedy="tl.chromvar")
    return entry["variability"].copy()

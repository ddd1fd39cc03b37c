"""What held-out scores say, in a sentence: from a result, or from what is stored with the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import Made, checked
from .._record import record, required

#: Deviation slopes between which deviations count as of the right size.
CALIBRATED = (0.8, 1.25)
_ROUNDING = 1e-6  # nats
_FUNCTION = "metrics.held_out"


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Result of :func:`held_out`.

    Attributes
    ----------
    table
        One row per method: `gain` (nats per hidden entry beyond the peak mean), `se` (its standard error, from
        bootstrapping cells), `sd_splits` and `sd_seeds` (standard deviations over the splits, and over the seeds within
        them), `times` (exp of the gain: how many times as probable a hidden entry is), `slope` (deviation slope: 1 is
        right, above 1 deviations are too small; NaN where the method says the peak mean itself, so that there are no
        deviations), `slope_se` (its standard error),
        `difference` and `difference_se` (gain beyond the first method, paired over cells and splits), `seconds` (mean
        of the fits), and `error`. With groups `of_types`: the gain as a share of that of the groups' means.
    splits
        One row per split, method and seed: `split`, `method`, `run`, `gain`, `slope`, `seconds`, `error`.
    n_cells, n_peaks, n_hidden
        Cells, peaks and hidden entries scored, means over the splits.
    share
        Share of the open entries that were hidden.
    """

    table: pd.DataFrame
    splits: pd.DataFrame
    n_cells: int
    n_peaks: int
    n_hidden: int
    share: float

    def __repr__(self) -> str:
        size = f"{self.n_cells:,} cells × {self.n_peaks:,} peaks, {self.n_hidden:,} hidden entries"
        columns = [name for name in ("gain", "se", "slope", "slope_se") if name in self.table]
        rows = self.table[columns].to_string(float_format=lambda value: f"{value:.3f}", na_rep="-")
        hint = "sk.metrics.held_out_verdict(result) says it in words, sk.pl.held_out(result) draws it"
        return f"HeldOut: {size}\n{rows}\n{hint}"


def record_held_out(
    adata: AnnData, key: str, result: HeldOut, *, params: Mapping[str, Any], spelled: Mapping[str, str]
) -> None:
    """Keep a result in `adata.uns[key]`, as :func:`stored_held_out` reads it; `spelled` is the code of objects."""
    counts = {"n_cells": result.n_cells, "n_peaks": result.n_peaks, "n_hidden": result.n_hidden}
    tables = {"table": result.table.copy(), "splits": result.splits.copy()}
    for table in tables.values():
        table["error"] = table["error"].fillna("").astype(str)
    record(adata, key, _FUNCTION, params=params, **tables, **counts, share_hidden=result.share, spelled=dict(spelled))


@checked()
def stored_held_out(adata: AnnData, key: str = "held_out") -> HeldOut:
    """Return what ``held_out(adata, key_added=...)`` stored.

    Parameters
    ----------
    adata
        The data.
    key
        Its `key_added`.

    Returns
    -------
    :class:`HeldOut`, as it was.

    Raises
    ------
    KeyError
        If there is no such result; the message names those that are.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=300, n_peaks=800).adata
    >>> sk.pp.filter_peaks(adata, min_fraction=0.03)
    >>> sk.pp.filter_cells(adata, min_peaks=8)
    >>> _ = sk.metrics.held_out(adata, n_splits=1, min_cells=1, key_added="held_out")
    >>> sk.metrics.stored_held_out(adata).table.index.tolist()
    ['robust']
    """
    found = required(adata, key, _FUNCTION).results
    n_cells, n_peaks, n_hidden = (int(found[name]) for name in ("n_cells", "n_peaks", "n_hidden"))
    return HeldOut(found["table"], found["splits"], n_cells, n_peaks, n_hidden, float(found["share_hidden"]))


@checked(result=Made(HeldOut, "sccase_kit.metrics.held_out"))
def held_out_verdict(result: HeldOut, method: str | None = None) -> tuple[str, dict[str, float]]:
    """Say in a sentence whether, and by how much, a method tells where cells are open.

    Parameters
    ----------
    result
        Result of :func:`held_out`.
    method
        A row of its table; `None` for the first.

    Returns
    -------
    The sentence, and its numbers: `gain`, `se`, `times`, `slope`, `n_hidden`.

    Raises
    ------
    KeyError
        If there is no such method.
    ValueError
        If it failed.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=300, n_peaks=800).adata
    >>> sk.pp.filter_peaks(adata, min_fraction=0.03)
    >>> sk.pp.filter_cells(adata, min_peaks=8)
    >>> text, numbers = sk.metrics.held_out_verdict(sk.metrics.held_out(adata, n_splits=1, min_cells=1))
    >>> text.startswith("Enhancing helps")
    True
    """
    name = result.table.index[0] if method is None else method
    if name not in result.table.index:
        msg = f"method={method!r} is not in the table; available: {result.table.index.tolist()}"
        raise KeyError(msg)
    row = result.table.loc[name]
    gain, error, slope = float(row["gain"]), float(row["se"]), float(row["slope"])
    if not np.isfinite(gain):
        msg = f"method {name!r} failed: {row['error']}"
        raise ValueError(msg)
    numbers = {"gain": gain, "se": error, "times": float(np.exp(gain)), "slope": slope, "n_hidden": result.n_hidden}
    what = f"of {result.n_hidden:,} hidden fragments (gain {gain:.3f} ± {error:.3f} nats over the peak mean)"
    least = max(2 * error, _ROUNDING)
    if gain > least:
        text = f"Enhancing helps these data: each {what} is on average {np.exp(gain):.3g} times as probable"
    elif gain < -least:
        text = f"Enhancing harms these data: each {what} is on average {np.exp(-gain):.3g} times less probable"
    else:
        text = f"No evidence that enhancing helps these data: the probability {what} does not change beyond its error"
    if np.isnan(slope):
        text += "; the method says the peak mean itself, so there are no differences between cells to judge."
    elif gain > least:
        low, high = CALIBRATED
        if low <= slope <= high:
            text += f"; differences between cells have the right size (slope {slope:.2f})."
        elif slope > high:
            text += (
                f"; differences between cells come out too small: in the hidden fragments they are {slope:.2f} times "
            )
            text += "as large, so read which cells have more of a peak, not how much more."
        else:
            text += (
                f"; differences between cells come out too large: in the hidden fragments they are {slope:.2f} times "
            )
            text += "as large, so small ones may be noise."
    else:
        text += "."
    return text, numbers

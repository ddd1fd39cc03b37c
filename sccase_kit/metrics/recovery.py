"""How well methods tell where a cell is open although no fragment was seen, on any data and without labels."""

from __future__ import annotations

import inspect
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import Named, checked
from .._calls import check_free
from .._labels import encode_labels
from .._logging import said_once, warn
from .._progress import progress
from .._record import as_object, seeded
from .._rng import check_rng
from .._validate import check_adata, check_choice, check_int, check_labels
from ..enhance import Robust, fit
from ..enhance.expected import PeakScaling, count_factors
from ..matrix.access import get_matrix
from .hidden import CellScores
from .spelled import spelled_methods
from .splits import HiddenEntries, hide_entries
from .verdicts import HeldOut, record_held_out


@checked()
def held_out(
    adata: AnnData,
    methods: Mapping[str, Any] | None = None,
    *,
    groupby: str | None = None,
    splits: Sequence[HiddenEntries] | None = None,
    share: float = 0.3,
    n_splits: int = 3,
    n_seeds: int = 1,
    min_cells: int = 5,
    n_boot: int = 200,
    layer: str | None = None,
    on_error: Literal["raise", "record"] = "raise",
    rng: int | np.random.Generator | None = 0,
    key_added: str | None = None,
) -> HeldOut:
    """Hide entries, enhance the rest, and score how probable the hidden ones are beyond the peak mean.

    A random share of the open entries is hidden, whole; methods see the others. They say which share of a cell's
    fragments each peak gets, and each hidden entry is scored among the peaks that training left closed in its cell. The
    gain is the mean log-likelihood ratio to "peak mean × depth". It needs no labels, and nothing of size cells × peaks
    is formed for methods that return factors.

    Parameters
    ----------
    adata
        Counts, cells × peaks, in any storage. Peaks filtered as they will be enhanced.
    methods
        Name → function of an AnnData, and of `rng` if it has such a parameter. It writes to its AnnData by
        :func:`sccase_kit.tl.enhance` and returns None, or returns what :meth:`HiddenEntries.score` takes: an enhanced
        AnnData, one with a matrix in `X`, a matrix, or (cell_factors, peak_factors). `None` judges the default method.
        With `splits` a method may also be a list of such results, one per split: what another tool made elsewhere.
    groupby
        Column of `obs` with known types: adds their means, shrunk to the peak mean by the best weight, as a yardstick.
        They see the labels, so this is for benchmarks.
    splits
        Splits of these data by :func:`hide_entries`, whose `training` other tools were given; `share`, `n_splits`,
        `min_cells` and `layer` are theirs. `None` draws new ones.
    share
        Share of the open entries that are hidden.
    n_splits
        Random splits. One orders coarse choices; three give errors of some hundredths of the gain on 500 cells.
    n_seeds
        Runs of every function with a parameter `rng` per split, each with another seed. Gains are their means, and the
        column `sd_seeds` is their spread.
    min_cells
        Peaks with fewer training entries are left out.
    n_boot
        Bootstrap samples of the cells.
    layer
        Layer with the counts; `None` for `X`.
    on_error
        `"record"` goes on where a method fails, with the message in the column `error`.
    rng
        Seed or generator; each split draws its own seed, which the methods get too.
    key_added
        Key of `uns` where the call and its scores are kept; :func:`stored_held_out` reads them, and the page
        (:func:`sccase_kit.report.write_report`) shows them. `None` keeps nothing.

    Returns
    -------
    :class:`HeldOut`; drawn by :func:`sccase_kit.pl.held_out`, said in a sentence by :func:`held_out_verdict`.

    Raises
    ------
    TypeError
        If `methods` does not map names to functions or, with `splits`, lists of results.
    ValueError
        If an argument is out of bounds, a list has not one result per split, or nothing can be scored.

    Warns
    -----
    UserWarning
        If peaks or cells were left out because too little of them remained for training, or an argument has no effect.

    Notes
    -----
    The gain is a score of recovery, not of clustering: it rejects settings that fit noise, but the best gain and the
    best clusters are not at the same setting (see the guide *Held-out fragments*).

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=300, n_peaks=800).adata
    >>> sk.pp.filter_peaks(adata, min_fraction=0.03)
    >>> sk.pp.filter_cells(adata, min_peaks=8)
    >>> result = sk.metrics.held_out(adata, {"robust": sk.tl.enhance}, n_splits=1, min_cells=1)
    >>> bool(result.table.loc["robust", "gain"] > 0)
    True
    """
    check_adata(adata)
    check_int(n_splits, name="n_splits", minimum=1)
    check_int(n_boot, name="n_boot", minimum=2)
    check_int(n_seeds, name="n_seeds", minimum=1)
    check_choice(on_error, ["raise", "record"], name="on_error")
    key_added = None if key_added is None else check_free(adata, key_added, "metrics.held_out")
    given = methods
    methods = {"robust": _default} if methods is None else dict(Named("methods")(methods, "methods", {}))
    labels = None if groupby is None else check_labels(adata, groupby, min_groups=2)
    if splits is not None:
        splits = _checked_splits(splits, adata.n_obs)
        ignored = {
            "share": (share, 0.3),
            "n_splits": (n_splits, 3),
            "min_cells": (min_cells, 5),
            "layer": (layer, None),
        }
        if words := [name for name, (value, default) in ignored.items() if value != default]:
            warn(f"{', '.join(words)}: no effect with splits, which have their own")
        n_splits, share = len(splits), splits[0].share
    _check_methods(methods, None if splits is None else n_splits)
    rng, seed_given = seeded(rng)
    seeds = check_rng(rng).integers(2**31, size=n_splits).tolist()
    judge = _Judge(adata.n_obs, n_splits, list(methods), with_types=labels is not None)
    n_fits = n_splits * sum(_n_runs(method, n_seeds) for method in methods.values())
    with progress(total=n_fits, desc="held-out entries", unit="fit") as bar, tempfile.TemporaryDirectory() as folder:
        stored = splits is None and (adata.isbacked or hasattr(get_matrix(adata, layer), "dask"))
        for number, seed in enumerate(seeds):
            where = Path(folder) / str(number) if stored else None
            if where is not None:
                where.mkdir()
            if splits is not None:
                split = splits[number]
            else:
                split = hide_entries(adata, share=share, min_cells=min_cells, layer=layer, folder=where, rng=seed)
            judge.begin(split)
            if labels is not None:
                codes, _ = encode_labels(labels[split.cells].astype(str), int(split.cells.sum()), min_groups=1)
                judge.add("types", [split.score_groups(codes)], 0.0)
            for name, method in methods.items():
                started = time.perf_counter()
                try:
                    scores = []
                    for own_seed in _seeds_of(seed, _n_runs(method, n_seeds)):
                        with said_once() if number or own_seed != seed else nullcontext():
                            result = _run(method, split.training, own_seed) if callable(method) else method[number]
                        scores.append(split.score_cells(result))
                        bar.update()
                    judge.add(name, scores, (time.perf_counter() - started) / len(scores))
                except Exception as err:
                    if on_error == "raise":
                        raise
                    judge.fail(name, f"{type(err).__name__}: {err}")
            if stored:
                split.training.file.close()
    judge.warn_of_left_out(adata.shape, min_cells)
    result = judge.result(n_boot, share, np.random.default_rng(seeds[0]))
    if key_added is not None:
        params = {"methods": as_object(given), "groupby": groupby, "splits": as_object(splits), "n_seeds": n_seeds}
        if splits is None:
            params |= {"share": share, "n_splits": n_splits, "min_cells": min_cells, "layer": layer}
        params |= {"n_boot": n_boot, "on_error": on_error, "rng": seed_given}
        record_held_out(adata, key_added, result, params=params, spelled=spelled_methods(given))
    return result


def _default(adata: AnnData, *, rng: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the thin factors, in counts, of the default method."""
    result = fit(get_matrix(adata), Robust(), rng=rng).result
    if result.shares is not None and result.profiles is not None:
        return result.shares, result.profiles
    cells, peaks = result.factors
    scaling = PeakScaling(*np.asarray(result.peak_scaling).T)
    return cells, count_factors(peaks, scaling, result.info["factor_sums"])


def _run(method: Callable[..., Any], training: AnnData, seed: int) -> Any:
    own = training if training.isbacked else training.copy()
    with warnings.catch_warnings():  # the training data lack what is hidden: empty cells and peaks are meant
        warnings.simplefilter("ignore", UserWarning)
        takes_rng = "rng" in inspect.signature(method).parameters
        result = method(own, rng=seed) if takes_rng else method(own)
    return own if result is None else result


def _checked_splits(splits: Any, n_cells: int) -> list[HiddenEntries]:
    found: list[Any] = list(splits) if isinstance(splits, (list, tuple)) else [splits]
    if not found or not all(isinstance(split, HiddenEntries) for split in found):
        msg = f"splits must be results of sccase_kit.metrics.hide_entries, got {[type(s).__name__ for s in found]}"
        raise TypeError(msg)
    if other := [len(split.cells) for split in found if len(split.cells) != n_cells]:
        msg = f"splits must be of these data ({n_cells} cells), got some of {other} cells"
        raise ValueError(msg)
    return found


def _check_methods(methods: Mapping[str, Any], n_splits: int | None) -> None:
    """Raise unless methods are functions or, with splits, lists of one result per split."""
    if not methods or not all(callable(m) or (n_splits is not None and isinstance(m, list)) for m in methods.values()):
        kinds = "functions of an AnnData" if n_splits is not None else "functions of an AnnData (lists need splits=)"
        msg = f"methods must map names to {kinds}, got {methods!r}"
        raise TypeError(msg)
    for name, method in methods.items():
        if isinstance(method, list) and len(method) != n_splits:
            msg = f"methods[{name!r}] must hold one result for each of {n_splits} splits, got {len(method)}"
            raise ValueError(msg)


def _n_runs(method: Any, n_seeds: int) -> int:
    return n_seeds if callable(method) and "rng" in inspect.signature(method).parameters else 1


def _seeds_of(seed: int, n_seeds: int) -> list[int]:
    """Return the seeds of the runs on one split, the split's own first."""
    return [seed, *np.random.default_rng(seed).integers(2**31, size=n_seeds - 1).tolist()]


class _Judge:
    """Collects the sums of every cell, split and method, and makes the tables of them."""

    def __init__(self, n_cells: int, n_splits: int, names: list[str], *, with_types: bool) -> None:
        self._names = [*names, "types"] if with_types else names
        self._n_splits = n_splits
        self._hidden = np.zeros((n_splits, n_cells))
        self._sums = {name: np.zeros((n_splits, 3, n_cells)) for name in self._names}
        self._rows: list[dict[str, Any]] = []
        self._shapes: list[tuple[int, int, int]] = []
        self._cells = np.zeros(0, dtype=bool)

    def begin(self, split: HiddenEntries) -> None:
        """Start the next split."""
        self._cells = split.cells
        self._shapes.append((int(split.cells.sum()), int(split.peaks.sum()), split.n_hidden))

    def add(self, name: str, runs: list[CellScores], seconds: float) -> None:
        """Add a method's sums, means over its runs."""
        number = len(self._shapes) - 1
        for i, scores in enumerate(runs):
            gain = scores.gain if scores.gain.ndim == 1 else scores.gain[:, np.argmax(scores.gain.sum(axis=0))]
            self._hidden[number, self._cells] = scores.n_hidden
            self._sums[name][number][:, self._cells] += np.array([gain, scores.seen, scores.said]) / len(runs)
            row = {"gain": scores.mean_gain(), "slope": scores.slope(), "seconds": seconds, "error": ""}
            self._rows.append({"split": number, "method": name, "run": i} | row)

    def fail(self, name: str, error: str) -> None:
        """Note that a method failed."""
        self._sums[name][:] = np.nan
        self._rows.append({"split": len(self._shapes) - 1, "method": name, "run": 0, "error": error})

    def warn_of_left_out(self, shape: tuple[int, int], min_cells: int) -> None:
        """Warn of cells and peaks that were not scored."""
        n, m = np.min([counts[:2] for counts in self._shapes], axis=0)
        parts = [f"{shape[1] - m} of {shape[1]} peaks with fewer than {min_cells} training entries"] * int(m < shape[1])
        parts += [f"{shape[0] - n} of {shape[0]} cells without one"] * int(n < shape[0])
        if parts:
            warn(f"left out of the held-out scores: {' and '.join(parts)}")

    def result(self, n_boot: int, share: float, rng: np.random.Generator) -> HeldOut:
        """Return the tables."""
        splits = pd.DataFrame(self._rows)
        gains, slopes = self._bootstrap(n_boot, rng)  # of all cells, then of the samples
        first = self._names[0]
        rows = {}
        for name in self._names:
            mine = splits[splits["method"] == name]
            by_split = mine.groupby("split")["gain"]
            differences = gains[name] - gains[first]
            rows[name] = {
                "gain": gains[name][0],
                "se": gains[name][1:].std(ddof=1),
                "sd_splits": by_split.mean().std(ddof=1) if mine["split"].nunique() > 1 else np.nan,
                "sd_seeds": np.sqrt(by_split.var(ddof=1).mean()) if mine["run"].max() > 0 else np.nan,
                "times": np.exp(gains[name][0]),
                "slope": slopes[name][0],
                "slope_se": slopes[name][1:].std(ddof=1),
                "difference": differences[0],
                "difference_se": differences[1:].std(ddof=1),
                "seconds": mine["seconds"].mean(),
                "error": "; ".join(dict.fromkeys(filter(None, mine["error"]))),
            }
            if "types" in self._names:
                rows[name]["of_types"] = gains[name][0] / gains["types"][0]
        table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")
        n, m, hidden = np.round(np.mean(self._shapes, axis=0)).astype(int).tolist()
        return HeldOut(table, splits, n, m, hidden, share)

    def _bootstrap(self, n_boot: int, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return gain and slope of every method, of all cells and then of bootstrap samples."""
        hidden = self._hidden.sum(axis=0)
        totals = {name: sums.sum(axis=0) for name, sums in self._sums.items()}
        gains = {name: np.empty(n_boot + 1) for name in self._names}
        slopes = {name: np.empty(n_boot + 1) for name in self._names}
        n = len(hidden)
        for b in range(n_boot + 1):
            weights = np.ones(n) if b == 0 else np.bincount(rng.integers(n, size=n), minlength=n)
            for name, total in totals.items():
                gains[name][b] = weights @ total[0] / (weights @ hidden)
                slopes[name][b] = CellScores(*(weights * values for values in (hidden, *total))).slope()
        return gains, slopes

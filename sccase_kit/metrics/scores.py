"""All scores of one enhanced matrix, as one flat record."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .accuracies import accuracy_of
from .evaluation import score_clustering
from .mixing import FEWEST, batch_asw, kbet
from .profiles import Profiles
from .smoothing import smoothing_scores


def all_scores(
    plain: Profiles,
    clustered: Profiles,
    labels: Any,
    *,
    truth: Any | None = None,
    batches: Any | None = None,
    raw: Profiles | None = None,
    rng: int = 0,
    **clustering: Any,
) -> dict[str, float]:
    """Return the scores that the given material allows.

    Parameters
    ----------
    plain
        Enhanced values without scaling; accuracy and smoothing are judged on them.
    clustered
        The values that are clustered (min–max scaled for factor models).
    labels
        Cell type of every cell.
    truth
        Matrix of the same shape, positive where open: adds `cell_auprc`, `cell_auroc`, `peak_auprc`, `peak_auroc`,
        means over the cells or peaks where they exist.
    batches
        Batch of every cell: adds `kbet`, `kbet_label` (inside the types) and `batch_asw` on the principal components;
        NaN where no type has cells of two batches.
    raw
        Raw values: adds `smoothing`, `over`, `under`.
    rng
        Seed.
    clustering
        Passed to the clustering.
    """
    record = dict(score_clustering(clustered, labels, rng=rng, **clustering))
    if truth is not None:
        for axis in ("cell", "peak"):
            areas = accuracy_of(plain, truth, axis=axis)
            record |= {f"{axis}_{name}": float(areas[name].mean()) for name in ("auprc", "auroc")}
    if batches is not None:
        scores = clustered.pca(50)
        record["kbet"] = kbet(scores, batches, rng=rng)
        table = pd.crosstab(pd.Series(np.asarray(labels)), pd.Series(np.asarray(batches)))
        shared, sizes = (table > 0).sum(axis=1) > 1, table.sum(axis=1)
        record["kbet_label"] = (
            kbet(scores, batches, labels=labels, rng=rng) if (shared & (sizes >= FEWEST)).any() else np.nan
        )
        record["batch_asw"] = batch_asw(scores, labels, batches) if shared.any() else np.nan
    if raw is not None:
        record |= dict(smoothing_scores(labels, plain, raw))
    return record

"""Design matrices of pseudo-bulk samples: an intercept, covariates, and the levels of a condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True, slots=True)
class Design:
    """A design matrix and the contrasts of the levels of a condition with its reference.

    Attributes
    ----------
    matrix
        DataFrame samples × coefficients, float64; treatment coding, the first coefficient is the intercept.
    levels
        Levels of the condition except the reference, in the order of `contrasts`.
    contrasts
        Shape (n_levels, n_coefficients), float64.
    """

    matrix: pd.DataFrame
    levels: list[str]
    contrasts: np.ndarray


def design_of(samples: pd.DataFrame, condition: str, reference: str, *, covariates: Sequence[str] = ()) -> Design:
    """Make the design ``~ covariates + condition``.

    Parameters
    ----------
    samples
        One row per sample: the condition and the covariates, numbers (kept as they are) or categories.
    condition
        Column with the condition.
    reference
        Its level that the others are compared with.
    covariates
        Columns to adjust for.

    Returns
    -------
    :class:`Design`

    Raises
    ------
    ValueError
        If the reference is absent, there is no other level, a covariate cannot be told from the condition, or no
        sample is left to estimate the spread.
    """
    labels = samples[condition].astype(str)
    levels = [level for level in sorted(labels.unique()) if level != reference]
    if reference not in set(labels):
        msg = f"reference={reference!r} is no level of {condition!r}: {sorted(labels.unique())}"
        raise ValueError(msg)
    if not levels:
        msg = f"{condition!r} has only the level {reference!r}"
        raise ValueError(msg)
    columns = {"intercept": np.ones(len(samples))}
    for name in covariates:
        values = samples[name]
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            numbers = values.to_numpy(dtype=np.float64)
            columns[name] = numbers - numbers.mean()
            continue
        text = values.astype(str)
        for level in sorted(text.unique())[1:]:
            columns[f"{name}[{level}]"] = (text == level).to_numpy(dtype=np.float64)
    first = len(columns)
    for level in levels:
        columns[f"{condition}[{level}]"] = (labels == level).to_numpy(dtype=np.float64)
    matrix = pd.DataFrame(columns, index=samples.index)
    rank = np.linalg.matrix_rank(matrix.to_numpy())
    if rank < matrix.shape[1]:
        msg = f"covariates {list(covariates)} and {condition!r} cannot be told apart: the design of {len(samples)} "
        msg += f"samples has {matrix.shape[1]} coefficients but rank {rank}; leave covariates out"
        raise ValueError(msg)
    if rank >= len(samples):
        msg = f"{len(samples)} samples for {rank} coefficients leave none to estimate the spread between replicates"
        raise ValueError(msg)
    contrasts = np.zeros((len(levels), matrix.shape[1]))
    contrasts[np.arange(len(levels)), first + np.arange(len(levels))] = 1
    return Design(matrix, levels, contrasts)

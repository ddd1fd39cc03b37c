"""Which columns of the cells may hold batches: by their names, else by how their values lie across the groups."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pandas as pd

_WORDS = (
    r"batch(?:es)?|donors?|samples?|library|libraries|libs?|replicates?|rep|plates?|lanes?|patients?|individuals?|subjects?|"
    r"preps?|preparations?|runs?|channels?|gem|wells?|chips?|flow ?cells?|pools?|experiments?|exp|datasets?|projects?|"
    r"protocols?|platforms?|technology|tech|chemistry|sites?|sequencing|animals?|mouse|mice|orig ident|gsm|srr"
)
_NAME = re.compile(rf"(?<![a-z])(?:{_WORDS})(?![a-z])")
_FIRST = re.compile(r"(?<![a-z])batch")
#: Values of such a column at most; of one that is found by its values alone.
_MOST, _MOST_UNNAMED = 50, 20
#: Share of a column's entropy that the groups explain, above which it is a label of the same kind as they.
_OWN_LABEL = 0.3
_FLAGS = {"true", "false", "yes", "no", "0", "1", "singlet", "doublet", "pass", "fail", "g1", "s", "g2m", ""}


class BatchColumn(NamedTuple):
    """A column that may hold batches, and why: "name" or "values"."""

    name: str
    why: str


def batch_columns(obs: pd.DataFrame, groups: pd.Series | None = None) -> list[BatchColumn]:
    """Return the columns that may hold batches, those called so first, each partition of the cells once.

    Parameters
    ----------
    obs
        The cells.
    groups
        What the cells are grouped by: columns with the same partition are left out, and columns whose names say nothing
        are found where their values, a few, lie across the groups. None: by their names alone.

    Returns
    -------
    Columns of 2 to 50 values without a missing one (by values alone: of 2 to 20 texts that are no flags).
    """
    known = [] if groups is None else [_codes(groups)]
    found: list[BatchColumn] = []
    for column in sorted((_of(obs, name, groups) for name in obs.columns), key=_rank):
        if column is None or (groups is not None and column.name == str(groups.name)):
            continue
        codes = _codes(obs[column.name])
        if any(np.array_equal(codes, one) for one in known):
            continue
        known.append(codes)
        found.append(column)
    return found


def _rank(column: BatchColumn | None) -> tuple[bool, bool]:
    return (column is None or column.why != "name", column is None or not _FIRST.search(_plain(column.name)))


def _plain(name: object) -> str:
    """Return the words of a name: ``SampleID`` and ``sample_id`` are "sample id"."""
    return re.sub(r"[^A-Za-z]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(name))).lower()


def _of(obs: pd.DataFrame, name: object, groups: pd.Series | None) -> BatchColumn | None:
    column = obs[name]
    if not isinstance(name, str) or not isinstance(column, pd.Series) or pd.api.types.is_float_dtype(column):
        return None
    if column.isna().any() or not 2 <= (n := column.astype(str).nunique()) <= _MOST:
        return None
    if _NAME.search(_plain(name)):
        return BatchColumn(name, "name")
    if groups is None or n > _MOST_UNNAMED or pd.api.types.is_numeric_dtype(column):
        return None
    if set(column.astype(str).str.lower()) <= _FLAGS or explained(column, groups) > _OWN_LABEL:
        return None
    return BatchColumn(name, "values")


def _codes(column: pd.Series) -> np.ndarray:
    """Return codes by first occurrence: equal for columns that part the cells in the same way."""
    return pd.factorize(column.astype(str).to_numpy(object))[0]


def explained(column: pd.Series, groups: pd.Series) -> float:
    """Return which share of the entropy of a column the groups explain: 0 if they say nothing of it, 1 if all."""
    joint = pd.crosstab(column.astype(str).to_numpy(object), groups.astype(str).to_numpy(object)).to_numpy(float)
    joint = joint / joint.sum()
    own, other = joint.sum(axis=1), joint.sum(axis=0)
    entropy = -float(np.sum(own * np.log(own)))
    with np.errstate(divide="ignore", invalid="ignore"):
        shared = np.nansum(joint * np.log(joint / np.outer(own, other)))
    return float(shared) / entropy if entropy > 0 else 1.0

"""Labels of any type as integer codes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ._arguments import Labels


def column_name(name: object) -> str:
    """Return the name of a column that files can hold: ``/``, which they read as a folder, becomes ``|``."""
    return str(name).replace("/", "|")


def named(asked: object, names: Sequence[str]) -> list[str]:
    """Return the names of sets that a name stands for.

    A motif whose name others share is called ``name (id)``: its name stands for all of them, its id for itself.

    Parameters
    ----------
    asked
        What was asked for.
    names
        The names there are.

    Returns
    -------
    The name itself if it is there; else those of the form ``asked (id)``, or ``name (asked)``; none if there is none.
    """
    wanted = column_name(asked)
    known = [column_name(name) for name in names]
    if wanted in known:
        return [names[known.index(wanted)]]
    several = [k for k, name in enumerate(known) if name.startswith(f"{wanted} (") and name.endswith(")")]
    several = several or [k for k, name in enumerate(known) if name.endswith(f" ({wanted})")]
    return [names[k] for k in several]


def all_named(asked: Iterable[object], names: Sequence[str]) -> tuple[list[str], list[object]]:
    """Return the names that names stand for (see :func:`named`), each once, and what stands for none."""
    found = {name: named(name, names) for name in asked}
    return list(dict.fromkeys(n for some in found.values() for n in some)), [n for n, some in found.items() if not some]


def column_names(names: Iterable[str]) -> list[str]:
    """Return :func:`column_name` of every name.

    Raises
    ------
    ValueError
        If two names become the same.
    """
    names = list(names)
    columns = [column_name(name) for name in names]
    if len(set(columns)) < len(set(names)):
        clash = next(name for name in names if "/" in name and column_name(name) in names)
        msg = f"{clash!r} and {column_name(clash)!r} cannot be told apart in a file, where '/' is written '|'"
        raise ValueError(msg)
    return columns


def encode_labels(
    labels: Iterable[object], length: int, *, name: str = "labels", min_groups: int = 1
) -> tuple[np.ndarray, list[Any]]:
    """Return 0-based codes (intp) and the groups in category, sorted or (where not sortable) first-seen order.

    Parameters
    ----------
    labels
        One hashable label per cell; categories without cells are dropped.
    length
        Number of cells.
    name
        Name used in messages.
    min_groups
        Least number of groups.

    Raises
    ------
    TypeError
        If the labels are no list, or some cannot be compared.
    ValueError
        If the number of labels is not `length`, labels are missing, or there are too few groups.
    """
    labels = Labels("cells", fit=False)(labels, name, {})
    series = (
        labels if isinstance(labels, (pd.Series, pd.Categorical, pd.Index)) else pd.Series(list(labels), dtype=object)
    )
    if len(series) != length:
        msg = f"{name} must have one value per cell ({length}), got {len(series)}"
        raise ValueError(msg)
    if isinstance(series.dtype, pd.CategoricalDtype):
        values = pd.Categorical(series).remove_unused_categories()
        codes, groups = np.asarray(values.codes, dtype=np.intp), list(values.categories)
    else:
        codes, found = pd.factorize(np.asarray(series, dtype=object))
        groups = list(found)
        try:
            order = sorted(range(len(groups)), key=groups.__getitem__)
        except TypeError:
            order = list(range(len(groups)))
        rank = np.empty(len(groups) + 1, dtype=np.intp)
        rank[order] = np.arange(len(groups))
        rank[-1] = -1
        codes, groups = rank[codes], [groups[k] for k in order]
    if n_missing := int(np.count_nonzero(codes < 0)):
        msg = f"{name}: {n_missing} of {length} cells have no label; drop or label them first"
        raise ValueError(msg)
    groups = [group.item() if isinstance(group, np.generic) else group for group in groups]
    if len(groups) < min_groups:
        msg = f"{name} has {len(groups)} group(s) {groups[:3]}, at least {min_groups} are needed"
        raise ValueError(msg)
    return codes, groups

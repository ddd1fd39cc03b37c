"""What a plot of a table is given: the table, or data in which it is stored."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import pandas as pd
from anndata import AnnData

from .._record import recorded


def table_of(given: Any, columns: Collection[str], *, key: str | None, run: str) -> Any:
    """Return a table as it is; of an AnnData, the stored one with these columns.

    Parameters
    ----------
    given
        Table or AnnData; anything else is returned too, for the check of tables.
    columns
        By which the table is known.
    key
        Key of `uns` with the table, or with the result that holds it; `None` looks for the only one.
    run
        The function that makes such tables, for the message.

    Raises
    ------
    KeyError
        If there is no such table, or there are several and no key.
    """
    if not isinstance(given, AnnData):
        return given
    found = {name: table for name, table in _tables(given) if set(columns) <= set(table.columns)}
    if key is None and len(found) == 1:
        return next(iter(found.values()))
    if key in found:
        return found[key]
    if key is None and found:
        msg = f"key is needed: adata.uns holds several tables of sccase_kit.{run}: {list(found)}"
        raise KeyError(msg)
    where = "adata.uns" if key is None else f"adata.uns[{key!r}]"
    msg = f"{where} holds no table of sccase_kit.{run} (columns {sorted(columns)})"
    msg += f"; there are {list(found)}" if found else f"; keep it there: adata.uns['name'] = sccase_kit.{run}(...)"
    raise KeyError(msg)


def _tables(adata: AnnData) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield every table in `uns`, and the tables of results, by the key of `uns`."""
    for name, entry in adata.uns.items():
        if isinstance(entry, pd.DataFrame):
            yield str(name), entry
        elif (made := recorded(entry)) is not None:
            for value in made.results.values():
                if isinstance(value, pd.DataFrame):
                    yield str(name), value

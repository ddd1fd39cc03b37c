"""BEDTools through pybedtools: a private folder for temporary files, always cleaned."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from types import ModuleType

import numpy as np
import pandas as pd

from .._optional import import_optional, require_program

_HINT = (
    "Install BEDTools: apt-get install bedtools (Debian, Ubuntu), conda install -c bioconda bedtools, "
    "or brew install bedtools."
)
_LAST = 2**34  # BEDTools has no bin for positions much further; it then prints an error, or does not return
_lock = Lock()  # pybedtools keeps its folder in a global variable


@contextmanager
def bedtools() -> Iterator[ModuleType]:
    """Yield the module pybedtools, working in a temporary folder of its own that is removed afterwards.

    Raises
    ------
    MissingProgramError
        If the program ``bedtools`` is not on the PATH.
    ImportError
        If pybedtools is not installed.
    """
    require_program("bedtools", hint=_HINT)
    module = import_optional("pybedtools", extra="genomics")
    with _lock, tempfile.TemporaryDirectory(prefix="sccase_kit_", ignore_cleanup_errors=True) as folder:
        before = tempfile.tempdir
        module.set_tempdir(folder)
        try:
            yield module
        finally:
            module.cleanup()
            tempfile.tempdir = before


def to_bed(module: ModuleType, regions: pd.DataFrame, strand: np.ndarray | None = None):
    """Return a sorted BedTool of the regions; column 4 is the row number, column 6 the strand.

    Raises
    ------
    ValueError
        If a region reaches beyond what BEDTools can index.
    """
    far = (regions["end"] > _LAST).to_numpy(bool)
    if far.any():
        row = regions[far].iloc[0]
        msg = f"{row['chrom']}:{row['start']}-{row['end']} ends beyond the last position that BEDTools knows, {_LAST}"
        raise ValueError(msg)
    table = pd.DataFrame({"chrom": regions["chrom"].to_numpy(), "start": regions["start"].to_numpy()})
    table["end"] = regions["end"].to_numpy()
    table["row"] = np.arange(len(table))
    if strand is not None:
        table["score"], table["strand"] = 0, strand
    table = table.sort_values(["chrom", "start", "end"], kind="stable")
    folder = module.get_tempdir()
    with tempfile.NamedTemporaryFile("w", suffix=".bed", dir=folder, delete=False, newline="") as file:
        table.to_csv(file, sep="\t", header=False, index=False)
    return module.BedTool(file.name)


def read_columns(result, columns: dict[int, str]) -> pd.DataFrame:
    """Read some columns (number → name) of a BedTool's file: text for the name chrom, else int64 (``.`` becomes -1)."""
    kinds = {number: str if name == "chrom" else np.int64 for number, name in columns.items()}
    try:
        table = pd.read_csv(result.fn, sep="\t", header=None, usecols=list(columns), dtype=str, na_filter=False)
    except pd.errors.EmptyDataError:
        return pd.DataFrame({name: pd.Series(dtype=kinds[number]) for number, name in columns.items()})
    return table.replace(".", "-1").astype(kinds).rename(columns=columns)[list(columns.values())]

"""EpiScanpy behind a shim: its last release imports names that NumPy 2 and newer AnnData no longer have."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from .._optional import import_optional

_LOCK = threading.Lock()
_READERS = ("read_csv", "read_excel", "read_hdf", "read_loom", "read_mtx", "read_text", "read_umi_tools")


def import_episcanpy() -> ModuleType:
    """Import EpiScanpy 0.4.0; names that it needs are lent to NumPy and AnnData while it loads, and taken away again.

    Returns
    -------
    The module `episcanpy`.

    Raises
    ------
    ImportError
        If EpiScanpy is not installed or cannot be imported.
    """
    if "episcanpy" in sys.modules:
        return sys.modules["episcanpy"]
    numpy, anndata = importlib.import_module("numpy"), importlib.import_module("anndata")
    source = importlib.import_module("anndata.io") if importlib.util.find_spec("anndata.io") else anndata
    lent = [(numpy, "NaN", numpy.nan), (anndata, "read", anndata.read_h5ad)]
    lent += [(anndata, name, getattr(source, name)) for name in _READERS if hasattr(source, name)]
    with _LOCK, lend_attributes(lent), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_optional("episcanpy", extra="episcanpy")


@contextmanager
def lend_attributes(lent: list[tuple[ModuleType, str, object]]) -> Iterator[None]:
    """Set attributes that modules do not have, and remove them at the end; attributes that exist are left alone."""
    added = []
    try:
        for module, name, value in lent:
            if name not in vars(module):
                setattr(module, name, value)
                added.append((module, name))
        yield
    finally:
        for module, name in added:
            delattr(module, name)

"""Versions of what a page was computed with."""

from __future__ import annotations

import platform
from importlib import metadata

import pandas as pd

PACKAGES = [
    "numpy",
    "scipy",
    "pandas",
    "anndata",
    "scanpy",
    "scikit-learn",
    "numba",
    "igraph",
    "matplotlib",
]


def versions(*more: str) -> pd.DataFrame:
    """Return name and version of Python, the system, this package, what it computes with, and `more` packages.

    Returns
    -------
    DataFrame package, version (str; "missing" for what is not installed).
    """
    rows = [("Python", platform.python_version()), ("system", platform.platform())]
    for name in ["sccase_kit", *PACKAGES, *more]:
        try:
            rows.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            rows.append((name, "missing"))
    return pd.DataFrame(rows, columns=["package", "version"])

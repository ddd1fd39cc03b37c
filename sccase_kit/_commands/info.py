"""Say what is in a file: size, sparsity, labels, peaks, and earlier results."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

HELP = "what is in a file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("input", help=".h5ad, .zarr, 10x .h5, 10x mtx folder, or peaks × cells text")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read the file and return its summary."""
    from sccase_kit.enhance._prepare import count_statistics
    from sccase_kit.io import read

    adata = read(args.input)
    depth, n_open, nnz = count_statistics(adata.X)
    labels = {
        name: int(column.nunique())
        for name, column in adata.obs.items()
        if not np.issubdtype(column.dtype, np.number) and column.nunique() < adata.n_obs
    }
    return {
        "file": str(args.input),
        "cells": adata.n_obs,
        "peaks": adata.n_vars,
        "dtype": str(adata.X.dtype),
        "nonzeros": nnz,
        "density": round(nnz / (adata.n_obs * adata.n_vars), 5),
        "median depth": float(np.median(depth)),
        "empty cells": int((depth == 0).sum()),
        "empty peaks": int((n_open == 0).sum()),
        "peaks open in 1 % of cells": int((n_open >= 0.01 * adata.n_obs).sum()),
        "peaks with coordinates": int((adata.var["start"] >= 0).sum()) if "start" in adata.var else 0,
        "labels (categories)": labels,
        "enhanced under": [k for k, v in adata.uns.items() if hasattr(v, "keys") and "objective" in v],
    }

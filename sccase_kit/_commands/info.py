"""Say what is in a file: size, sparsity, the genome that the peaks fit, labels, and earlier results."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from .files import add_input, reading_options

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from anndata import AnnData

HELP = "what is in a file"
EXAMPLE = """example:
  sccase-kit info counts.h5ad --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_input(parser)


def _is_label(column: pd.Series) -> bool:
    import pandas as pd

    return not pd.api.types.is_numeric_dtype(column) and column.nunique() < max(2, len(column))


def _genome(adata: AnnData) -> str:
    """Say which shipped genome the peaks are of: by the results, by `uns`, and by the genes that they lie at."""
    from ..intervals.bodies import known_genome
    from ..intervals.likely import genome_fit

    said = adata.uns.get("genome")
    named = known_genome(adata.uns) or (said if isinstance(said, str) else None)
    words = f"; the file says {named}" if named else ""
    if "start" not in adata.var or not (adata.var["start"] >= 0).any():
        return f"not told: the peaks have no coordinates{words}"
    placed = adata.var.loc[adata.var["start"] >= 0, ["chrom", "start", "end"]]
    best, met = genome_fit(placed)
    counts = ", ".join(f"{genome} {number:,}" for genome, number in sorted(met.items(), key=lambda one: -one[1]))
    first = "not told by these peaks" if best is None else f"fits {best}, not {', '.join(g for g in met if g != best)}"
    return f"{first} (genes that start at a peak: {counts}){words}"


def _kept(n_open: np.ndarray, n: int) -> dict[str, Any]:
    """Return how many peaks the default filter keeps, and where it drops most, a limit that keeps twice as many."""
    kept, more = (int((n_open >= share * n * (1 - 1e-12)).sum()) for share in (0.01, 0.001))
    found: dict[str, Any] = {"peaks open in 1 % of cells": kept}
    if 2 * kept < len(n_open) and more >= 2 * kept > 0:
        found["to keep more peaks"] = f"enhance --min-fraction 0.001 keeps {more}"
    return found


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read the file and return its summary."""
    import numpy as np

    from .._batch_columns import batch_columns
    from .._record import records
    from ..io.reading import read_with_notes
    from ..matrix.access import layer_names
    from ..matrix.sums import count_statistics

    adata, notes = read_with_notes(args.input, **reading_options(args))
    depth, n_open, nnz = count_statistics(adata.X)
    n, m = adata.shape
    made = records(adata.uns)
    return {
        "file": str(args.input),
        **notes,
        "cells": n,
        "peaks": m,
        "dtype": str(adata.X.dtype),
        "nonzeros": nnz,
        "density": round(nnz / max(1, n * m), 5),
        "median depth": float(np.median(depth)) if n else 0.0,
        "empty cells": int((depth == 0).sum()),
        "empty peaks": int((n_open == 0).sum()),
        **_kept(n_open, n),
        "peaks with coordinates": int((adata.var["start"] >= 0).sum()) if "start" in adata.var else 0,
        "genome": _genome(adata),
        "labels (categories)": {
            str(name): int(column.nunique()) for name, column in adata.obs.items() if _is_label(column)
        },
        "may be batches": [column.name for column in batch_columns(adata.obs)],
        "layers": layer_names(adata),
        "embeddings": list(adata.obsm),
        "enhanced under": [key for key, call in made.items() if call.function == "tl.enhance"],
        "results": list(made),
    }

"""The .snap files of SnapTools: HDF5 with a matrix of peaks, or of bins, per cell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from ._genome import peak_names


def read_snap(path: Path) -> AnnData:
    """Read the peaks of a .snap file (version 4), or where it has none its smallest bins.

    SnapTools numbers cells, peaks and the starts of regions from 1.

    Parameters
    ----------
    path
        HDF5 with ``BD/name``; and ``PM/peakChrom``, ``peakStart``, ``peakEnd``, ``idx``, ``idy``, ``count``, or
        ``AM/<bin size>/binChrom``, ``binStart``, ``idx``, ``idy``, ``count``.

    Returns
    -------
    AnnData, cells × regions; var: chrom, start, end (0-based, half-open).

    Raises
    ------
    ValueError
        If the file holds no such matrix, or one that names more cells or regions than there are.
    """
    import h5py

    with h5py.File(path, "r") as file:
        if "BD/name" not in file or ("PM/idx" not in file and "AM" not in file):
            msg = f"{path.name} is no .snap file with counts: it lacks BD/name, or both PM/idx and AM; "
            msg += f"it has {list(file)}"
            raise ValueError(msg)
        names = [value.decode() if isinstance(value, bytes) else str(value) for value in file["BD/name"][:]]
        if "PM/idx" in file:
            group = file["PM"]
            chrom, start, end = (group[f"peak{part}"][:] for part in ("Chrom", "Start", "End"))
        else:
            sizes = [int(name) for name in file["AM"] if name.isdigit()]
            if not sizes:
                msg = f"{path.name}: neither peaks nor bins are counted; run snaptools snap-add-pmat"
                raise ValueError(msg)
            group = file[f"AM/{min(sizes)}"]
            chrom, start = group["binChrom"][:], group["binStart"][:]
            end = np.asarray(start, dtype=np.int64) + min(sizes) - 1
        cell, region, count = (np.asarray(group[part][:]) for part in ("idx", "idy", "count"))
    regions = pd.DataFrame(
        {
            "chrom": [value.decode() if isinstance(value, bytes) else str(value) for value in chrom],
            "start": np.asarray(start, dtype=np.int64) - 1,
            "end": np.asarray(end, dtype=np.int64),
        }
    )
    regions.index = peak_names(regions)
    for values, n, what in ((cell, len(names), "cells"), (region, len(regions), "regions")):
        if len(values) and (values.min() < 1 or values.max() > n):
            msg = f"{path.name}: {what} run from {values.min()} to {values.max()}, but there are {n} of them"
            raise ValueError(msg)
    place = (cell.astype(np.int64) - 1, region.astype(np.int64) - 1)
    counts = sparse.csr_matrix((count.astype(np.int32), place), shape=(len(names), len(regions)))
    return AnnData(counts, obs=pd.DataFrame(index=pd.Index(names)), var=regions)

"""How the original files of a data set become an AnnData."""

from __future__ import annotations

import gzip
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from ._genome import peak_names
from ._manifest import Entry

_DONOR = re.compile(r"(BM\d+|PB\d+)")
_BLOOD_TYPE = re.compile(r"-(LMPP|MPP|HSC|CMP|CLP|MEP|GMP|MCP|pDC|mono|UNK)", re.IGNORECASE)


def read_entry(entry: Entry, paths: dict[str, Path], *, load_part: Callable[[str], AnnData]) -> AnnData:
    """Read the files of `entry` with its reader; `load_part` loads another data set by name."""
    match entry.reader:
        case "10x_h5":
            from .. import io

            return io.read(paths["counts"])
        case "geo_triplets":
            return read_geo_triplets(paths["counts"], paths["peaks"], **entry.options)
        case "mouse_atlas":
            return read_mouse_atlas(paths, **entry.options)
        case "concat":
            return concatenate({part: load_part(part) for part in entry.options["parts"]}, entry.options["batch_key"])
        case "paper_simulation":
            from ._paper_simulation import paper_simulation

            return paper_simulation()
    msg = f"{entry.name}: no reader {entry.reader!r}"
    raise ValueError(msg)


def _open(path: Path):
    return gzip.open(path, "rt") if path.suffix == ".gz" else path.open()


def read_geo_triplets(counts: Path, peaks: Path, *, donor: str | None = None) -> AnnData:
    """Read the counts of GSE96769.

    Parameters
    ----------
    counts
        First line ``#<TAB>`` and the cell names, separated by semicolons; then peak, cell (1-based), count.
    peaks
        BED of the peaks, in order.
    donor
        Keep this donor's cells only.

    Returns
    -------
    AnnData; obs: cell_type ("unknown" where the name tells none) and donor, both from the cell names.
    """
    regions = pd.read_csv(peaks, sep="\t", header=None, usecols=[0, 1, 2], names=["chrom", "start", "end"])
    with _open(counts) as handle:
        names = handle.readline().lstrip("#").strip().split(";")
        triplets = pd.read_csv(handle, sep="\t", header=None, dtype=np.int64).to_numpy()
    for column, n, what in ((0, len(regions), "peaks"), (1, len(names), "cells")):
        found = triplets[:, column]
        if len(found) and (found.min() < 1 or found.max() > n):
            msg = f"{counts.name}: {what} run from {found.min()} to {found.max()}, but there are {n} of them"
            raise ValueError(msg)
    matrix = sparse.csr_matrix(
        (triplets[:, 2].astype(np.int32), (triplets[:, 1] - 1, triplets[:, 0] - 1)), shape=(len(names), len(regions))
    )
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical([_blood_type(name) for name in names]),
            "donor": pd.Categorical([m[0] if (m := _DONOR.search(name)) else "unknown" for name in names]),
        },
        index=names,
    )
    adata = AnnData(matrix, obs=obs, var=_var(regions))
    if donor is None:
        return adata
    keep = (obs["donor"] == donor).to_numpy()
    if not keep.any():
        msg = f"{counts.name}: no cell of donor {donor!r}; donors: {sorted(set(obs['donor']))}"
        raise ValueError(msg)
    return adata[keep].copy()


def _blood_type(name: str) -> str:
    found = _BLOOD_TYPE.search(name)
    return "unknown" if found is None or found[1].upper() == "UNK" else found[1]


def read_mouse_atlas(paths: dict[str, Path], *, tissue_replicate: str | list[str]) -> AnnData:
    """Read some tissues of the mouse sci-ATAC atlas: peaks × cells, turned to cells × peaks.

    Parameters
    ----------
    paths
        "counts" (Matrix Market, binary), "cells" and "peaks" (one name a line), "metadata" (table with the columns
        cell, tissue, tissue.replicate, cell_label).
    tissue_replicate
        Value or values of the column tissue.replicate to keep.

    Returns
    -------
    AnnData; obs: cell_type (cell_label), tissue, replicate; var from names such as ``chr1_100_600``.
    """
    wanted = [tissue_replicate] if isinstance(tissue_replicate, str) else list(tissue_replicate)
    metadata = pd.read_csv(paths["metadata"], sep="\t").drop_duplicates("cell").set_index("cell")
    cells = pd.Index(paths["cells"].read_text().split())
    names = pd.Series(paths["peaks"].read_text().split())
    metadata = metadata.reindex(cells)
    keep = metadata["tissue.replicate"].isin(wanted).to_numpy()
    if not keep.any():
        replicates = sorted(metadata["tissue.replicate"].dropna().unique())
        msg = f"{paths['metadata'].name}: no cell with tissue.replicate in {wanted}; there are {replicates}"
        raise ValueError(msg)
    from scipy.io import mmread

    with _open_binary(paths["counts"]) as handle, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the kind it returns, which does not matter here
        matrix = sparse.csc_matrix(mmread(handle))
    if matrix.shape != (len(names), len(cells)):
        msg = f"{paths['counts'].name} is {matrix.shape}, but there are {len(names)} peaks and {len(cells)} cells"
        raise ValueError(msg)
    parts = names.str.extract(r"^(?P<chrom>.+)[_:-](?P<start>\d+)[_-](?P<end>\d+)$")
    obs = pd.DataFrame(
        {
            "cell_type": metadata.loc[keep, "cell_label"].astype("category"),
            "tissue": metadata.loc[keep, "tissue"].astype("category"),
            "replicate": metadata.loc[keep, "tissue.replicate"].astype("category"),
        },
        index=cells[keep],
    )
    return AnnData(sparse.csr_matrix(matrix[:, keep].T, dtype=np.int32), obs=obs, var=_var(parts))


def _open_binary(path: Path):
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _var(regions: pd.DataFrame) -> pd.DataFrame:
    """Return var with chrom, start, end (int64) and names such as ``chr1:100-600``."""
    var = regions.astype({"chrom": str, "start": np.int64, "end": np.int64})
    var.index = peak_names(var)
    return var


def concatenate(parts: dict[str, AnnData], batch_key: str) -> AnnData:
    """Stack data sets that share peaks; `obs[batch_key]` holds the name of the part, cell names get it as a suffix."""
    import anndata

    shared = next(iter(parts.values()))
    common = shared.var_names
    for part in parts.values():
        common = common.intersection(part.var_names, sort=False)
    if not len(common):
        msg = f"the data sets {list(parts)} share no peak; count them over one set of peaks first"
        raise ValueError(msg)
    stacked = anndata.concat(
        {name: part[:, common] for name, part in parts.items()}, label=batch_key, index_unique="-", join="inner"
    )
    stacked.var = shared.var.loc[common, ["chrom", "start", "end"]].copy()
    return stacked

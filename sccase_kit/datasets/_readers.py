"""How the original files of a data set become an AnnData."""

from __future__ import annotations

import gzip
import re
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from ._genome import peak_names
from ._manifest import Entry
from ._snap import read_snap

_DONOR = re.compile(r"(BM\d+|PB\d+)")
_BLOOD_TYPE = re.compile(r"-(LMPP|MPP|HSC|CMP|CLP|MEP|GMP|MCP|pDC|mono|UNK)", re.IGNORECASE)


def read_entry(entry: Entry, paths: dict[str, Path], *, load_part: Callable[[str], AnnData]) -> AnnData:
    """Read the files of `entry` with its reader; `load_part` loads another data set by name."""
    adata = _read(entry, paths, load_part)
    if "labels" in paths and entry.reader != "fragments_archive":
        add_labels(adata, paths["labels"])
    return adata


def _read(entry: Entry, paths: dict[str, Path], load_part: Callable[[str], AnnData]) -> AnnData:
    match entry.reader:
        case "10x_h5":
            from .. import io

            return io.read(paths["counts"])
        case "snap":
            return read_snap(paths["counts"])
        case "fragments_archive":
            return read_fragments_archive(paths["archive"], paths["peaks"], paths["labels"])
        case "merged_peaks":
            return merge_parts({part: load_part(part) for part in entry.options["parts"]}, entry.options["batch_key"])
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


def read_labels(path: Path) -> pd.Series:
    """Return the cell types of a table with the columns barcode and cell_type: tabs or commas, gzipped or not.

    Raises
    ------
    ValueError
        If a column is missing or a barcode stands twice.
    """
    sep = "," if path.name.removesuffix(".gz").endswith(".csv") else "\t"
    table = pd.read_csv(path, sep=sep, dtype=str)
    if missing := {"barcode", "cell_type"} - set(table.columns):
        msg = f"{path.name}: the columns {sorted(missing)} are missing; there are {list(table.columns)}"
        raise ValueError(msg)
    labels = table.set_index("barcode")["cell_type"]
    if labels.index.has_duplicates:
        msg = f"{path.name}: barcodes stand twice, e.g. {labels.index[labels.index.duplicated()][0]!r}"
        raise ValueError(msg)
    return labels


def add_labels(adata: AnnData, path: Path) -> None:
    """Write ``obs["cell_type"]`` from a table of labels; cells without one are "unknown".

    Raises
    ------
    ValueError
        If no cell has a label.
    """
    labels = read_labels(path).reindex(adata.obs_names)
    if labels.isna().all():
        msg = f"{path.name}: no barcode is one of the cells, such as {list(adata.obs_names[:2])}"
        raise ValueError(msg)
    adata.obs["cell_type"] = pd.Categorical(labels.fillna("unknown"))


def read_fragments_archive(archive: Path, peaks: Path, labels: Path) -> AnnData:
    """Count the fragment files of a tar archive over peaks, for the cells that have a label.

    Parameters
    ----------
    archive
        Tar with fragment files, one per sample, named ``<accession>_<sample>_...fragments.tsv.gz``.
    peaks
        BED of the peaks.
    labels
        Table with the columns barcode and cell_type; barcodes are ``sample#barcode``.

    Returns
    -------
    AnnData; obs: sample, cell_type and the measures of :func:`sccase_kit.read_fragments`.

    Raises
    ------
    ValueError
        If the archive holds no fragment file, or none of a labelled sample.
    """
    import tarfile
    import tempfile

    from .. import io

    known = read_labels(labels)
    wanted = {str(name).split("#")[0] for name in known.index}
    with tarfile.open(archive) as tar, tempfile.TemporaryDirectory() as folder:
        inside = [m for m in tar.getmembers() if m.isfile() and m.name.endswith(("fragments.tsv.gz", "fragments.tsv"))]
        files = {}
        for member in inside:
            name = Path(member.name).name
            parts = name.split("_")
            sample = next((part for part in parts if part in wanted), None)
            if sample is not None:
                target = Path(folder) / name
                source = tar.extractfile(member)
                if source is not None:
                    with source, target.open("wb") as out:
                        shutil.copyfileobj(source, out)
                    files[sample] = target
        if not files:
            names = [Path(member.name).name for member in inside][:5]
            msg = f"{archive.name}: none of its fragment files {names} is of the samples "
            msg += f"{sorted(wanted)[:5]} of {labels.name}"
            raise ValueError(msg)
        cells = [name for name in known.index if str(name).split("#")[0] in files]
        adata = io.read_fragments(files, peaks, cells)
    adata.obs["cell_type"] = pd.Categorical(known.reindex(adata.obs_names).fillna("unknown"))
    return adata


def merge_parts(parts: dict[str, AnnData], batch_key: str) -> AnnData:
    """Stack data sets with peaks of their own: over the union of their peaks, counts moved by overlap.

    Where there are fragments, counting them anew over one set of peaks is better; see
    :func:`sccase_kit.pp.remap_counts`.
    """
    from ..pp import merge_peaks, remap_counts

    shared = merge_peaks(parts, method="union", width=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # peaks of one part alone have no source in the other
        moved = {name: remap_counts(part, shared) for name, part in parts.items()}
    return concatenate(moved, batch_key)

"""Read counts from any supported file."""

from __future__ import annotations

import importlib
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import Flag, checked
from .._left_out import LEFT_OUT
from .._logging import warn
from .._text_files import open_text, stand_in
from ..fragments.recognise import is_fragment_file
from ..intervals.chromosomes import species_prefixes
from ..intervals.features import choose_peaks
from ..intervals.peaks import add_coordinates
from ._errors import FormatError
from ._matrix_market import is_matrix_market, read_bundle
from ._mudata import keep_peaks
from ._stores import as_dask, read_h5ad, read_h5mu, read_zarr
from ._tenx import read_10x_h5
from ._text import read_text
from ._tidy import tidy_counts

_TEXT = {".csv", ".tsv", ".txt", ".tab"}
_PACKED = {".gz", ".bgz", ".bz2", ".xz", ".zst"}
_BACKED = {".h5ad", ".zarr", ".h5mu"}
_OUTS = ("filtered_peak_bc_matrix.h5", "filtered_feature_bc_matrix.h5")
_OUTS_FOLDERS = ("filtered_peak_bc_matrix", "filtered_feature_bc_matrix")
#: What to do with files that are not read, by ending.
_WAYS_OUT = {
    ".h5ads": "A dataset of SnapATAC2 (AnnDataSet) is read after .to_adata() and write",
    ".loom": "Turn it into an .h5ad: anndata.read_loom(path).write_h5ad(target)",
    **dict.fromkeys([".xlsx", ".xls"], "Save the sheet as tab-separated text (.tsv)"),
    **dict.fromkeys([".tar", ".tgz", ".rar", ".7z"], "Unpack the archive, and give the folder or one file of it"),
    **dict.fromkeys([".bw", ".bigwig", ".bam", ".cram"], "It has no cells × peaks: count a fragment file in peaks"),
}
#: Readers of parts above this one, by ending: imported when such a file is read.
_READERS = dict.fromkeys([".rds", ".rdata", ".rda", ".qs", ".arrow"], "sccase_kit.r.files:read_counts")
_ARCHR = "Save-ArchR-Project.rds"  # in the folder of a project of ArchR
_SUPPORTED = (
    ".h5ad, .h5mu, .zarr (or a .zip of it), 10x .h5, a folder with a Matrix Market matrix (10x, GEO) or the path of "
    "the .mtx, .csv/.tsv/.txt (peaks × cells, .gz or not), .rds, .arrow"
)


@checked(backed=Flag(also=("r",)))  # as anndata spells it
def read(
    path: str | os.PathLike[str],
    *,
    backed: bool = False,
    modality: str | None = None,
    peaks: str | os.PathLike[str] | None = None,
    cells: str | os.PathLike[str] | None = None,
    one_based: bool | None = None,
) -> AnnData:
    """Read a count matrix as AnnData, cells × peaks.

    Parameters
    ----------
    path
        One of: .h5ad (SnapATAC2's too); .h5mu or .zarr (a folder, or a .zip of one), of AnnData or MuData; 10x
        `filtered_peak_bc_matrix.h5`; a folder with a Matrix Market matrix and the names of peaks (peaks.bed,
        features.tsv, genes.tsv) and cells (barcodes.tsv), with or without a prefix as GEO puts it, peaks × cells or
        turned, or the path of the matrix itself; a text matrix (csv, tsv, txt), gzipped or not, whose peaks are named
        or have columns of chromosome, start and end. Which axis holds the peaks is decided on all names of both. R's
        .rds, .RData and .qs, ArchR's .arrow and the folder of an ArchR project (:func:`sccase_kit.r.read` says which
        objects, and has choices).
    backed
        Keep the counts of a .h5ad, .h5mu or .zarr on disk; functions then read them in row blocks.
    modality
        Modality of a MuData; by default ``"atac"``, or the one whose features are named as peaks. Labels, embeddings
        and graphs of all modalities together (`mdata.obs`, `mdata.obsm`, `mdata.obsp`) come along.
    peaks, cells
        Files with the names of peaks and cells of a Matrix Market matrix, where they do not lie next to it, or of a
        text matrix that has none.
    one_based
        Whether coordinates are 1-based (and ends closed); None decides by the data, with a warning where they are; see
        :func:`sccase_kit.pp.require_coordinates`.

    Returns
    -------
    AnnData with sparse counts (integers where all values are integral). A dense matrix of fractional values, such as
    :func:`sccase_kit.io.write_enhanced` writes, stays dense, with a warning; float16 becomes float32. `var` has `chrom`
    (str), `start` and `end` (int64, 0-based half-open), from its columns of any usual name or from the names of the
    peaks; columns of the file stay as they are. Genes of a multiome file, other modalities and what else is left out
    are named in a warning and in ``uns["sccase_kit_left_out"]``.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `path`, or no file with the names of peaks or cells.
    FormatError
        If the file is damaged, not what its name says, holds motifs or genes instead of peaks, or needs a filter of
        HDF5 that is not installed (a ValueError).
    ValueError
        If the format is unknown, or `backed` is asked for a format that cannot be.
    TypeError
        If `path` is not a file name.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     adata.write_h5ad(f'{folder}/counts.h5ad')
    ...     sk.read(f'{folder}/counts.h5ad').shape
    (100, 500)
    """
    return read_with_notes(path, backed=backed, modality=modality, peaks=peaks, cells=cells, one_based=one_based)[0]


def read_with_notes(
    path: str | os.PathLike[str],
    *,
    backed: bool = False,
    modality: str | None = None,
    peaks: str | os.PathLike[str] | None = None,
    cells: str | os.PathLike[str] | None = None,
    one_based: bool | None = None,
) -> tuple[AnnData, dict[str, Any]]:
    """Read as :func:`read` does; return what was recognised as well.

    Returns
    -------
    The AnnData, and a dict: format, orientation (where the file could be either), coordinates from, left out
    (sentences).
    """
    if not isinstance(path, (str, os.PathLike)):
        msg = f"path must be a file name, got {type(path).__name__}"
        raise TypeError(msg)
    target = Path(path)
    if not target.exists():
        msg = f"no such file or folder: {str(target)!r}"
        raise FileNotFoundError(msg)
    if target.is_file() and (what := stand_in(target)):
        msg = f"{target} is {what}"
        raise FormatError(msg)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"(Observation|Variable) names are not unique")  # noqa: TID251
        adata, notes, said = _read(target, backed=backed, modality=modality, peaks=peaks, cells=cells)
        if backed and adata.isbacked and _has_others(adata):
            adata = AnnData(
                X=as_dask(adata.X, source=target),
                obs=adata.obs,
                var=adata.var,
                obsm=dict(adata.obsm),
                uns=dict(adata.uns),
            )
        adata, gone = keep_peaks(adata, source=target, kinds=notes.pop("kinds", None))
    said += gone
    if not backed:
        adata.X = tidy_counts(adata.X, source=str(target), owned=True)
    found = add_coordinates(adata, one_based=one_based)
    source = "nothing" if found is None or (adata.n_vars and found.missing.all()) else found.source
    notes.setdefault("coordinates from", source)
    _check_unique(adata, target)
    if found is not None and len(genomes := species_prefixes(found.table["chrom"].unique())) > 1:
        shown = ", ".join(sorted(genomes))
        warn(f"{target}: the peaks are of several genomes ({shown}); keep those of one, and its cells")
    if said:
        adata.uns[LEFT_OUT] = np.array(said, dtype=object)
    return adata, {**notes, "left out": said}


def _has_others(adata: AnnData) -> bool:
    """Return whether some features are no peaks."""
    try:
        return choose_peaks(adata.var, source="adata").keep is not None
    except ValueError:
        return False


def _read(
    target: Path,
    *,
    backed: bool,
    modality: str | None,
    peaks: str | os.PathLike[str] | None,
    cells: str | os.PathLike[str] | None,
) -> tuple[AnnData, dict[str, Any], list[str]]:
    """Read by the kind of file; return the data, what was recognised, and what was left out."""
    suffixes = [s.lower() for s in target.suffixes]
    if suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    if suffixes and suffixes[-1] == ".zip" and target.is_file():
        suffixes = [*suffixes[:-1], ".zarr"]  # what else is in it is refused there
    last = suffixes[-1] if suffixes else ""
    if target.is_dir() and last != ".zarr" and any((target / name).is_file() for name in ("zarr.json", ".zgroup")):
        last = ".zarr"
    if backed and last not in _BACKED:
        msg = (
            f"backed=True reads .h5ad, .h5mu and .zarr, got {target.name!r}; convert it once with sccase_kit.io.convert"
        )
        raise ValueError(msg)
    if modality is not None and last not in {".h5mu", ".zarr"}:
        msg = f"modality={modality!r} is for MuData (.h5mu, .zarr), got {target.name!r}"
        raise ValueError(msg)
    if (peaks is not None or cells is not None) and last in {*_BACKED, ".h5", *_READERS}:
        msg = f"peaks= and cells= name the axes of a matrix without names, and {target.name!r} has its own"
        raise ValueError(msg)
    if last == ".h5ad":
        return read_h5ad(target, backed=backed), {"format": "h5ad"}, []
    if last == ".zarr":
        adata, said = read_zarr(target, backed=backed, modality=modality)
        return adata, {"format": "zarr"}, said
    if last == ".h5mu":
        adata, said = read_h5mu(target, backed=backed, modality=modality)
        return adata, {"format": "h5mu"}, said
    if not last and target.is_file():
        last = _by_content(target)
    if last == ".h5" and _is_anndata(target):
        return read_h5ad(target, backed=False), {"format": "h5ad"}, []
    if last == ".h5":
        adata, kinds = read_10x_h5(target)
        return adata, {"format": "10x .h5", "kinds": kinds}, []
    if target.is_dir() and (target / _ARCHR).is_file():
        last = ".rds"
    if last in _READERS:
        module, _, name = _READERS[last].partition(":")
        return getattr(importlib.import_module(module), name)(target), {"format": last}, []
    if target.is_dir():
        whole = next((target / name for name in _OUTS if (target / name).is_file()), None)
        if whole is not None and not any(target.glob("*.mtx*")):
            return _read(whole, backed=backed, modality=modality, peaks=peaks, cells=cells)
        inner = next((target / name for name in _OUTS_FOLDERS if (target / name).is_dir()), None)
        if inner is not None and not any(target.glob("*.mtx*")):
            return _read(inner, backed=backed, modality=modality, peaks=peaks, cells=cells)
        return _from_bundle(target, peaks, cells)
    if last == ".mtx" or (last in _TEXT and is_matrix_market(target)):
        return _from_bundle(target, peaks, cells)
    if last in {*_TEXT, ".bed"} and is_fragment_file(target):
        msg = (
            f"{target} has the columns of fragments (chrom, start, end, barcode): a matrix of counts comes of it with "
        )
        msg += "sccase_kit.read_fragments(path, peaks), or sccase-kit count"
        raise FormatError(msg)
    if _TEXT & {*suffixes[-2:], last}:
        adata, notes = read_text(target, **_name_files(peaks, cells))
        return adata, notes, []
    hint = f". {_WAYS_OUT[last]}." if last in _WAYS_OUT else ""
    msg = f"unknown format of {target.name!r}; supported: {_SUPPORTED}{hint}"
    raise ValueError(msg)


def _by_content(target: Path) -> str:
    """Return the ending that a file without one should have, or "" where its content does not tell."""
    with target.open("rb") as handle:
        if handle.read(4) == b"\x89HDF":
            return ".h5"
    try:
        with open_text(target) as text:
            head = text.read(4096)
    except ValueError:
        return ""
    return ".txt" if "\t" in head or "," in head or head.startswith("%%MatrixMarket") else ""


def _is_anndata(target: Path) -> bool:
    """Return whether an HDF5 file is laid out as AnnData."""
    import h5py

    try:
        with h5py.File(target, "r") as store:
            return {"obs", "var"} <= set(store)
    except OSError:
        return False


def _name_files(peaks: Any, cells: Any) -> dict[str, Path | None]:
    names = {"peaks": peaks, "cells": cells}
    for argument, value in names.items():
        if value is not None and not Path(value).is_file():
            msg = f"{argument}: there is no file {str(value)!r}"
            raise FileNotFoundError(msg)
    return {argument: None if value is None else Path(value) for argument, value in names.items()}


def _from_bundle(target: Path, peaks: Any, cells: Any) -> tuple[AnnData, dict[str, Any], list[str]]:
    found = read_bundle(target, **_name_files(peaks, cells))
    adata = AnnData(found.counts, obs=pd.DataFrame(index=found.cells), var=found.var)
    return adata, {**found.notes, "kinds": found.kinds}, []


def _check_unique(adata: AnnData, target: Path) -> None:
    """Warn of cells and peaks that share a name."""
    for names, what, hint in (
        (adata.obs_names, "cells", "two samples in one matrix? adata.obs_names_make_unique() tells them apart"),
        (adata.var_names, "peaks", "adata.var_names_make_unique() tells them apart"),
    ):
        if not names.is_unique:
            twice = names.duplicated(keep=False)
            shown = list(dict.fromkeys(names[twice]))[:3]
            warn(
                f"{target}: {int(twice.sum())} of {len(names)} {what} share their name with others, "
                f"e.g. {shown}; {hint}"
            )

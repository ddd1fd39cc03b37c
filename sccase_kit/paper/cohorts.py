"""The data sets of a run: found by path, on disk, or simulated; and cut to the paper's cohorts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._logging import logger, warn
from ..datasets import available, load
from ..io import read
from ..pp import filter_cells, filter_groups, filter_peaks, subsample_cells

#: Environment variable of :mod:`sccase_kit.datasets` that names a folder with files.
ENVIRONMENT = "SCCASE_KIT_DATA"
#: The thirteen sets of the paper, in its order.
PAPER_SETS = (
    *("simulated", "blood", "bm0828", "whole_brain_a", "whole_brain_b", "lung_a", "lung_b", "large_intestine"),
    *("spleen", "muto", "pbmc", "mixed_tissues", "mixed_protocols"),
)
#: The eight sets of the paper's benchmark.
BENCHMARK_SETS = (
    *("blood", "bm0828", "whole_brain_a", "whole_brain_b", "lung_a", "lung_b", "large_intestine", "spleen"),
)
#: The way out where sets of the paper are not on disk.
HOW_TO_GET = (
    "Data sets of the paper that are not on disk: download=True (--download) gets what can be fetched; or name the "
    f"folder with their files by data_dir (--data-dir) or {ENVIRONMENT}; sk.datasets.load(name) says which files."
)
_KINDS = (".h5ad", ".h5mu", ".zarr", ".h5", ".mtx", ".rds")
_GROUPS = ("cell_type", "celltype", "cell_types", "CellType", "cell_label", "label", "labels")
_BATCHES = ("batch", "protocol", "donor")


@dataclass(frozen=True)
class Candidate:
    """A data set before it is read.

    Attributes
    ----------
    name
        Name in the manifest where it is known there, else that of the file.
    source
        Path or what else it comes from.
    load
        Returns it.
    """

    name: str
    source: str
    load: Callable[[], AnnData]


@dataclass(frozen=True)
class Cohort:
    """A data set as it is used.

    Attributes
    ----------
    name
        See :class:`Candidate`.
    adata
        Counts of the cohort, peaks open in at least one percent of the cells.
    groupby
        Column with the cell types.
    batch_key
        Column with at least two batches, or None.
    genome
        Of its peaks, where it is known.
    note
        What was left out of it.
    key
        What decides its contents, for the keys of results.
    folders
        Where files that belong to it may lie.
    """

    name: str
    adata: AnnData
    groupby: str
    batch_key: str | None
    genome: str | None
    note: str
    key: tuple[Any, ...]
    folders: tuple[Path, ...] = field(default_factory=tuple)


def find_candidates(
    paths: Sequence[str | os.PathLike[str]] = (),
    *,
    data_dir: str | os.PathLike[str] | None = None,
    download: bool = False,
) -> tuple[list[Candidate], dict[str, str]]:
    """Return the data sets that there are, and why the others of the paper are not.

    Parameters
    ----------
    paths
        Files, or folders with files, in any format of :func:`sccase_kit.read`.
    data_dir
        Folder with files of the manifest; see :func:`sccase_kit.datasets.load`.
    download
        Download sets of the manifest that are not on disk.

    Returns
    -------
    The data sets, those of the paper first; and name → what is missing.

    Raises
    ------
    FileNotFoundError
        If a path does not exist.
    """
    found: dict[str, Candidate] = {}
    for path in _files(paths):
        name = path.name.split(".")[0]
        found.setdefault(name, Candidate(name, str(path), partial(read, path)))
    missing: dict[str, str] = {}
    known = available(data_dir=data_dir)
    for name in PAPER_SETS:
        if name in found:
            continue
        if name == "simulated" or known.loc[name, "on_disk"] or download:
            found[name] = Candidate(name, "the manifest", partial(load, name, data_dir=data_dir, download=download))
        else:
            missing[name] = _where(name, known)
    order = {name: i for i, name in enumerate(PAPER_SETS)}
    return sorted(found.values(), key=lambda c: order.get(c.name, len(order))), missing


def _where(name: str, known: pd.DataFrame) -> str:
    row = known.loc[name]
    accession = f" ({row['accession']})" if pd.notna(row["accession"]) else ""
    return f"not on disk: {row['page']}{accession}"


def _files(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Return the files that paths name; of a folder those of a known kind, without those in its folders."""
    files: list[Path] = []
    for given in paths:
        path = Path(given)
        if not path.exists():
            msg = f"no such file or folder: {str(given)!r}"
            raise FileNotFoundError(msg)
        if path.is_dir() and path.suffix.lower() != ".zarr":
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in _KINDS)
            if not inside:
                warn(f"{str(given)!r} holds no file of the kinds {', '.join(_KINDS)}")
            files += inside
        else:
            files.append(path)
    return files


def drop_repeats(candidates: Sequence[Candidate]) -> tuple[list[Candidate], dict[str, str]]:
    """Return the data sets without those that hold all the cells of a smaller one, and why each was left out.

    Only .h5ad files are looked into; two files of the same study would count its cells twice.
    """
    sizes = {c.name: found for c in candidates if (found := _cells(c)) is not None}
    out: dict[str, str] = {}
    for name, (cells, n_peaks) in sorted(sizes.items(), key=lambda item: (len(item[1][0]) * item[1][1], item[0])):
        for other, (others, more) in sizes.items():
            larger = len(others) * more >= len(cells) * n_peaks
            if other != name and name not in out and other not in out and larger and others >= cells:
                out[other] = f"it holds the cells of {name}, which is smaller"
    return [c for c in candidates if c.name not in out], out


def _cells(candidate: Candidate) -> tuple[frozenset[str], int] | None:
    path = Path(candidate.source)
    if path.suffix.lower() != ".h5ad" or not path.is_file():
        return None
    import anndata

    adata = anndata.read_h5ad(path, backed="r")
    try:
        return frozenset(adata.obs_names), adata.n_vars
    finally:
        adata.file.close()


def make_cohort(
    candidate: Candidate,
    *,
    groupby: str | None = None,
    max_cells: int | None = None,
    max_peaks: int | None = None,
    rng: int = 0,
) -> Cohort:
    """Read a data set and cut it to the paper's cohort.

    Cells of unknown types and types below three percent are dropped, then peaks open in fewer than one percent of the
    cells. Above `max_cells` a random subset of every type is taken, above `max_peaks` the peaks open in most cells.

    Parameters
    ----------
    candidate
        The data set.
    groupby
        Column of `obs` with the cell types; None: the usual names.
    max_cells, max_peaks
        Limits; None: none.
    rng
        Seed of the subset of cells.

    Returns
    -------
    :class:`Cohort`

    Raises
    ------
    KeyError
        If there is no column with cell types.
    ValueError
        If fewer than two types are left.
    """
    adata = candidate.load()
    adata.obs_names_make_unique()
    column = _first(adata, (groupby,) if groupby else _GROUPS)
    if column is None:
        msg = f"{candidate.name}: no cell types, obs has no column {groupby or list(_GROUPS)}; its columns: "
        msg += f"{list(adata.obs.columns)[:20]}. Add them, or name the column by groupby="
        raise KeyError(msg)
    notes = []
    before = adata.n_obs
    filter_groups(adata, column)
    adata.obs[column] = adata.obs[column].astype(str).astype("category")
    if adata.obs[column].nunique() < 2:
        msg = f"{candidate.name}: one type of cells is left ({adata.obs[column].iloc[0]!r}); two are needed"
        raise ValueError(msg)
    if adata.n_obs < before:
        notes.append(f"{before - adata.n_obs} cells of unknown or rare types dropped")
    if max_cells is not None and adata.n_obs > max_cells:
        notes.append(f"{max_cells} of {adata.n_obs} cells taken at random from every type")
        adata = subsample_cells(adata, groupby=column, fraction=max_cells / adata.n_obs, rng=rng)
    peaks = adata.n_vars
    filter_peaks(adata)
    filter_cells(adata)
    if adata.n_vars < peaks:
        notes.append(f"{adata.n_vars} of {peaks} peaks are open in at least 1 % of the cells")
    if max_peaks is not None and adata.n_vars > max_peaks:
        notes.append(f"the {max_peaks} peaks open in most cells taken")
        adata = _most_open(adata, max_peaks)
    batches = [name for name in _BATCHES if name in adata.obs and adata.obs[name].nunique() > 1]
    path = Path(candidate.source)
    state = (path.stat().st_size, path.stat().st_mtime_ns) if path.is_file() else ()
    logger.info("%s: %d cells, %d peaks", candidate.name, adata.n_obs, adata.n_vars)
    return Cohort(
        name=candidate.name,
        adata=adata,
        groupby=column,
        batch_key=batches[0] if batches else None,
        genome=_genome(candidate.name, adata),
        note="; ".join(notes),
        key=(candidate.name, candidate.source, state, column, adata.shape, max_cells, max_peaks, rng),
        folders=(path.parent,) if path.exists() else (),
    )


def _first(adata: AnnData, names: Iterable[str]) -> str | None:
    return next((name for name in names if name in adata.obs), None)


def _most_open(adata: AnnData, n_peaks: int) -> AnnData:
    support = np.asarray((adata.X > 0).sum(axis=0)).ravel()
    chosen = np.sort(np.argsort(-support, kind="stable")[:n_peaks])
    return adata[:, chosen].copy()


def _genome(name: str, adata: AnnData) -> str | None:
    known = available()
    if name in known.index and pd.notna(known.loc[name, "genome"]):
        return str(known.loc[name, "genome"])
    stored = adata.uns.get("genome")
    return stored if isinstance(stored, str) else None

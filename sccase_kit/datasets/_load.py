"""Data sets and resources of the manifest: found on disk, downloaded, checked and read."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._atomic import replacing
from .._logging import logger
from .._progress import progress
from ._manifest import Entry, File, find_entry, manifest
from ._readers import read_entry

ENVIRONMENT = "SCCASE_KIT_DATA"
"""Environment variable that names a folder with files already on disk."""


class DataNotFoundError(FileNotFoundError):
    """A file is not on disk and could not be downloaded; the message says what to get and where to put it."""


@checked()
def available(*, data_dir: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """Return the data sets and resources that :func:`load` and :func:`fetch` know.

    Parameters
    ----------
    data_dir
        Also look for files in this folder; see :func:`load`.

    Returns
    -------
    DataFrame indexed by name: kind ("dataset": :func:`load`; "resource": :func:`fetch`), title, cells, peaks (Int64),
    genome, accession, licence, size (Int64, bytes of its files where all are known), on_disk (bool), page.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> sk.datasets.available().loc["blood", "accession"]
    'GSE96772'
    """
    rows = {}
    for name, entry in manifest().items():
        sizes = [file.size for file in entry.files.values()]
        known = [size for size in sizes if size is not None]
        total = sum(known) if sizes and len(known) == len(sizes) else None
        rows[name] = {
            "kind": entry.kind,
            "title": entry.title,
            "cells": entry.cells,
            "peaks": entry.peaks,
            "genome": entry.genome,
            "accession": entry.accession,
            "licence": entry.licence,
            "size": entry.prepared.size if entry.prepared else total,
            "on_disk": _is_on_disk(entry, data_dir),
            "page": entry.page,
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("name")
    return table.astype({"cells": "Int64", "peaks": "Int64", "size": "Int64", "on_disk": bool})


@checked()
def load(name: str, *, data_dir: str | os.PathLike[str] | None = None, download: bool = True) -> AnnData:
    """Load a data set of the paper, or one of the small real sets.

    A ready ``<name>.h5ad`` is used if there is one; otherwise the original files are found or downloaded, and read.
    Files are looked for in `data_dir`, in the folder that the environment variable ``SCCASE_KIT_DATA`` names, and in
    the user's cache; downloads go to `data_dir` if it is given and to the cache if not. A file with a known checksum
    is verified wherever it is found; a download is verified before it takes its place.

    Parameters
    ----------
    name
        See :func:`available`.
    data_dir
        A folder with the files, and for the downloads.
    download
        Whether files may be downloaded.

    Returns
    -------
    AnnData of counts, cells × peaks; `uns["dataset"]` holds name, title, page, accession, licence and genome where they
    are known. (``X`` is as stored for a ready file and CSR otherwise.)

    Raises
    ------
    KeyError
        If there is no such data set.
    DataNotFoundError
        If a file is missing and cannot be downloaded; the message says what to get and where to put it.
    ValueError
        If a file does not match its checksum.
    """
    entry = find_entry(name, kind="dataset")
    prepared = _find(_prepared(entry), data_dir, name=name) if entry.reader is not None else _ready(entry, data_dir)
    if prepared is not None:
        import anndata

        adata = anndata.read_h5ad(prepared)
    else:
        paths = fetch(name, data_dir=data_dir, download=download) if entry.files else {}
        adata = read_entry(entry, paths, load_part=lambda part: load(part, data_dir=data_dir, download=download))
    known = {k: getattr(entry, k) for k in ("name", "title", "page", "accession", "licence", "genome")}
    adata.uns["dataset"] = {k: v for k, v in known.items() if v is not None}
    return adata


@checked()
def fetch(name: str, *, data_dir: str | os.PathLike[str] | None = None, download: bool = True) -> dict[str, Path]:
    """Find or download the files of a data set or resource, without reading them.

    Parameters
    ----------
    name
        See :func:`available`.
    data_dir, download
        As in :func:`load`.

    Returns
    -------
    Key of the file in the manifest → path; optional files that are not there are left out. Archives are not unpacked.
    A data set that comes as one ready file is under ``"h5ad"``; the files of one that is put together from others are
    those of its parts, as ``"part/key"``; one that is simulated has none.

    Raises
    ------
    KeyError
        If there is no such entry.
    DataNotFoundError
        If a file is missing and cannot be downloaded; the message says what to get and where to put it.
    ValueError
        If a file does not match its checksum: that of the manifest, or where it knows none, that which was written
        beside the file (``<file>.sha256``) when it was downloaded.
    """
    entry = find_entry(name)
    if entry.kind == "dataset" and not entry.files:
        parts = entry.options.get("parts", [])
        if entry.reader is None:
            return {"h5ad": _ready(entry, data_dir)}
        found = {part: fetch(part, data_dir=data_dir, download=download) for part in parts}
        return {f"{part}/{key}": path for part, paths in found.items() for key, path in paths.items()}
    paths = {}
    for key, file in entry.files.items():
        path = _find(file, data_dir, name=name)
        if path is None and file.optional:
            logger.info("%s: %s is not there and is left out", name, file.path)
            continue
        if path is None:
            path = _download(entry, file, data_dir, download=download)
        paths[key] = path
    return paths


def _ready(entry: Entry, data_dir: str | os.PathLike[str] | None) -> Path:
    """Return the ready file of a data set that cannot be built, or say where to get it."""
    path = _find(_prepared(entry), data_dir, name=entry.name)
    if path is None:
        raise DataNotFoundError(_by_hand(entry, data_dir))
    return path


def _cache() -> Path:
    import pooch

    return Path(pooch.os_cache("sccase_kit"))


def _folders(data_dir: str | os.PathLike[str] | None) -> list[Path]:
    """Return the folders to look in, in order."""
    named = [data_dir, os.environ.get(ENVIRONMENT) or None]
    return [*(Path(folder).expanduser() for folder in named if folder is not None), _cache()]


def _prepared(entry: Entry) -> File:
    return entry.prepared or File(path=f"{entry.name}.h5ad", url=None, size=None, sha256=None)


def _is_on_disk(entry: Entry, data_dir: str | os.PathLike[str] | None) -> bool:
    wanted = [file.path for file in entry.files.values() if not file.optional]
    if entry.kind == "dataset":
        ready = _prepared(entry).path
        if any((folder / ready).is_file() for folder in _folders(data_dir)):
            return True
        if entry.reader in ("concat", "merged_peaks", "paper_simulation"):
            parts = [manifest()[part] for part in entry.options.get("parts", [])]
            return all(_is_on_disk(part, data_dir) for part in parts)
    return bool(wanted) and all(any((folder / w).is_file() for folder in _folders(data_dir)) for w in wanted)


def _find(file: File, data_dir: str | os.PathLike[str] | None, *, name: str) -> Path | None:
    """Return where a file lies, its checksum verified, or None."""
    for folder in _folders(data_dir):
        path = folder / file.path
        if path.is_file():
            _verify(path, file, name=name)
            return path
    return None


def _verify(path: Path, file: File, *, name: str) -> None:
    """Compare size and checksum with the manifest, or the checksum with that of the download where it knows none."""
    import pooch

    noted = _note_of(path)
    expected = file.sha256 or (noted.read_text().strip() if noted.is_file() else None)
    size = path.stat().st_size
    digest = None if expected is None else pooch.file_hash(str(path), alg="sha256")
    if (file.size is not None and size != file.size) or digest != expected:
        source = "the manifest" if file.sha256 is not None or expected is None else f"{noted.name}, of its download"
        msg = (
            f"{path} ({name}) does not match {source}: {size} bytes with SHA-256 {digest}, expected {file.size} "
            f"with {expected}. Remove it and get it again."
        )
        raise ValueError(msg)


def _note_of(path: Path) -> Path:
    """Return the file beside a download that holds its checksum, where the manifest has none."""
    return path.with_name(f"{path.name}.sha256")


def _download(entry: Entry, file: File, data_dir: str | os.PathLike[str] | None, *, download: bool) -> Path:
    """Download a file: into a temporary file next to its place, verified, then moved."""
    import pooch

    target = (_folders(data_dir)[0] if data_dir is not None else _cache()) / file.path
    if file.url is None or not download:
        raise DataNotFoundError(_missing(entry, file, data_dir, target))
    logger.info("%s: downloading %s to %s", entry.name, file.url, target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as temporary:
            download_to(file.url, temporary, file)
            digest = None if file.sha256 is not None else pooch.file_hash(str(temporary), alg="sha256")
        if digest is not None:
            with replacing(_note_of(target)) as temporary:
                temporary.write_text(f"{digest}\n", encoding="utf-8")
    except OSError as err:
        msg = f"{_missing(entry, file, data_dir, target)} (The download failed: {err})"
        raise DataNotFoundError(msg) from err
    except ValueError as err:
        msg = f"the download of {file.url} does not match the manifest and was not kept: {err}"
        raise ValueError(msg) from err
    return target


def download_to(url: str, output: Path, file: File) -> None:
    """Write what `url` holds to `output`, byte for byte, with a progress bar, and verify it.

    Connections are closed on errors, too.
    """
    import pooch
    import requests

    request = requests.get(url, stream=True, timeout=30, headers={"Accept-Encoding": "identity"})
    with request as response:
        response.raise_for_status()
        total = int(response.headers.get("Content-Length", 0)) or file.size
        bar = progress(desc=Path(file.path).name, total=total, unit="B", unit_scale=True)
        with output.open("wb") as handle, bar:
            for chunk in response.iter_content(chunk_size=1 << 20):
                handle.write(chunk)
                bar.update(len(chunk))
    if file.size is not None and (size := output.stat().st_size) != file.size:
        msg = f"{size} bytes, expected {file.size}"
        raise ValueError(msg)
    if file.sha256 is not None and (digest := pooch.file_hash(str(output), alg="sha256")) != file.sha256:
        msg = f"SHA-256 {digest}, expected {file.sha256}"
        raise ValueError(msg)


def _missing(entry: Entry, file: File, data_dir: str | os.PathLike[str] | None, target: Path) -> str:
    searched = ", ".join(str(folder) for folder in _folders(data_dir))
    what = f"Download {file.url}" if file.url else f"Get it from {entry.page}"
    return (
        f"{entry.name}: the file {file.path!r} was not found in {searched}. {what} and save it as {target}, or set "
        f"{ENVIRONMENT} to the folder that holds it."
    )


def _by_hand(entry: Entry, data_dir: str | os.PathLike[str] | None) -> str:
    searched = ", ".join(str(folder) for folder in _folders(data_dir))
    note = f" {entry.note}" if entry.note else ""
    return (
        f"{entry.name} cannot be built from its original files automatically, and {_prepared(entry).path!r} was not "
        f"found in {searched}. See {entry.page}.{note} Put it in one of these folders, or set {ENVIRONMENT} to "
        "the folder that holds it."
    )

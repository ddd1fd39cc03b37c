"""Rewrite any input for fast reading in blocks."""

from __future__ import annotations

import os

from .._arguments import checked
from .._atomic import check_path, check_place, replacing
from .hdf5 import write_h5ad
from .reading import read
from .zarr_store import write_zarr


@checked()
def convert(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Rewrite a count matrix for fast block reading: an uncompressed .h5ad or a .zarr, counts by cells.

    Parameters
    ----------
    source
        Anything :func:`read` takes.
    target
        Ends in ``.h5ad`` or ``.zarr``; appears only when complete.

    Raises
    ------
    ValueError
        If `target` has another ending.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     adata.write_h5ad(f'{folder}/counts.h5ad')
    ...     sk.io.convert(f'{folder}/counts.h5ad', f'{folder}/fast.h5ad')
    ...     sk.read(f'{folder}/fast.h5ad').shape
    (100, 500)
    """
    target = check_path(target, name="target")
    if target.suffix not in {".h5ad", ".zarr"}:
        msg = f"target must end in .h5ad or .zarr, got {str(target)!r}"
        raise ValueError(msg)
    check_place(target)
    adata = read(source)
    with replacing(target) as temporary:
        if target.suffix == ".h5ad":
            write_h5ad(adata, temporary)
        else:
            write_zarr(adata, temporary)

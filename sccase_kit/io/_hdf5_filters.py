"""Compression filters of HDF5 that do not come with h5py, such as the Blosc of SnapATAC2's files."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from ._errors import FormatError
from ._stored_arrays import Layout
from .heaps import check_heaps

#: Registered filters that hdf5plugin brings.
_NAMES = {
    32001: "Blosc",
    32004: "LZ4",
    32008: "Bitshuffle",
    32013: "ZFP",
    32015: "Zstandard",
    32017: "SZ",
    32024: "SZ3",
    32026: "Blosc2",
    307: "BZip2",
    32000: "LZF",
}


def missing_filters(layout: Layout) -> list[str]:
    """Return the names of the filters that a file needs and h5py does not have now."""
    import h5py

    return sorted(_NAMES.get(code, f"filter {code}") for code in layout.filters if not h5py.h5z.filter_avail(code))


def prepare_filters(path: Path) -> Layout:
    """Load hdf5plugin if a file needs it, and look at its heaps; return what the file's tree tells of its arrays.

    Nothing is said of files that are no HDF5: the reader does that.

    Raises
    ------
    FormatError
        If a filter is not installed, or the file is damaged where HDF5 would not come to an end.
    """
    layout = check_heaps(path)
    missing = missing_filters(layout)
    if missing and importlib.util.find_spec("hdf5plugin") is not None:
        import hdf5plugin  # noqa: F401  (registers its filters)

        missing = missing_filters(layout)
    if missing:
        msg = (
            f"{path}: the data are compressed with {' and '.join(missing)} (SnapATAC2 writes Blosc), which h5py does "
            "not have. Install it: pip install hdf5plugin"
        )
        raise FormatError(msg)
    return layout

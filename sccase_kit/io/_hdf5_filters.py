"""Compression filters of HDF5 that do not come with h5py, such as the Blosc of SnapATAC2's files."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING

from .heaps import check_heaps

if TYPE_CHECKING:
    import h5py

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


def missing_filters(path: str | os.PathLike[str]) -> list[str]:
    """Return the names of the filters that a file needs and h5py does not have now."""
    import h5py

    needed: set[int] = set()

    def look(_: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset):
            made = item.id.get_create_plist()
            needed.update(made.get_filter(i)[0] for i in range(made.get_nfilters()))

    with h5py.File(path, "r") as file:
        file.visititems(look)
    return sorted(_NAMES.get(code, f"filter {code}") for code in needed if not h5py.h5z.filter_avail(code))


def prepare_filters(path: Path) -> str:
    """Load hdf5plugin if a file needs it; return what is missing after that, with the way out, or an empty text.

    Nothing is said of files that are no HDF5: the reader does that.

    Raises
    ------
    FormatError
        If the file is damaged where HDF5 would not come to an end.
    """
    check_heaps(path)
    try:
        missing = missing_filters(path)
    except (OSError, RuntimeError, ValueError, KeyError):
        return ""
    if missing and importlib.util.find_spec("hdf5plugin") is not None:
        import hdf5plugin  # noqa: F401  (registers its filters)

        missing = missing_filters(path)
    if not missing:
        return ""
    return (
        f"{path}: the data are compressed with {' and '.join(missing)} (SnapATAC2 writes Blosc), which h5py does not "
        "have. Install it: pip install hdf5plugin"
    )

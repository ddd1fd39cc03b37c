"""What is written about a run: where its sets of peaks are, and which peaks its positions mean."""

from __future__ import annotations

import zlib

from anndata import AnnData

from .._record import Record, as_object, recorded


def peaks_checksum(adata: AnnData) -> int:
    """Return a checksum of the names of the peaks in their order."""
    return zlib.crc32("\n".join(adata.var_names).encode("utf-8", "surrogatepass"))


def check_same_peaks(adata: AnnData, found: Record, *, key: str) -> None:
    """Raise ValueError unless the peaks are those, in the same order, that stored positions of background peaks mean.

    Parameters
    ----------
    adata
        Data with the positions.
    found
        The run of :func:`sccase_kit.tl.chromvar` that stored them.
    key
        Its `key_added`, for the message.
    """
    n_vars, names = int(found.results["n_vars"]), found.results.get("peaks_checksum")
    if n_vars != adata.n_vars:
        wrong = f"adata has {adata.n_vars} peaks but chromvar was run on {n_vars}"
    elif names is not None and int(names) != peaks_checksum(adata):
        wrong = "the peaks of adata have other names, or another order, than when chromvar was run"
    else:
        return
    msg = f"{wrong}; its background peaks no longer fit (adata.varm['{key}_background']). "
    msg += "Run sccase_kit.tl.chromvar again"
    raise ValueError(msg)


def check_background_slot(adata: AnnData, slot: str) -> None:
    """Raise ValueError where a run of chromvar wrote a slot of `varm` for other peaks, or for another order of them."""
    key = slot.removesuffix("_background")
    found = recorded(adata.uns.get(key), "tl.chromvar")
    if key != slot and found is not None:
        check_same_peaks(adata, found, key=key)


def stored_source(value: object, own: str) -> object:
    """Return a key of `varm` as it is, None as None, and OBJECT for values and for the slot `own` of the run itself."""
    return value if isinstance(value, str) and value != own else as_object(value)


def sets_slot(key: str, found: Record) -> str:
    """Return the key of `varm` with the sets of a run of chromvar: what it read, or what it wrote."""
    return f"{key}_sets" if "annotations" in found.objects else str(found.params["annotations"])

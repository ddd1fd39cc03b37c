"""What is written about a run: where its sets of peaks are, and which peaks its positions mean."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from anndata import AnnData


def peaks_checksum(adata: AnnData) -> int:
    """Return a checksum of the names of the peaks in their order."""
    return zlib.crc32("\n".join(adata.var_names).encode("utf-8", "surrogatepass"))


def check_same_peaks(adata: AnnData, params: Mapping[str, Any], *, key: str) -> None:
    """Raise ValueError unless the peaks are those, in the same order, that stored positions of background peaks mean.

    Parameters
    ----------
    adata
        Data with the positions.
    params
        Parameters that :func:`sccase_kit.tl.chromvar` stored with them.
    key
        Its `key_added`, for the message.
    """
    if int(params["n_vars"]) != adata.n_vars:
        wrong = f"adata has {adata.n_vars} peaks but chromvar was run on {int(params['n_vars'])}"
    elif int(params.get("peaks_checksum", peaks_checksum(adata))) != peaks_checksum(adata):
        wrong = "the peaks of adata have other names, or another order, than when chromvar was run"
    else:
        return
    msg = f"{wrong}; its background peaks no longer fit (adata.varm['{key}_background']). "
    msg += "Run sccase_kit.tl.chromvar again"
    raise ValueError(msg)


def check_background_slot(adata: AnnData, slot: str) -> None:
    """Raise ValueError where a run of chromvar wrote a slot of `varm` for other peaks, or for another order of them."""
    key = slot.removesuffix("_background")
    entry = adata.uns.get(key)
    if key != slot and isinstance(entry, Mapping) and "n_vars" in entry.get("params", {}):
        check_same_peaks(adata, entry["params"], key=key)


def stored_source(value: object, own: str) -> str:
    """Return a key of `varm` as it is, and "given" for values and for the slot `own`, which the run itself writes."""
    return value if isinstance(value, str) and value != own else "given"


def sets_slot(key: str, params: Mapping[str, Any]) -> str:
    """Return the key of `varm` with the sets of a run of chromvar: what it read, or what it wrote."""
    return f"{key}_sets" if params["annotations"] == "given" else str(params["annotations"])

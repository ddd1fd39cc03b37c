"""Sites of factors that others found, as matches of motifs: for peaks whose sequence is not at hand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from anndata import AnnData

from .._arguments import checked
from .._calls import check_free
from .._labels import column_name
from .._record import as_object, record
from .._validate import check_adata
from ..intervals.peaks import require_coordinates
from ..intervals.region_files import read_bed
from ..matrix.access import in_memory_copy
from ..motifs import read_sites, region_annotations

_SHOWN = 5


@checked()
def match_sites(adata: AnnData, sites: Any, *, key_added: str = "motifs", copy: bool = False) -> AnnData | None:
    """Find which peaks hold a site of which factor, from files of sites instead of the sequence of the genome.

    What is written stands in for the matches of :func:`match_motifs` wherever these are used. Sites are ChIP-seq peaks
    of factors, or matches of motifs that were found elsewhere; with ChIP-seq a factor says where it binds in *those*
    cells.

    Parameters
    ----------
    adata
        Data with chrom, start, end in `var`.
    sites
        Folder with a BED file per factor, or one BED file with the factors in its fourth column
        (:func:`sccase_kit.motifs.read_sites`); or factor → regions (table, BED file, region names). On the genome of
        the peaks.
    key_added
        Key written.
    copy
        Return a copy instead of writing into `adata`.

    Returns
    -------
    `None`, or the copy. Written (M factors):

    `varm[key_added]`
        CSR of bool (n_vars × M): a site of the factor overlaps the peak.
    `uns[key_added]`
        ``names`` (of the factors, the columns), ``n_sites`` (sites given), ``n_peaks`` (peaks with one), ``params``.

    Raises
    ------
    FileNotFoundError
        If there are no such files.
    TypeError
        If `sites` is neither a path nor a mapping.
    ValueError
        If files are no BED files, names repeat, peaks have no coordinates, or no peak holds any site.

    See Also
    --------
    add_gc_content : Where the sequence is at hand; without it, ``sk.tl.chromvar(adata, method="analytic", bias=None)``
        matches background peaks by their reads alone.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> sk.tl.match_sites(adata, {'GATA1': list(adata.var_names[:40]), 'SPI1': list(adata.var_names[30:90])})
    >>> adata.uns['motifs']['n_peaks'].tolist()
    [40, 60]
    """
    check_adata(adata)
    check_free(adata, key_added, "tl.match_sites")
    peaks = require_coordinates(adata)
    if isinstance(sites, (str, os.PathLike)):
        tables: Mapping[str, Any] = read_sites(sites)
    elif isinstance(sites, Mapping):
        tables = {
            name: read_bed(given) if isinstance(given, (str, os.PathLike)) else given for name, given in sites.items()
        }
    else:
        msg = f"sites must be a folder, a BED file or a mapping factor → regions, got {type(sites).__name__}"
        raise TypeError(msg)
    matches, found = region_annotations(peaks, tables)
    names = [column_name(name) for name in found]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        msg = f"sites: {twice[:_SHOWN]} stand for several factors"
        raise ValueError(msg)
    n_peaks = np.asarray(matches.sum(axis=0)).ravel().astype(np.int64)
    if not n_peaks.any():
        first = f"{peaks['chrom'].iloc[0]}:{peaks['start'].iloc[0]}-{peaks['end'].iloc[0]}"
        msg = (
            f"sites: no peak (such as {first}) holds a site of any of the {len(names)} factor(s); are the sites on the "
        )
        msg += "genome of the peaks?"
        raise ValueError(msg)
    target = in_memory_copy(adata) if copy else adata
    target.varm[key_added] = matches
    result = {
        "names": np.array(names, dtype=object),
        "n_sites": np.array([len(table) for table in tables.values()], dtype=np.int64),
        "n_peaks": n_peaks,
    }
    given = os.fspath(sites) if isinstance(sites, (str, os.PathLike)) else as_object(sites)
    record(target, key_added, "tl.match_sites", params={"sites": given}, **result)
    return target if copy else None

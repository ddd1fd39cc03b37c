"""Gene activity from the peaks near genes."""

from __future__ import annotations

import os
from typing import Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._calls import check_free
from .._logging import warn
from .._record import record
from .._validate import check_adata, check_choice
from ..genes import peak_gene_weights
from ..get.raw import fitted_layer
from ..get.thin import check_fitted
from ..matrix.access import check_counts, get_matrix, in_memory_copy
from ..matrix.blocks import iter_row_blocks
from ._group_opens import has_counts
from ._nearest_gene import check_genes, peak_places

#: Share of the genes in reach of a peak below which a warning says that activities mean little.
MIN_COVERED = 0.3


@checked()
def gene_activity(
    adata: AnnData,
    genome: str | os.PathLike[str] | pd.DataFrame,
    *,
    weights: Literal["archr", "body", "promoter", "exponential"] = "archr",
    cut: bool = False,
    source: Literal["enhanced", "counts"] = "enhanced",
    layer: str | None = None,
    key: str = "sccase",
    key_added: str = "gene_activity",
    copy: bool = False,
) -> AnnData | None:
    """Prepare gene activities: the weights of peaks for genes, from which scores of any genes are read on demand.

    The scores themselves are had by :func:`sccase_kit.get.gene_activity`, for the genes and cells that are asked for;
    no cells × genes matrix is stored.

    Parameters
    ----------
    adata
        Cells × peaks with coordinates.
    genome
        Genome of the peaks (hg19, hg38, mm9, mm10), a GTF or other file, or a table of genes; see
        :func:`sccase_kit.regions.tss_table`.
    weights
        ``"archr"``: decay from the gene body as ArchR's gene score; ``"body"``: promoter and gene body; ``"promoter"``;
        ``"exponential"``: decay from the transcription start. See :mod:`sccase_kit.genes.weights`.
    cut
        Of ``"archr"``: end the window of a gene at its neighbouring genes, as ArchR does by default.
    source
        ``"enhanced"``: from the factors of :func:`sccase_kit.tl.enhance`; ``"counts"``: from open or closed peaks.
    layer
        Layer with the counts; `None` for what was enhanced, or without a fit `X`.
    key
        The `key_added` of the fit.
    key_added
        Key in `uns` and `varm`.
    copy
        Return a copy instead of writing into `adata`.

    Returns
    -------
    `None`, or the copy. Written: ``varm[key_added]`` (sparse, n_vars × genes, float32, the weights) and
    ``uns[key_added]`` with ``genes`` (DataFrame: symbol, gene_id, chrom, tss, strand, start and end where known,
    n_peaks in reach), ``scale`` (open peaks of the median cell), ``n_vars`` and the arguments.

    Raises
    ------
    KeyError
        If `adata` was not enhanced under `key` (``source="enhanced"``), a layer is missing, or `weights` need gene
        bodies that the genes lack.
    ValueError
        If no peak has coordinates or no gene a peak, or the peaks are of another genome.

    Notes
    -----
    Single markers tell their type from the other cells far better from the enhanced factors than from the counts; the
    measurements are in docs/genes.md. With few peaks (below 30 % of the genes in reach of one, which is warned of)
    activities mean little.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> study = sk.datasets.toy_study(n_cells=100, n_peaks=500)
    >>> adata = study.adata
    >>> sk.tl.enhance(adata)
    >>> planted = study.genes[study.genes["specific_to"] != ""]
    >>> sk.tl.gene_activity(adata, planted)
    >>> sk.get.gene_activity(adata, planted["symbol"][:3]).shape
    (100, 3)
    """
    check_adata(adata)
    check_choice(source, ["enhanced", "counts"], name="source")
    check_free(adata, key_added, "tl.gene_activity")
    if source == "enhanced":
        check_fitted(adata, key)
    genes = check_genes(adata, genome)
    matrix = peak_gene_weights(peak_places(adata), genes, weights=weights, cut=cut)
    n_peaks = np.asarray((matrix > 0).sum(axis=0)).ravel()
    if not n_peaks.any():
        msg = f"no peak is in reach of any of the {len(genes)} genes: is genome={str(genome)[:60]!r} that of the peaks?"
        raise ValueError(msg)
    if (share := np.mean(n_peaks > 0)) < MIN_COVERED:
        warn(f"only {share:.0%} of the {len(genes)} genes have a peak in reach (weights={weights!r}); they mean little")
    scale = _median_opens(adata, key=key, layer=layer, needed=source == "counts")
    target = in_memory_copy(adata) if copy else adata
    target.varm[key_added] = matrix
    columns = [c for c in ("symbol", "gene_id", "chrom", "tss", "strand", "start", "end") if c in genes.columns]
    params = {"genome": genome, "weights": weights, "cut": cut, "source": source, "layer": layer, "key": key}
    table = genes[columns].assign(n_peaks=n_peaks)
    table.index = table.index.astype(str)
    record(target, key_added, "tl.gene_activity", params=params, genes=table, scale=scale, n_vars=adata.n_vars)
    return target if copy else None


def _median_opens(adata: AnnData, *, key: str, layer: str | None, needed: bool) -> float:
    """Return the open peaks of the median cell; 10,000 where the counts are gone and not needed."""
    fitted = key in adata.uns
    if not needed and layer is None and not has_counts(adata, key):
        return 1e4
    matrix = get_matrix(adata, fitted_layer(adata, key, layer) if fitted else layer)
    opens = []
    for _, block in iter_row_blocks(matrix):
        check_counts(block)
        opens.append(np.asarray((block > 0).sum(axis=1)).ravel())
    return max(float(np.median(np.concatenate(opens))), 1.0) if opens else 1.0

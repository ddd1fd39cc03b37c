"""What tells groups apart that resemble each other, in counts that had no part in making them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._calls import check_free
from .._logging import logger
from .._record import record
from .._validate import check_adata, check_int
from ..matrix.access import in_memory_copy
from ._annotate_inputs import read_markers
from ._nearest_gene import check_genes
from ._sister_tables import contrast_tables, reached_markers
from ._sisters import find_sisters, group_table, nearest_pairs, pair_table, told_table


@checked()
def sister_groups(
    adata: AnnData,
    groupby: str,
    *,
    genome: str | os.PathLike[str] | pd.DataFrame | None = None,
    markers: Mapping[str, Iterable[str]] | str | os.PathLike[str] | None = None,
    n_next: int = 2,
    n_top: int = 50,
    alpha: float = 0.01,
    min_difference: float = 0.03,
    n_splits: int = 1,
    layer: str | None = None,
    key: str = "sccase",
    key_added: str = "sister_groups",
    rng: int | np.random.Generator | None = 0,
    copy: bool = False,
) -> AnnData | None:
    """Tell what sets every group apart from those that resemble it most, or that nothing does.

    Clusters differ in the counts that they were made from, also where one type was split by chance. So the counts are
    divided at random into two halves; the fit is repeated on one, every cell is put into the group that this half
    tells, and the groups are compared in the other half, at equal depth and within batches; then the halves change
    places. Groups that held-out counts do not tell apart are one family. See :mod:`sccase_kit.peaks.sisters` and
    docs/sisters.md.

    Parameters
    ----------
    adata
        Data enhanced by :func:`sccase_kit.tl.enhance`, with the counts. The fit is repeated `n_splits` times two on
        half of the counts each.
    groupby
        Column of `adata.obs` with the groups.
    genome
        Genome (hg19, hg38, mm9, mm10), file or table of genes, see :func:`sccase_kit.regions.tss_table`: adds the
        nearest gene of peaks. `None` leaves it out.
    markers
        Marker genes that are compared between the groups as well, as for :func:`sccase_kit.tl.annotate`; needs
        `genome`.
    n_next
        Families that each is compared with, those with the smallest difference.
    n_top
        Peaks per comparison and direction.
    alpha
        Largest adjusted p-value (Bonferroni over all pairs of groups) at which two groups are told apart.
    min_difference
        Least difference of the profiles of two groups that are told apart, 0.03 for 3 %; see Returns.
    n_splits
        Random divisions into halves; more make the answer depend less on the seed.
    layer
        Layer with the counts; `None` for what was enhanced.
    key
        The `key_added` of the fit.
    key_added
        Key in `adata.uns`.
    rng
        Seed of the halves.
    copy
        Return a copy instead of writing into `adata`.

    Returns
    -------
    `None`, or the copy. Written: `uns[key_added]` with

    ``pairs``
        DataFrame, one row per pair of groups: group, other, z (standard normal where both are one), pvalue, padj,
        difference (root mean square of the relative differences of their profiles along what the other half says; below
        0 where there is less than chance gives), apart.
    ``groups``
        DataFrame, one row per group: group, n_cells, family (the name of its largest group), members (the groups of the
        family as text), next (the family with the smallest difference), difference and z from it.
    ``contrasts``
        DataFrame, one row per family and another that it is compared with: family, other, z, padj, difference, n_more
        and n_less (peaks with an adjusted p-value of at most 0.05).
    ``peaks``
        DataFrame, the first `n_top` peaks of every contrast and direction by p-value: family, other, direction ("more"
        or "less" open in the family), rank, chrom, start, end (where known), peak, log2fc (held-out counts at equal
        depth, two opens added to both), pvalue, padj, nearest_gene and distance (with `genome`). Cells that half of the
        counts puts into the wrong group make these differences smaller than they are.
    ``genes``
        DataFrame, with `markers`, all of them in reach of a peak: family, other, gene, types (whose sets have it), fold
        (weighted opens at equal depth, two added to both), z, pvalue, padj (Benjamini–Hochberg within the contrast),
        n_peaks, peak (the nearest) and distance.
    ``told``
        DataFrame: group, family, share of the group's cells that half of the counts puts into the family (a twentieth
        at least, or its own), own. A group of which few cells stay is mixed, or lies between others.
    ``params``
        The arguments.

    Raises
    ------
    KeyError
        If `adata` was not enhanced under `key`, or `groupby` or the counts are missing.
    ValueError
        If there are fewer than two groups, an argument is out of range, markers come without a genome, or the fit
        used a reference.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=800, n_peaks=1500, rng=1).adata
    >>> sk.tl.enhance(adata, 8, method="sccase", batch_key="batch")
    >>> sk.tl.sister_groups(adata, "cell_type")
    >>> bool(adata.uns["sister_groups"]["pairs"]["apart"].all())
    True
    """
    check_adata(adata)
    check_free(adata, key_added, "tl.sister_groups")
    n_next = check_int(n_next, name="n_next", minimum=1)
    n_top = check_int(n_top, name="n_top", minimum=1)
    if markers is not None and genome is None:
        msg = "markers are genes: give genome= too (hg19, hg38, mm9, mm10, a GTF or a table of genes)"
        raise ValueError(msg)
    genes = None if genome is None else check_genes(adata, genome)
    sets = None if markers is None else read_markers(markers, genome)
    found = find_sisters(
        adata,
        groupby,
        alpha=alpha,
        min_difference=min_difference,
        n_splits=n_splits,
        layer=layer,
        key=key,
        rng=rng,
    )
    limits = {"alpha": alpha, "min_difference": min_difference}
    tables = {"pairs": pair_table(found, [[g] for g in range(len(found.names))], found.names, **limits)}
    tables["groups"], tables["told"] = group_table(found), told_table(found)
    compared = sorted({pair for f in range(len(found.families)) for pair in nearest_pairs(found, f, n_next)})
    own = None if genes is None or sets is None else reached_markers(adata, genes, sets)
    tables |= contrast_tables(adata, found, compared, genes, own, n_top=n_top)
    if alike := [found.members(f) for f, members in enumerate(found.families) if len(members) > 1]:
        how = "sk.tl.merge_clusters, or sccase-kit cluster --merge"
        logger.info("held-out counts do not tell apart %s (%s)", "; ".join(alike), how)
    target = in_memory_copy(adata) if copy else adata
    params = {"groupby": groupby, "genome": genome, "n_next": n_next, "n_top": n_top, **limits}
    params |= {"markers": markers, "n_splits": n_splits, "layer": layer, "key": key, "rng": found.seed}
    record(target, key_added, "tl.sister_groups", params=params, **tables)
    return target if copy else None

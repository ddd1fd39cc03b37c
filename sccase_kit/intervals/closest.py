"""The transcription starts that are closest to regions."""

from __future__ import annotations

import numpy as np
import pandas as pd


def closest_points(
    start: np.ndarray, end: np.ndarray, points: np.ndarray, *, k: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the points at the k smallest distances from every region.

    Points inside a region have distance 0; a point that only touches it is 1 away, as with bedtools. Points at the same
    distance, on either side or at one position, count as one of the k distances and are all returned.

    Parameters
    ----------
    start, end
        0-based half-open regions, each of shape (n_regions,).
    points
        0-based positions, shape (n_points,), in any order.
    k
        Number of different distances.

    Returns
    -------
    Three arrays with one entry per pair, ordered by region, distance and position in `points`: position of the region,
    position of the point, and the distance in bases, negative where the point lies left of the region.
    """
    order = np.argsort(points, kind="stable")
    places, first, count = np.unique(points[order], return_index=True, return_counts=True)
    low, high = np.searchsorted(places, start, side="left"), np.searchsorted(places, end, side="left")
    steps = np.arange(k)
    # The k places to the left and to the right of every region, and those inside: far enough for k distances.
    left, right = low[:, None] - 1 - steps, high[:, None] + steps
    region = np.repeat(np.arange(len(start)), k)
    outside_place = np.concatenate([left.ravel(), right.ravel()])
    outside_region = np.concatenate([region, region])
    known = (outside_place >= 0) & (outside_place < len(places))
    n_inside = high - low
    inside_region = np.repeat(np.arange(len(start)), n_inside)
    inside_place = np.arange(n_inside.sum()) - np.repeat(np.cumsum(n_inside) - n_inside, n_inside) + low[inside_region]
    of = np.concatenate([inside_region, outside_region[known]])
    place = np.concatenate([inside_place, outside_place[known]]).astype(np.intp)
    position = places[place]
    distance = np.where(
        position < start[of], position - start[of], np.where(position >= end[of], position - end[of] + 1, 0)
    )
    by = np.lexsort((place, np.abs(distance), of))
    of, place, distance = of[by], place[by], distance[by]
    new_region = np.r_[True, of[1:] != of[:-1]] if len(of) else np.zeros(0, dtype=bool)
    new_distance = new_region | (np.r_[True, np.abs(distance[1:]) != np.abs(distance[:-1])] if len(of) else new_region)
    rank = np.cumsum(new_distance)
    rank -= (rank[new_region] - 1)[np.cumsum(new_region) - 1] if len(of) else 0
    keep = rank <= k
    of, place, distance = of[keep], place[keep], distance[keep]
    each = count[place]
    within = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
    return np.repeat(of, each), order[np.repeat(first[place], each) + within], np.repeat(distance, each)


def closest_starts(
    regions: pd.DataFrame, genes: pd.DataFrame, *, k: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find, by chromosome, the genes whose transcription starts lie at the k smallest distances from every region.

    Parameters
    ----------
    regions
        chrom, start, end; rows without a place have a start below 0, and no gene.
    genes
        chrom, tss, strand.
    k
        Number of different distances; see :func:`closest_points`.

    Returns
    -------
    Three arrays with one entry per pair, ordered by region, distance and gene: position of the region, position of the
    gene, and the distance in bases from the nearest edge of the region, 0 inside, negative where the region lies
    upstream of the gene.
    """
    chrom, start, end = (regions[column].to_numpy() for column in ("chrom", "start", "end"))
    gene_chrom, tss = genes["chrom"].to_numpy(), genes["tss"].to_numpy()
    forward = (genes["strand"] == "+").to_numpy(bool)
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for name in pd.unique(gene_chrom):
        rows, own = np.flatnonzero((chrom == name) & (start >= 0)), np.flatnonzero(gene_chrom == name)
        if len(rows):
            region, point, away = closest_points(start[rows], end[rows], tss[own], k=k)
            found.append((rows[region], own[point], away))
    if not found:
        nothing = np.zeros(0, dtype=np.intp)
        return nothing, nothing.copy(), np.zeros(0, dtype=np.int64)
    region, gene, away = (np.concatenate(part) for part in zip(*found, strict=True))
    # `away` is negative where the gene lies left: then the region lies downstream of a gene on the + strand.
    distance = np.where(forward[gene], -away, away)
    order = np.lexsort((gene, np.abs(distance), region))
    return region[order], gene[order], distance[order]

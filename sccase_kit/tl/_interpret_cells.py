"""The steps of :func:`sccase_kit.tl.interpret` that look at cells: motifs with the genes of their factors, traits."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._labels import column_name
from .._logging import warn
from .._record import recorded
from .._validate import check_labels
from ..get.chromvar import read_deviations
from ..get.genes import gene_activity as read_activity
from ..get.raw import raw_layer
from ..matrix.access import get_matrix
from ..motifs.blocks import totals
from ._annotations import resolve_annotations
from ._chromvar import chromvar
from ._deviations import differential_deviations
from ._gene_activity import gene_activity
from ._motif_genes import factor_genes, motif_genes
from ._motifs import add_gc_content, match_motifs
from ._sites import match_sites
from ._traits import trait_scores

_LOOKED_UP = ("genome_fasta", "sequences")
_LEAD = 5  # motifs of every group whose matrices are kept for logos


def motif_step(
    adata: AnnData, groupby: str, out: Path, *, given: Mapping[str, Any], genome: str, key: str, unknown: Any
) -> pd.DataFrame | None:
    """Test which motifs deviate in every group, and which gene of a family of factors fits; see :func:`interpret`."""
    if check_labels(adata, groupby).cat.categories.size < 2:
        warn(f"motifs are left out: {groupby!r} holds one group, with which no other can be compared")
        return None
    layer = raw_layer(adata, key)
    work = _with_reads(_shared(adata), layer)
    if given.get("sites") is not None:
        _match_sites(work, given, unknown)
    elif any(given.get(name) is not None for name in _LOOKED_UP):
        match_motifs(work, **{"unknown": unknown, **given})
    elif "motifs" not in work.varm:
        msg = "motifs needs genome_fasta or sequences, in which they are looked for, or sites (BED files of factors), "
        msg += f"got {sorted(given)}; or run sccase_kit.tl.match_motifs(adata, ...) first"
        raise KeyError(msg)
    genes = _activities(work, genome, key)
    work = _with_sequence(work)
    bias = "gc" if "gc" in work.var else None
    if bias is None:
        warn(
            "the GC content of the peaks is not known (var['gc']): background peaks of the motifs are matched by reads "
            "alone; sccase_kit.tl.add_gc_content(adata, genome_fasta) adds it"
        )
    chromvar(work, method="analytic", bias=bias, layer=layer, key=key)
    table = differential_deviations(work, groupby)
    matched = np.asarray((work.varm["motifs"] != 0).sum(axis=0)).ravel()
    table["n_peaks"] = table["set"].map(dict(zip(read_deviations(work, "chromvar", "z")[1], matched, strict=True)))
    if genes is not None:
        fits = motif_genes(work, genes, use_rep=f"X_{key}")
        fits.to_csv(out / "genes.tsv", sep="\t", index=False, lineterminator="\n")
        best = fits.drop_duplicates("set").rename(columns={"correlation": "gene_correlation"})
        table = table.merge(best[["set", "gene", "gene_correlation", "family", "rank_in_family"]], on="set", how="left")
    _save_heatmap(work, groupby, out)
    table = table.assign(group=table["group"].astype(str))
    table.attrs |= {"motifs": _profiles(work, table), "n_peaks": work.n_vars, "n_peaks_all": adata.n_vars}
    return table


def trait_step(adata: AnnData, groupby: str, out: Path, *, given: Mapping[str, Any], key: str) -> pd.DataFrame:
    """Score the groups for traits by fine-mapped variants; see :func:`interpret`."""
    layer = raw_layer(adata, key)
    work = _with_reads(_shared(adata), layer)
    options = {"layer": layer, "use_rep": f"X_{key}", **given}
    if "bias" not in options:
        known = "gc" in work.var and bool(np.isfinite(work.var["gc"]).all())
        options["bias"] = "gc" if known else None
    trait_scores(work, options.pop("variants"), groupby, **options, key_added="traits")
    found = work.uns["traits"]
    found["traits"].to_csv(out / "traits.tsv", sep="\t", index=False, lineterminator="\n")
    if "groups" not in found:
        return pd.DataFrame({"trait": [], "group": [], "score": [], "p_value": [], "p_value_adj": []})
    from ..pl import trait_groups

    _save(trait_groups(work, key="traits").figure, out / "traits.png")
    return found["groups"]


def files_of_sites(given: Mapping[str, Any]) -> list[Path]:
    """Return the files in a folder of sites, so that a change of one is a change of the input."""
    sites = given.get("sites")
    if isinstance(sites, (str, os.PathLike)) and Path(sites).is_dir():
        return sorted(file for file in Path(sites).iterdir() if file.is_file())
    return []


def _match_sites(work: AnnData, given: Mapping[str, Any], unknown: Any) -> None:
    """Take the sites of factors for matches; a sequence that is given beside them tells the GC content."""
    if other := sorted(set(given) - {"sites", "unknown", *_LOOKED_UP}):
        msg = f"motifs: {other} belong to motifs that are looked for in a sequence; leave them, or sites, out"
        raise ValueError(msg)
    for slots in (work.uns, work.varm):
        slots.pop("motifs", None)
    match_sites(work, given["sites"])
    sequence = {name: given[name] for name in _LOOKED_UP if given.get(name) is not None}
    if sequence:
        add_gc_content(work, **sequence, unknown=given.get("unknown", unknown))


def _shared(adata: AnnData) -> AnnData:
    """Return an AnnData of the same arrays, so that what a step writes stays out of the user's."""
    slots: dict[str, Any] = {"layers": dict(adata.layers), "obsm": dict(adata.obsm), "varm": dict(adata.varm)}
    return AnnData(adata.X, obs=adata.obs.copy(), var=adata.var.copy(), uns=dict(adata.uns), **slots)


def _with_reads(work: AnnData, layer: str | None) -> AnnData:
    """Return the peaks that have reads, with a warning that counts the others."""
    has = totals(get_matrix(work, layer)).per_peak > 0
    if has.all():
        return work
    warn(f"{int((~has).sum())} of {len(has)} peaks have no reads; motifs and traits are tested on the others")
    return work[:, has].copy()


def _with_sequence(work: AnnData) -> AnnData:
    """Return the peaks whose GC content is known, with a warning that counts the others."""
    if "gc" not in work.var:
        return work
    known = np.isfinite(work.var["gc"].to_numpy(dtype=np.float64))
    if known.all():
        return work
    warn(f"{int((~known).sum())} of {len(known)} peaks have no sequence; motifs are tested on the other {known.sum()}")
    return work[:, known].copy()


def _activities(work: AnnData, genome: str, key: str) -> AnnData | None:
    """Return the activities of the genes of the motifs' factors, from all peaks; None where no factor has a gene."""
    names = [column_name(name) for name in resolve_annotations(work, "motifs")[1]]
    gene_activity(work, genome, key=key)
    listed = work.uns["gene_activity"]["genes"]
    there = {str(name).upper(): str(name) for name in listed.loc[listed["n_peaks"] > 0, "symbol"][::-1]}
    wanted = {gene.upper() for name in names for gene in factor_genes(work, name, "motifs")}
    if not (found := [there[gene] for gene in sorted(wanted) if gene in there]):
        warn("no factor of the motifs has a gene in reach of a peak: nothing is said of which member of a family fits")
        return None
    return read_activity(work, found)


def _profiles(work: AnnData, table: pd.DataFrame) -> dict[str, Any] | None:
    """Return the matrices of the motifs that lead in a group, for the logos of the page."""
    made = recorded(work.uns.get("motifs"), "tl.match_motifs")
    if made is None:
        return None
    first = table.sort_values("effect_size", ascending=False, kind="stable").groupby("group", sort=False).head(_LEAD)
    names = [column_name(name) for name in made.results["names"]]
    kept = [k for k, name in enumerate(names) if name in set(first["set"])]
    ends = np.concatenate([[0], np.cumsum(np.asarray(made.results["widths"], dtype=np.int64))])
    profiles = np.asarray(made.results["profiles"])
    return {
        "names": [names[k] for k in kept],
        "ids": [str(made.results["ids"][k]) for k in kept],
        "tf": [str(made.results["tf"][k]) for k in kept],
        "widths": [int(ends[k + 1] - ends[k]) for k in kept],
        "profiles": np.hstack([profiles[:, ends[k] : ends[k + 1]] for k in kept] or [profiles[:, :0]]).tolist(),
    }


def _save_heatmap(work: AnnData, groupby: str, out: Path) -> None:
    from ..pl import motif_heatmap

    try:
        drawn = motif_heatmap(work, groupby, n_top=30)
    except ValueError as error:  # nothing varies
        warn(f"motifs are left without a figure: {error}")
        return
    _save(drawn.figure, out / "motifs.png")


def _save(figure: Any, path: Path) -> None:
    import matplotlib.pyplot as plt

    figure.savefig(path, dpi=150, bbox_inches="tight")
    plt.close(figure)

"""Regulatory domains of genes, as the GREAT server (4.0.4) draws them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from .._arguments import checked
from .._text_files import open_text
from .._validate import check_choice, check_int
from ..intervals.assembly import in_names_of
from ..intervals.frame import check_regions
from ..intervals.genomes import tss_table

Rule = Literal["basal_plus_extension", "two_nearest", "single_nearest"]


@checked()
def regulatory_domains(
    tss: pd.DataFrame,
    chrom_sizes: Mapping[str, int],
    *,
    rule: Rule = "basal_plus_extension",
    upstream: int = 5_000,
    downstream: int = 1_000,
    extension: int = 1_000_000,
    curated: str | os.PathLike[str] | pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the stretches of the genome whose regions are associated with each gene.

    Parameters
    ----------
    tss
        Genes as returned by :func:`~sccase_kit.regions.tss_table`.
    chrom_sizes
        Chromosome → length. Genes on other sequences have no domain.
    rule
        ``"basal_plus_extension"``: a basal domain around the TSS, extended on both sides to the basal domain of the
        adjacent gene but no further than `extension` bases from the TSS. ``"two_nearest"``: up to the adjacent TSS.
        ``"single_nearest"``: up to the middle between adjacent TSSs.
    upstream, downstream
        Size of the basal domain in bases, on the strand of the gene; used by the first rule only.
    extension
        Largest distance from the TSS in bases.
    curated
        Domains that replace the computed ones of their genes: a DataFrame chrom, start, end, gene (id or symbol), or
        a tab-separated file of these four columns without header. Several rows of a gene add up. The server's own
        few curated domains (HOXD cluster, SHH, beta-globin) are not published and not included.

    Returns
    -------
    DataFrame gene (row of `tss`, int64), chrom, start, end; by chromosome and TSS. Empty domains are left out.

    Raises
    ------
    ValueError
        If no gene lies on the given chromosomes, or a curated domain names an unknown gene.

    Notes
    -----
    "Adjacent" is the immediate neighbour in TSS order on the chromosome; genes at one place stay in the order of `tss`,
    where GREAT's program takes the + strand first. All three rules are checked against that program, the first also
    against output of the server.
    """
    check_choice(rule, get_args(Rule), name="rule")
    for name, value in (("upstream", upstream), ("downstream", downstream), ("extension", extension)):
        check_int(value, name=name, minimum=0)
    tss = tss_table(tss)
    code = tss["chrom"].map({c: i for i, c in enumerate(chrom_sizes)})
    kept = np.flatnonzero(code.notna().to_numpy())
    if not len(kept):
        first = next(iter(chrom_sizes))
        msg = f"no gene of tss (first on {tss['chrom'].iloc[0]!r}) lies on the given chromosomes (first: {first!r})"
        raise ValueError(msg)
    code = code.to_numpy(float)[kept].astype(np.int64)
    forward = tss["strand"].to_numpy()[kept] == "+"
    # the boundary between the bases before and after the start, as in the server's gene table
    pos = tss["tss"].to_numpy(np.int64)[kept] + ~forward
    order = np.lexsort((pos, code))
    kept, code, forward, pos = kept[order], code[order], forward[order], pos[order]
    length = np.array(list(chrom_sizes.values()), dtype=np.int64)[code]
    if (pos > length).any():
        bad = tss.iloc[kept[np.argmax(pos > length)]]
        msg = f"tss: {bad['gene_id']} at {bad['chrom']}:{bad['tss']} lies beyond the chromosome: another genome build?"
        raise ValueError(msg)
    before, after = (upstream, downstream) if rule == "basal_plus_extension" else (0, 0)
    basal_start = np.maximum(pos - np.where(forward, before, after), 0)
    basal_end = np.minimum(pos + np.where(forward, after, before), length)
    same = code[1:] == code[:-1]
    low, high = np.maximum(pos - extension, 0), np.minimum(pos + extension, length)
    if rule == "single_nearest":
        middle = (pos[1:] + pos[:-1]) // 2
        start = np.maximum(low, np.r_[0, np.where(same, middle, 0)])
        end = np.minimum(high, np.r_[np.where(same, middle, length[:-1]), length[-1]])
    else:
        previous = np.r_[0, np.where(same, basal_end[:-1], 0)]
        following = np.r_[np.where(same, basal_start[1:], length[:-1]), length[-1]]
        start = np.minimum(basal_start, np.maximum(previous, low))
        end = np.maximum(basal_end, np.minimum(following, high))
    chrom = tss["chrom"].to_numpy(object)[kept]
    domains = pd.DataFrame({"gene": kept, "chrom": chrom, "start": start, "end": end})
    domains = domains[domains["end"] > domains["start"]].reset_index(drop=True)
    return domains if curated is None else _with_curated(domains, tss, curated, chrom_sizes)


def _with_curated(domains: pd.DataFrame, tss: pd.DataFrame, curated: Any, chrom_sizes: Mapping[str, int]):
    """Replace the domains of the genes that `curated` names."""
    given = curated if isinstance(curated, pd.DataFrame) else _read_curated(curated)
    if "gene" not in given.columns:
        msg = f"curated needs the columns chrom, start, end, gene; got {list(given.columns)}"
        raise KeyError(msg)
    table = check_regions(given, name="curated", chrom_sizes=chrom_sizes)
    table = in_names_of(table, tss["chrom"].unique(), name="curated", where="tss")
    by_id = pd.Series(np.arange(len(tss)), index=tss["gene_id"])
    by_symbol = pd.Series(np.arange(len(tss)), index=tss["symbol"])
    rows = []
    for record in table.itertuples():
        found = next((s.loc[[str(record.gene)]] for s in (by_id, by_symbol) if str(record.gene) in s.index), None)
        if found is None:
            msg = f"curated names the gene {record.gene!r}, which is neither a gene_id nor a symbol of tss"
            raise ValueError(msg)
        rows += [(gene, record.chrom, record.start, record.end) for gene in found]
    new = pd.DataFrame(rows, columns=["gene", "chrom", "start", "end"])
    return pd.concat([domains[~domains["gene"].isin(new["gene"])], new], ignore_index=True)


def _read_curated(path: str | os.PathLike[str]) -> pd.DataFrame:
    rows = []
    with open_text(path) as handle:
        for number, line in enumerate(handle, 1):
            if not line.strip() or line.startswith("#"):
                continue
            try:
                chrom, start, end, gene = line.split()[:4]
                rows.append((chrom, int(start), int(end), gene))
            except ValueError:
                msg = f"{path}, line {number}: expected chrom, start, end, gene, got {line.rstrip()[:80]!r}"
                raise ValueError(msg) from None
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "gene"])

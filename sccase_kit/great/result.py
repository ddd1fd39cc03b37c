"""What a GREAT run gives: the table of terms, the associations behind it, the numbers of the run."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse


@dataclass(frozen=True, slots=True, eq=False)
class GreatResult:
    """Tables of a GREAT run.

    Attributes
    ----------
    table
        One row per group and term, sorted by group, ontology and p-value; columns in :func:`great`.
    associations
        One row per region and associated gene: group, region (row number in the input), chrom, start, end, gene (row
        of `tss`), gene_id, symbol, distance (of the region's midpoint from the TSS in bases, negative upstream). A
        region without a gene has no row.
    tss
        The genes.
    info
        Numbers of the run: regions used and left out, genes, terms, share of unknown genes, genome size without gaps.
    membership
        CSC of shape (n_genes, n_terms): the genes of the tested terms.
    terms
        id, name, ontology of the tested terms.
    """

    table: pd.DataFrame
    associations: pd.DataFrame
    tss: pd.DataFrame
    info: dict[str, Any]
    membership: sparse.csc_matrix = field(repr=False)
    terms: pd.DataFrame = field(repr=False)

    def __repr__(self) -> str:
        groups = self.table["group"].nunique() if "group" in self.table.columns else 1
        size = f"{len(self.terms):,} terms × {groups} group{'' if groups == 1 else 's'}"
        links = f"{len(self.associations):,} region–gene pairs"
        return f"GreatResult: {size}, {links}; .table, .term(id), sk.pl.great_bar(result.table)"

    def term(self, term: str, group: Hashable | None = None) -> pd.DataFrame:
        """Return the rows of `associations` behind a term: its genes and the regions that hit them.

        Raises
        ------
        KeyError
            If the term was not tested.
        """
        found = np.flatnonzero(self.terms["id"].to_numpy() == term)
        if not len(found):
            msg = f"term {term!r} was not tested; there are {len(self.terms)}, e.g. {list(self.terms['id'][:3])}"
            raise KeyError(msg)
        genes = self.membership[:, found].nonzero()[0]
        rows = self.associations[self.associations["gene"].isin(genes)]
        return rows if group is None else rows[rows["group"] == group]

    def with_members(self) -> pd.DataFrame:
        """Return `table` with columns Genes and Regions: the symbols and regions behind every row, joined by commas."""
        links = self.associations.reset_index(drop=True)
        name = links["chrom"].astype(str) + ":" + links["start"].astype(str) + "-" + links["end"].astype(str)
        key = pd.MultiIndex.from_frame(self.terms[["ontology", "id"]])
        table = self.table.copy()
        column = key.get_indexer(pd.MultiIndex.from_frame(table[["ontology", "ID"]]))
        by_gene = self.membership.tocsr()
        genes = np.full(len(table), "", dtype=object)
        regions = np.full(len(table), "", dtype=object)
        groups = table["group"].to_numpy() if "group" in table.columns else np.zeros(len(table))
        link_groups = links["group"].to_numpy() if "group" in table.columns else np.zeros(len(links))
        for group in pd.unique(groups):
            rows, some = np.flatnonzero(groups == group), np.flatnonzero(link_groups == group)
            hit = by_gene[links["gene"].to_numpy()[some]].tocsc()[:, column[rows]]
            for row, first, last in zip(rows, hit.indptr[:-1], hit.indptr[1:], strict=True):
                behind = some[np.sort(hit.indices[first:last])]
                genes[row] = ",".join(dict.fromkeys(links["symbol"].to_numpy()[behind]))
                regions[row] = ",".join(dict.fromkeys(name.to_numpy()[behind]))
        table["Genes"], table["Regions"] = genes, regions
        return table

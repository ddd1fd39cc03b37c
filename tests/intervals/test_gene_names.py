"""Genes by name."""

from __future__ import annotations

import pandas as pd
import pytest

from sccase_kit.intervals.gene_names import find_genes, gene_positions

GENES = pd.DataFrame({"symbol": ["GATA1", "Cd3e", "GATA2"], "gene_id": ["ENSG1.4", "ENSMUSG2,ENSMUSG3", "ENSG5"]})


def test_symbols_ids_versions_and_case():
    names = ["GATA1", "gata2", "CD3E", "ENSG1", "ENSG1.4", "ENSG5.7", "ENSMUSG3", "x"]
    assert gene_positions(GENES, names).tolist() == [0, 2, 1, 0, 0, 2, 1, -1]


def test_unknown_genes_are_named_with_similar_ones():
    with pytest.raises(KeyError, match=r"2 of 3 .*\['GATA3', 'zz'\].*similar to 'GATA3': \['GATA\d', 'GATA\d'\]"):
        find_genes(GENES, ["GATA1", "GATA3", "zz"])

"""Headers of the tables of statistics: words with units, under which the stored names stay."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from sccase_kit.pages.table import Table
from sccase_kit.report._sections import other_section, tissue_section, trait_section
from sccase_kit.report._terms import enrichment_section

REGIONS = ["group", "ontology", "ID", "name", "Binom_Log10_PValue", "Binom_Fold_Enrichment"]
REGIONS += ["Binom_Observed_Region_Hits", "Binom_Adjp_BH"]
GENES = ["Hyper_Log10_PValue", "Hyper_Fold_Enrichment", "Hyper_Observed_Gene_Hits", "Hyper_Adjp_BH"]
SNPSEA = ["group", "condition", "pvalue", "nulls_observed", "nulls_tested", "n_snps", "score", "n_loci"]
LDSC = ["trait", "group", "Category", "Prop._SNPs", "Prop._h2", "Prop._h2_std_error", "Enrichment"]
LDSC += ["Enrichment_std_error", "Enrichment_p", "Coefficient", "Coefficient_std_error", "Coefficient_z-score"]
LDSC += ["h2", "h2_se", "n_snps"]
LINKS = ["peak", "gene", "chrom", "start", "end", "tss", "distance", "correlation", "z", "p_value", "p_value_adj"]
CASES = {
    "GREAT": (enrichment_section, [*REGIONS, *GENES]),
    "gene sets": (enrichment_section, ["group", "ID", "name", "P-value", "Adjusted P-value", "Odds Ratio"]),
    "SNPsea": (tissue_section, SNPSEA),
    "LDSC": (trait_section, LDSC),
    "links": (other_section, [*LINKS, "in_activity"]),
}
TEXT = {"group", "ontology", "ID", "name", "condition", "trait", "Category", "peak", "gene", "chrom"}


@pytest.mark.parametrize("case", CASES)
def test_headers_are_words(case):
    section, columns = CASES[case]
    frame = pd.DataFrame({c: ["a", "b"] if c in TEXT else np.array([0.01, 0.5]) for c in columns})
    (table,) = (block for block in section({"where": frame}).blocks if isinstance(block, Table))
    head = re.search("<thead>(.*?)</thead>", table.html(), flags=re.DOTALL)[1]
    shown = re.findall(r"<button[^>]*>(.*?)</button>", head)
    assert len(shown) == table.frame.shape[1] >= 5
    assert not [text for text in shown if re.search(r"[_.]|Adj|BH", text)], shown
    told = re.findall(r'title="([^"]+)"', head)
    assert len(told) == len(shown)  # each says what it means
    kept = {found[1] for text in told if (found := re.search(r"\(in the file: (.+)\)$", text))}
    assert kept <= {*columns}
    assert len(kept) >= 2

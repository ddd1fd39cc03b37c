# %% [markdown]
# # From specific peaks to functions (GREAT)
#
# **Goal**: find the peaks that are specific to each cell type, and the functions of the genes near them (Fig. 4a of the scCASE
# paper and its GREAT tables), without a network.
#
# **Inputs**: the built-in toy study: 600 cells, 3,000 peaks, five cell types, with specific peaks, genes and gene sets planted.
#
# **Run time**: about half a minute. **Memory**: 1 GB. **Programs**: `bedtools`.

# %%
import matplotlib.pyplot as plt

import sccase_kit as sk

study = sk.datasets.toy_study()
adata = study.adata
sk.tl.enhance(adata, batch_key="batch")
study

# %% [markdown]
# ## The embedding, one component at a time
#
# Each row is a component, each column a cell; cells are ordered by type. A type is recognisable by the components that its cells
# use and the others do not.

# %%
sk.pl.embedding_heatmap(adata, "cell_type")
plt.show()

# %% [markdown]
# ## Specific peaks
#
# In the paper, a type's peaks are those with the largest projection coefficients of the component that is most specific to its cells. The
# table of components says how specific the chosen one is: the probability that a cell of the type exceeds another cell.

# %%
sk.tl.specific_peaks(adata, "cell_type", n_top=150, ranking="coefficient")
by_coefficient = adata.uns["specific_peaks"]["peaks"].copy()
adata.uns["specific_peaks"]["components"]

# %% [markdown]
# A component may also hold peaks that other types have too: those open everywhere, or shared by sister types. The default ranks by a score:
# by how many standard deviations more cells of the type are open than their depth explains, times the log2 fold change of the
# enhanced profile over the other cells. The truth is known here, so the two can be compared: the share of the planted peaks of each
# type among its first 150.

# %%
sk.tl.specific_peaks(adata, "cell_type", n_top=150)
peaks = adata.uns["specific_peaks"]["peaks"]


def precision(table):
    """Share of planted peaks by type."""
    planted = adata.var.loc[table["peak"], "specific_to"].to_numpy() == table["group"]
    return planted.groupby(table["group"]).mean().round(2)


comparison = precision(by_coefficient).to_frame("coefficient").assign(score=precision(peaks))
comparison

# %% tags=["hide-cell"]
assert (comparison["score"] > comparison["coefficient"]).all()
assert comparison["score"].mean() > 0.75

# %% [markdown]
# Raw and enhanced counts of these peaks: the blocks on the diagonal are there in both, but only the enhanced data show them cell by
# cell.

# %%
sk.pl.peak_heatmap(adata, peaks.groupby("group", sort=False).head(40), "cell_type")
plt.show()

# %% [markdown]
# ## Background peaks
#
# Background peaks have average coefficients. With `groupby` they are also asked to vary little between the types, so that no
# type's own peaks are among them.

# %%
sk.tl.background_peaks(adata, n_top=150, groupby="cell_type")
background = adata.uns["background_peaks"]["peaks"]
adata.var.loc[background["peak"], "program"].value_counts()

# %% tags=["hide-cell"]
assert (adata.var.loc[background["peak"], "program"] == "background").mean() > 0.8

# %% [markdown]
# ## Do others find the same peaks?
#
# A Wilcoxon test on the raw counts is an independent witness. `overlap` is the number of our peaks among the first of the test,
# `expected` that of random sets.

# %%
sk.tl.compare_specific_peaks(adata, method="wilcoxon")

# %% [markdown]
# ## GREAT
#
# Regulatory domains, a binomial test over the genome, a hypergeometric test over genes: the server's statistics and column names,
# on your machine. Real data take `gene_sets="GO:BP"` or a GMT file and the genome's own genes; the toy study brings its own.

# %%
groups = peaks.assign(group=peaks["group"].astype(str))
table = sk.tl.great(groups, "hg38", study.gene_sets, tss=study.genes)
table.groupby("group").head(2)[
    ["group", "name", "Binom_Observed_Region_Hits", "Binom_Fold_Enrichment", "Binom_Adjp_BH", "Genes"]
]

# %%
sk.pl.great_dot(table)
plt.show()

# %% tags=["hide-cell"]
best = table.sort_values("Binom_Raw_PValue").groupby("group").head(1).set_index("group")["ID"]
for name, truth in study.planted.items():
    assert best[name] == truth["term"], (name, best[name])

# %% [markdown]
# The same call for the background finds nothing, as it should:

# %%
nothing = sk.tl.great(background, "hg38", study.gene_sets, tss=study.genes)
nothing[["name", "Binom_Fold_Enrichment", "Binom_Adjp_BH"]].head(3)

# %% tags=["hide-cell"]
assert (nothing["Binom_Adjp_BH"] > 0.05).all()

# %% [markdown]
# How far are the peaks from the genes that they are associated with?

# %%
result = sk.tl.great(groups, "hg38", study.gene_sets, tss=study.genes, return_result=True)
sk.pl.great_distances(result)
plt.show()

# %% [markdown]
# ## The web server, and gseapy
#
# `sk.io.write_great` writes BED files that the server accepts, checked against its limits. `sk.tl.enrich_genes` asks the
# simpler question: are the genes nearest to the peaks enriched, compared with the genes near all peaks? (gseapy, offline)

# %%
import tempfile

with tempfile.TemporaryDirectory() as folder:
    files = sk.io.write_great(groups, folder, genome="hg38", groupby="group")
    first = next(iter(files.values())).read_text().splitlines()[:3]
first

# %%
genes = sk.tl.enrich_genes(groups, "hg38", study.gene_sets, tss=study.genes, background=adata)
genes.groupby("group").head(1)[["group", "name", "Overlap", "Odds Ratio", "Adjusted P-value"]]

# %% tags=["hide-cell"]
first_term = genes.groupby("group").head(1).set_index("group")["name"]
for name, truth in study.planted.items():
    assert first_term[name] == truth["term"]

# %% [markdown]
# ## The same on real data
#
# 533 sorted blood progenitors, if the file is there: `SCCASE_KIT_FULL=1`, and `SCCASE_KIT_DATA` the folder with `bm0828.h5ad`. The terms are those of the
# Gene Ontology that come with the package; all peaks of the study are the background.

# %%
import os

if os.environ.get("SCCASE_KIT_FULL") == "1" and sk.datasets.available().loc["bm0828", "on_disk"]:
    blood = sk.datasets.load("bm0828")
    sk.pp.filter_peaks(blood, min_fraction=0.01)
    sk.tl.enhance(blood)
    sk.tl.specific_peaks(blood, "cell_type", n_top=1000)
    sk.tl.great(blood, "hg19", "GO:BP", background=blood)
    sk.pl.great_dot(blood, n_top=3)
    plt.show()
else:
    print("skipped: set SCCASE_KIT_FULL=1, and SCCASE_KIT_DATA to the folder with bm0828.h5ad")

# %% [markdown]
# ## Where to go next
#
# * `05_snpsea_and_ldsc`: tissues and traits of the same peaks.
# * `06_motifs`: the motifs in them.
# * `sk.tl.interpret` does all of this in one call and leaves a folder.

# %%
from session_info2 import session_info

session_info(dependencies=False)

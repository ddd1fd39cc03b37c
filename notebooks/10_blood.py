# %% [markdown]
# # From counts to biology: human blood progenitors
#
# **Goal**: the road of the scCASE paper on real data: enhance 533 cells of human hematopoiesis (Buenrostro et al. 2018), choose nothing by
# hand, and see what the peaks of each cell type say.
#
# **Inputs**: `bm0828.h5ad` (hg19; donor BM0828 of GSE96772, with labels), if it is in the folder that `SCCASE_KIT_DATA` names, or in
# the cache of `sk.datasets`. Without it the notebook runs on the toy study, and says so.
#
# **Run time**: two to three minutes. **Memory**: 2 GB.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

import sccase_kit as sk

path = Path(os.environ.get("SCCASE_KIT_DATA", ".")) / "bm0828.h5ad"
real = path.is_file()
study = None if real else sk.datasets.toy_study()
adata = sk.read(path) if real else study.adata
genome = "hg19" if real else "hg38"
print("BM0828" if real else "bm0828.h5ad was not found: this is the toy study", adata.shape)
sk.pp.filter_peaks(adata, min_fraction=0.01)
adata.obs["cell_type"].value_counts()

# %% [markdown]
# ## Enhance and look
#
# Progenitors form a continuum: borders between HSC, MPP and LMPP are soft, and the raw data hardly show them.

# %%
sk.tl.enhance(adata, batch_key=None if real else "batch")  # the toy study has two batches
sk.pl.raw_against_enhanced(adata, "cell_type")
plt.show()

# %%
n_types = adata.obs["cell_type"].nunique()
sk.tl.cluster(adata, n_clusters=n_types)
print(sk.metrics.evaluate(adata, "cell_type"))
pd.crosstab(adata.obs["cell_type"], adata.obs["louvain"])

# %% tags=["hide-cell"]
assert sk.metrics.evaluate(adata, "cell_type")["ari"] > 0.4

# %% [markdown]
# ## Which types are alike?
#
# The similarity of cells that the model has learned, cells ordered by type.

# %%
sk.pl.similarity_heatmap(adata, "cell_type")
plt.show()

# %% [markdown]
# ## Specific peaks and the genes near them
#
# The 500 most specific peaks of each type, and the genes whose start is nearest to the first of them.

# %%
n_top = 500 if real else 150
sk.tl.specific_peaks(adata, "cell_type", n_top=n_top, genome="hg19" if real else study.genes)
sk.tl.background_peaks(adata, n_top=n_top, groupby="cell_type")
peaks = adata.uns["specific_peaks"]["peaks"]
sk.pl.peak_heatmap(adata, peaks.groupby("group", sort=False).head(60), "cell_type")
plt.show()

# %%
tss = sk.regions.tss_table("hg19") if real else study.genes
first = peaks.groupby("group", sort=False).head(12)
genes = sk.regions.closest_genes(first, tss, max_distance=100_000)
groups = first.loc[genes["region"], "group"].astype(str).to_numpy()
pd.set_option("display.max_colwidth", None)
genes.groupby(groups)["symbol"].agg(lambda names: ", ".join(dict.fromkeys(names))).to_frame(
    "genes near the first peaks"
)

# %% [markdown]
# ## Functions
#
# GREAT needs gene sets: human Gene Ontology comes with the package, a GMT file does as well. The toy study brings its own terms.

#
# The paper gives GREAT the peaks with the largest coefficients of a type's component (100 of them for its monocytes), and tests them against
# the genome. For these progenitors a hundred peaks are few: hardly a term passes, and hardly one is about blood.

# %%
gene_sets = "GO:BP" if real else study.gene_sets
places = {"gene_sets": gene_sets, "tss": None if real else study.genes}
sk.tl.specific_peaks(adata, "cell_type", n_top=100, ranking="coefficient", key_added="as_in_the_paper")
as_in_the_paper = sk.tl.great(adata.uns["as_in_the_paper"]["peaks"], genome, **places)


def first_terms(table, test="Binom", n=3):
    """First terms of every type, with the false discovery rate."""
    best = table.sort_values(["group", f"{test}_Raw_PValue"]).groupby("group", observed=True).head(n)
    shown = best["name"] + " (" + best[f"{test}_Adjp_BH"].map("{:.2g}".format) + ")"
    return shown.groupby(best["group"].astype(str)).agg("; ".join).to_frame("first terms")


first_terms(as_in_the_paper)

# %% [markdown]
# The recipe that works: 1,000 peaks of each type by the score, and `background=adata`. Open chromatin of blood lies near genes of blood,
# whatever the type; with a background a term counts only if the peaks of the type are near its genes more often than all peaks of the data are
# (a hypergeometric test over peaks). Few terms pass, and those that do belong to the type: heme for the
# megakaryocyte-erythroid progenitors (MEP), lymphocytes for CLP. CMP, a mixture of its neighbours, has none.

# %%
sk.tl.specific_peaks(adata, "cell_type", n_top=1000 if real else 150, key_added="many_peaks")
table = sk.tl.great(adata.uns["many_peaks"]["peaks"], genome, background=adata, **places)
first_terms(table, "Hyper")

# %% tags=["hide-cell"]
if real:
    mep = table[table["group"] == "MEP"].sort_values("Hyper_Raw_PValue").head(10)
    assert mep["name"].str.contains("heme|porphyrin").sum() >= 2
else:
    best = table.sort_values("Hyper_Raw_PValue").groupby("group").head(1).set_index("group")["ID"]
    assert all(best[name] == truth["term"] for name, truth in study.planted.items())

# %% [markdown]
# Which peaks near which genes carry a term is in the column `Genes`: read it before the term.

# %%
chosen = table.sort_values("Hyper_Raw_PValue").groupby("group", observed=True).head(1)
chosen["Genes"] = chosen["Genes"].str.slice(0, 60)
chosen[["group", "name", "Hyper_Fold_Enrichment", "Hyper_Adjp_BH", "Genes"]]

# %%
sk.pl.great_dot(table, n_top=4)
plt.show()

# %% [markdown]
# Do other methods find the same peaks? `detail="peaks"` has the peaks of both, with the rank in each.

# %%
both = sk.tl.compare_specific_peaks(adata, key="many_peaks", detail="peaks")
both.groupby("group", sort=False)[["specific", "test"]].apply(lambda part: (part["specific"] & part["test"]).sum())

# %% [markdown]
# ## In which cells do variants of traits act?
#
# Fine-mapped variants of blood counts (UK Biobank, posterior probability in the fifth column of a BED file) lie in open chromatin of the cells in
# which they act. A cell has few reads near them, so the cells with most become seeds of a random walk over the neighbour graph; a score of
# 1 is what random seeds give. The files are looked for in the folder `gwas` next to the data; the toy study has planted variants of its own.

# %%
files = sorted((path.parent / "gwas").glob("*.bed.gz")) if real else []
if files:
    variants = {file.name.split("_COUNT")[0]: file for file in files}
elif not real:
    spots = study.snps[["chrom", "pos", "snp"]].assign(pip=0.5)
    truths = study.planted.values()
    variants = {truth["trait"]: spots[spots["snp"].isin(truth["snps"])] for truth in truths}
else:
    variants = {}
    print("no fine-mapped variants were found: this part is left out")
if variants:
    sk.tl.trait_scores(adata, variants, "cell_type", bias=None, n_permutations=999)
    sk.pl.trait_groups(adata)
    plt.show()

# %% tags=["hide-cell"]
if variants:
    first = adata.uns["traits"]["groups"].sort_values("score", ascending=False).drop_duplicates("trait")
    first = first.set_index("trait")["group"]
    if real:
        assert first["LYMPH"] == "CLP"
        assert first["RBC"] == "MEP"
        assert first["MONO"] in {"LMPP", "GMP"}
    else:
        assert first.to_dict() == {truth["trait"]: name for name, truth in study.planted.items()}

# %% [markdown]
# Lymphocyte counts lead to CLP, red cells to MEP, monocytes to LMPP and GMP, eosinophils to GMP; platelets to MEP, CMP and MPP alike. Look at the
# number of peaks with a variant (`adata.uns["traits"]["traits"]`) before a p-value: with few, the seeds are a handful of cells.

# %% [markdown]
# ## All of it, kept
#
# One page with figures, tables that sort and filter, parameters and versions:

# %%
import tempfile

with tempfile.TemporaryDirectory() as folder:
    page = sk.report.write_report(adata, Path(folder) / "report.html", "cell_type")
    print(f"{page.stat().st_size / 1e6:.1f} MB")

# %% [markdown]
# ## Where to go next
#
# * `05_snpsea_and_ldsc` and `sk.tl.interpret`: tissues, and heritability of traits, in these peaks.
# * `06_motifs`: the transcription factors behind them.

# %%
from session_info2 import session_info

session_info(dependencies=False)

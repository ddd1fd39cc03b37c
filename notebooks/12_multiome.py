# %% [markdown]
# # Multiome: which peaks go with which genes
#
# **Goal**: take accessibility and expression of the same cells (10x Multiome, as MuData), enhance the accessibility, and link peaks to
# the genes they may regulate.
#
# **Inputs**: the `.h5mu` of a 10x Multiome with the modalities `atac` and `rna` (hg38), if `SCCASE_KIT_MULTIOME` names one. Without it the
# notebook runs on a simulated multiome with planted links, and says so.
#
# **Run time**: half a minute. **Memory**: 1 GB.

# %%
import os

import matplotlib.pyplot as plt
import mudata
import numpy as np
import pandas as pd

import sccase_kit as sk

if hasattr(mudata, "set_options"):
    mudata.set_options(pull_on_update=False)  # the default from mudata 0.4 on
path = os.environ.get("SCCASE_KIT_MULTIOME")
toy = None if path else sk.datasets.toy_multiome()
if path:
    mdata = mudata.read_h5mu(path)
else:
    print("SCCASE_KIT_MULTIOME is not set: this is a simulated multiome")
    mdata = mudata.MuData({"rna": toy.rna, "atac": toy.atac})
genes = "hg38" if path else toy.genes
mdata

# %% [markdown]
# ## One set of cells
#
# Links need both modalities of every cell, in the same order.

# %%
shared = [cell for cell in mdata["atac"].obs_names if cell in set(mdata["rna"].obs_names)]
atac, rna = mdata["atac"][shared].copy(), mdata["rna"][shared].copy()
sk.pp.filter_peaks(atac, min_fraction=0.01)
atac.shape, rna.shape

# %% [markdown]
# ## Enhance the accessibility
#
# The groups come from the accessibility alone, so expression can confirm them.

# %%
sk.tl.enhance(atac, batch_key=None if path else "batch")
sk.tl.cluster(atac, n_clusters=5)
groupby = "cell_type" if "cell_type" in atac.obs else "louvain"
sk.pl.raw_against_enhanced(atac, groupby)
plt.show()

# %% [markdown]
# ## Link peaks to genes
#
# All peaks within 500 kb of a gene's start are candidates. Peaks and genes of one cell type correlate wherever they lie, so each pair
# is compared with peaks of like accessibility and GC content on other chromosomes, as Signac does. Counts are used, not enhanced
# values: those share information between cells, and their p-values would mean nothing.

# %%
bias = "gc" if "gc" in atac.var else None  # sk.tl.add_gc_content(atac, "hg38.fa") computes it
sk.tl.peak_gene_links(atac, rna, genes, bias=bias)
links = atac.uns["peak_gene_links"]["links"]
print(f"{len(links)} pairs, {int((links['p_value_adj'] < 0.05).sum())} with FDR < 0.05")
links.head()

# %% [markdown]
# ## Were the planted links found?
#
# Only the simulation knows. A decoy is a peak near the gene that is open in the same cell type and does not drive it: over cell types
# nothing tells the two apart, over single cells something does.

# %%
if toy is not None:
    truth = {*zip(toy.links["peak"], toy.links["gene"], strict=True)}
    links["planted"] = [pair in truth for pair in zip(links["peak"], links["gene"], strict=True)]
    found = links["p_value_adj"] < 0.05
    print(pd.crosstab(links["planted"], found.rename("FDR < 0.05")))

# %% tags=["hide-cell"]
if toy is not None:
    assert links["planted"][:100].mean() > 0.75
    assert (links["planted"] & found).sum() > 0.6 * links["planted"].sum()
    far = links[links["distance"].abs() > 120_000]
    assert (far["p_value"] < 0.05).mean() < 0.08

# %% [markdown]
# ## One gene
#
# The gene with the most links: arcs as high as the correlation, grey where nothing tells it from the background.

# %%
gene = links.loc[links["p_value_adj"] < 0.05, "gene"].astype(str).value_counts().index[0]
sk.pl.peak_gene_links(atac, gene, genes=genes)
plt.show()

# %% [markdown]
# ## Expression by cell type beside its best peak

# %%
best = links[links["gene"] == gene].iloc[0]
is_open = np.asarray(atac[:, best["peak"]].X.todense()).ravel() > 0
counts = np.asarray(rna[:, gene].X.todense()).ravel()
depth = np.asarray(rna.X.sum(axis=1)).ravel()
table = pd.DataFrame({"type": atac.obs[groupby].to_numpy(), "peak": np.where(is_open, "open", "closed")})
table["expression per 10,000"] = 1e4 * counts / depth
table.pivot_table(index="type", columns="peak", values="expression per 10,000", observed=True).round(2)

# %% [markdown]
# ## Without expression
#
# The same with gene activity in place of expression asks which distal peaks are open together with a promoter. An activity is a sum
# over peaks, so the column `in_activity` tells which pairs are partly a peak with itself.

# %%
near = genes if path else genes[genes["specific_to"] != ""]
sk.tl.gene_activity(atac, near, weights="promoter" if path else "exponential", source="counts")
sk.tl.peak_gene_links(atac, "gene_activity", bias=bias, key_added="with_activity")
activity = atac.uns["with_activity"]["links"]
activity.groupby("in_activity")[["correlation", "z"]].median()

# %% tags=["hide-cell"]
median = activity.groupby("in_activity")["correlation"].median()
assert median[True] > median[False]

# %% [markdown]
# ## Keep it
#
# Embeddings and clusters go back into the MuData; the links stay in `uns` of the accessibility.

# %%
joint = mudata.MuData({"rna": rna, "atac": atac})
joint

# %% [markdown]
# ## Real data without expression
#
# 533 sorted blood progenitors, if the file is there: `SCCASE_KIT_FULL=1`, and `SCCASE_KIT_DATA` the folder with `bm0828.h5ad`. The activity of a gene is its promoter, so links
# are distal peaks that open with it.

# %%
if os.environ.get("SCCASE_KIT_FULL") == "1" and sk.datasets.available().loc["bm0828", "on_disk"]:
    blood = sk.datasets.load("bm0828")
    sk.pp.filter_peaks(blood, min_fraction=0.01)
    sk.tl.gene_activity(blood, "hg19", weights="promoter", source="counts")
    sk.tl.peak_gene_links(blood, "gene_activity", bias=None)
    distal = blood.uns["peak_gene_links"]["links"].query("not in_activity")
    print(f"{len(distal)} pairs, {int((distal['p_value_adj'] < 0.05).sum())} with FDR < 0.05")
    near = pd.cut(distal["distance"].abs() / 1000, [0, 10, 50, 100, 250, 500])
    print(distal["z"].groupby(near, observed=True).mean().rename("mean z by distance, kb").round(3))
    sk.pl.peak_gene_links(blood, "CEBPA", genes="hg19", flank=150_000)
    plt.show()
else:
    print("skipped: set SCCASE_KIT_FULL=1, and SCCASE_KIT_DATA to the folder with bm0828.h5ad")

# %% [markdown]
# ## Where to go next
#
# * `docs/multiome.md`: what z and the p-values mean, over cells or pools, and what was measured.
# * `06_motifs`: the factors that bind in linked peaks.

# %%
from session_info2 import session_info

session_info(dependencies=False)

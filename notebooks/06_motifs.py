# %% [markdown]
# # Motifs: scABC and chromVAR, natively
#
# **Goal**: find cluster-specific peaks with scABC, the motifs in the peaks, and how their accessibility deviates from cell to cell
# with chromVAR (Fig. 4d of the scCASE paper), with the numbers of the R packages and without R.
#
# **Inputs**: the built-in toy study: five cell types, peaks with sequences, one motif planted per type and ten decoys.
#
# **Run time**: about half a minute. **Memory**: 1 GB.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import sccase_kit as sk

study = sk.datasets.toy_study()
adata = study.adata
sk.tl.enhance(adata, batch_key="batch")
list(study.motifs)[:7]

# %% [markdown]
# ## Cluster-specific peaks by scABC
#
# scABC fits a Poisson regression of each peak's counts on the clusters, with an empirical prior, and tests every cluster against the
# others. Only the sums by cluster are needed, so 100,000 peaks take seconds.

# %%
sk.tl.scabc(adata, "cell_type", n_top=150)
adata.uns["scabc"]["top"].groupby("group").head(2)

# %% tags=["hide-cell"]
top = adata.uns["scabc"]["top"]
planted = adata.var.loc[top["peak"], "specific_to"].to_numpy() == top["group"].astype(str)
assert planted.groupby(top["group"].astype(str)).mean().min() > 0.5

# %% [markdown]
# ## Motifs in the peaks
#
# Motifs come from JASPAR (`"JASPAR2024"`), a MEME, JASPAR or TRANSFAC file, or a dict of counts; sequences from the FASTA file of the
# genome, or given as here. Matches are those of motifmatchr, but for two corrected errors (`compat=True` leaves them in).

# %%
sk.tl.match_motifs(adata, study.motifs, sequences=study.sequences)
hits = np.asarray(adata.varm["motifs"].sum(axis=0)).ravel()
pd.Series(hits, index=adata.uns["motifs"]["names"], name="peaks").head(8)

# %% [markdown]
# A logo shows the motif, its height the information in bits:

# %%
sk.pl.motif_logo("TF_1", adata)
plt.show()

# %% [markdown]
# ## chromVAR on the counts
#
# For every motif and cell: are the peaks with the motif more open than expected from the cell's depth, beyond what peaks of the same
# GC content and mean accessibility are? `obsm["chromvar_deviations"]` and `obsm["chromvar_z"]` hold the answer.

# %%
sk.tl.chromvar(adata)
sk.get.variability(adata).head(7)

# %%
sk.pl.variability_rank(adata)
plt.show()

# %% tags=["hide-cell"]
first = set(sk.get.variability(adata).index[:5])
assert first == {f"TF_{i}" for i in range(1, 6)}, first

# %% [markdown]
# Which motifs belong to which type?

# %%
table = sk.tl.differential_deviations(adata, "cell_type")
table.sort_values("p_value").groupby("group").head(1)

# %% tags=["hide-cell"]
for name, truth in study.planted.items():
    own = table[table["group"] == name]
    assert own.loc[own["difference"].idxmax(), "set"] == truth["motif"]

# %%
sk.pl.differential_volcano(table, "type_1")
plt.show()

# %% [markdown]
# ## chromVAR on the enhanced signal
#
# The paper draws its heatmap from enhanced data. `source="enhanced"` computes the deviations from the thin factors; the enhanced matrix
# itself is never formed. Cells of a type now agree. But cells have lent each other their reads, so p-values mislead here: use this for
# maps and heatmaps, and the counts for tests.

# %%
sk.tl.chromvar(adata, source="enhanced", key_added="enhanced")
sk.pl.motif_heatmap(adata, "cell_type", key="enhanced")
plt.show()

# %% [markdown]
# The cells on the map, of the counts and of the enhanced signal, coloured by type:

# %%
sk.pl.raw_against_enhanced(adata, "cell_type")
plt.show()

# %% [markdown]
# The motif that was planted in the peaks of type_1 on the map of the enhanced signal, coloured by its deviation in each cell, from
# the counts and from the enhanced signal:

# %%
fig, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
sk.pl.deviation_map(adata, "TF_1", basis="X_umap_sccase", ax=axes[0])
sk.pl.deviation_map(adata, "TF_1", key="enhanced", basis="X_umap_sccase", ax=axes[1])
axes[0].set_title("TF_1, counts")
axes[1].set_title("TF_1, enhanced")
plt.show()

# %% [markdown]
# ## Do motifs act together?
#
# Synergy asks whether peaks with both motifs vary more than those with one; correlation whether they vary in the same cells.

# %%
sk.tl.motif_correlation(adata).head()

# %% [markdown]
# ## Which member of the family?
#
# GATA1 to GATA6 share a motif, so their deviations say the same. The gene tells: the activity of the factor that is there follows the motif
# over pools of like cells. Here the motif of type_1 goes under two names: of a gene next to peaks of type_1, and of one next to peaks of type_2.

# %%
by_type = study.genes.groupby("specific_to")["symbol"].first()
two = {by_type["type_1"]: study.motifs["TF_1"], by_type["type_2"]: study.motifs["TF_1"]}
sk.tl.match_motifs(adata, two, sequences=study.sequences, key_added="family")
sk.tl.chromvar(adata, "family", method="analytic", key_added="family_deviations")
sk.tl.gene_activity(adata, study.genes)
members = sk.tl.motif_genes(adata, key="family_deviations", motifs_key="family")
members

# %% tags=["hide-cell"]
assert members.loc[0, "gene"] == by_type["type_1"]
assert members.loc[0, "correlation"] > 0.5
assert members["family"].nunique() == 1
assert members["rank_in_family"].tolist() == [1, 2]

# %% [markdown]
# ## Motifs in real sequences
#
# 5,003 peaks of the factor TAL1 (ChIP-seq, hg19) and the 879 motifs of JASPAR 2024, if the files are there: `SCCASE_KIT_FULL=1`, and `SCCASE_KIT_DATA` their folder.
# Which motifs are in more peaks than in the same peaks with their bases shuffled? TAL1 binds with GATA factors.

# %%
import os

there = sk.datasets.available()["on_disk"]
if os.environ.get("SCCASE_KIT_FULL") == "1" and there[["jaspar2024", "mt1_tal1_peaks"]].all():
    import gzip

    (meme,), (fasta,) = (sk.datasets.fetch(name).values() for name in ("jaspar2024", "mt1_tal1_peaks"))
    motifs = sk.motifs.read_motifs(meme)
    with gzip.open(fasta, "rt") as lines:
        peaks = ["".join(part.splitlines()[1:]) for part in lines.read().split(">")[1:]]
    rng = np.random.default_rng(0)
    shuffled = ["".join(rng.permutation(list(peak))) for peak in peaks]
    share = {}
    for name, sequences in (("peaks", peaks), ("shuffled", shuffled)):
        hits = sk.motifs.match(sk.motifs.encode_sequences(sequences), motifs).matches
        share[name] = np.asarray(hits.mean(axis=0)).ravel()
    table = pd.DataFrame(share, index=[motif.name for motif in motifs])
    table["ratio"] = table["peaks"] / table["shuffled"].clip(lower=1e-3)
    print(table.sort_values("ratio", ascending=False).head(10).round(3))
else:
    print(
        "skipped: set SCCASE_KIT_FULL=1, and SCCASE_KIT_DATA to the folder with the motifs of JASPAR and the peaks of TAL1"
    )

# %% [markdown]
# ## Where to go next
#
# * `07_motifs_in_r`: the same through the R packages, in `%%R` cells.
# * `docs/motifs.md`: sources of motifs, other annotations (peak sets, k-mers, fine-mapped variants), files, speed.
# * `04_peaks_to_great`: what else the peaks mean. `10_blood`: the cells in which variants of traits act.

# %%
from session_info2 import session_info

session_info(dependencies=False)

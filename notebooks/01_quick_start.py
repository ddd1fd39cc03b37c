# %% [markdown]
# # Quick start: enhance, embed, cluster, look
#
# **Goal**: take a cells × peaks count matrix, enhance it, and see what that changes: maps, clusters, peaks (Figs 2-3 of the scCASE
# paper).
#
# **Inputs**: the built-in toy study: 600 cells, 3,000 peaks, five cell types, two batches; the truth is known. Your own data:
# `sk.read("counts.h5ad")`, or a 10x .h5 file, 10x mtx folder, .zarr or text file. With `SCCASE_KIT_FULL=1` the last section repeats the
# steps on 2,015 bone marrow cells.
#
# **Run time**: about half a minute. **Memory**: 1 GB.

# %%
import os
import warnings
from pathlib import Path

import anndata as ad
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import sccase_kit as sk

study = sk.datasets.toy_study()
adata = study.adata
adata

# %% [markdown]
# Counts stay sparse and integer; peaks have coordinates. Most of the matrix is empty: that is what enhancing is for.

# %%
print(f"{adata.X.nnz / (adata.n_obs * adata.n_vars):.1%} of the entries are not zero")
adata.var[["chrom", "start", "end"]].head(3)

# %% [markdown]
# ## Filter and enhance
#
# Peaks that are open in fewer than 1 % of the cells say little. `sk.tl.enhance` needs no number of cell types: the default method
# averages over several numbers of components. There are two batches in this study, so their key is given.

# %%
sk.pp.filter_peaks(adata, min_fraction=0.01)
sk.tl.enhance(adata, batch_key="batch")
pd.Series(adata.uns["sccase"]["timing"], name="seconds").round(2)

# %% [markdown]
# The enhanced matrix is kept as two thin factors. Any block of it can be read, and the whole be written to disk without ever being in
# memory (`sk.io.write_enhanced`).

# %%
sk.get.enhanced(adata, obs_names=adata.obs_names[:3], var_names=adata.var_names[:5]).round(3)

# %% [markdown]
# ## Clusters
#
# Louvain, with a search for the resolution that gives five clusters, as in the paper.

# %%
sk.tl.cluster(adata, n_clusters=5)
pd.crosstab(adata.obs["cell_type"], adata.obs["louvain"])

# %% tags=["hide-cell"]
from sklearn.metrics import adjusted_rand_score

assert adjusted_rand_score(adata.obs["cell_type"], adata.obs["louvain"]) > 0.85

# %% [markdown]
# ## Maps of the cells
#
# To the left the raw TF-IDF, to the right the enhanced data, both from 50 principal components. Types come apart; the rows show the
# type, the batch and the depth. A good enhancement separates the first and mixes the second.

# %%
sk.pl.raw_against_enhanced(adata, ["cell_type", "batch", "depth"], log10=True)
plt.show()

# %% [markdown]
# ## The peaks themselves
#
# Specific peaks of each type, cells ordered by type. In the raw counts a peak that is open in a type is seen in few of its cells; in
# the enhanced data in nearly all of them, and in few others. Look for blocks on the diagonal, and for rows that leave it: a few planted
# peaks are too sparse to be told apart.

# %%
planted = adata.var[adata.var["specific_to"] != ""]
chosen = planted.groupby("specific_to").head(30).sort_values("specific_to")
sk.pl.peak_heatmap(adata, list(chosen.index), "cell_type")
plt.show()

# %% tags=["hide-cell"]
types = adata.obs["cell_type"].cat.categories
block = sk.get.enhanced(adata, var_names=planted.index)
by_type = np.stack([block[(adata.obs["cell_type"] == t).to_numpy()].mean(axis=0) for t in types])
highest_in_its_own = types[by_type.argmax(axis=0)] == planted["specific_to"].to_numpy()
assert highest_in_its_own.mean() > 0.9

# %% [markdown]
# Without the planted truth, `sk.tl.specific_peaks` finds such peaks: those that are more open in one type than in the other cells, both in
# the counts (at equal depth) and in the enhanced profiles. How many of the first 100 of each type were planted for it?

# %%
sk.tl.specific_peaks(adata, "cell_type", n_top=100)
found = adata.uns["specific_peaks"]["peaks"]
hit = adata.var.loc[found["peak"], "specific_to"].to_numpy() == found["group"].to_numpy()
precision = pd.Series(hit).groupby(found["group"].to_numpy()).mean()
precision

# %% tags=["hide-cell"]
assert precision.min() > 0.6

# %% [markdown]
# ## What the model has learned
#
# Each row is a component; a component that is used by one type alone leads to the peaks of that type.

# %%
sk.pl.embedding_heatmap(adata, "cell_type")
plt.show()

# %% tags=["hide-cell"]
activation = pd.DataFrame(adata.obsm["X_sccase"]).groupby(adata.obs["cell_type"].to_numpy()).mean()
share = activation / activation.sum()
assert share.idxmax(axis=1).is_unique, "every type has a component of its own"
assert (share.max(axis=1) > 0.7).all()

# %% [markdown]
# ## In numbers
#
# Agreement of clusters with the types (ARI, AMI, FMI) and silhouette; and, because the truth before any loss is known here
# (`layers["truth"]`), the recovery of open peaks: area under the precision-recall curve for each cell over the peaks and for each
# peak over the cells. Any enhanced matrix can be compared this way, also one that another program wrote to an .h5ad.

# %%
raw = ad.AnnData(sk.metrics.raw_tfidf(adata), obs=adata.obs, var=adata.var, layers={"truth": adata.layers["truth"]})
smooth = ad.AnnData(
    sk.metrics.knn_smoothing(adata), obs=adata.obs, var=adata.var, layers={"truth": adata.layers["truth"]}
)
table = sk.metrics.compare(
    {"raw TF-IDF": raw, "kNN smoothing": smooth, "enhanced": adata}, "cell_type", truth="truth", batch_key="batch"
)
table.T.round(3)

# %% [markdown]
# The same as bars. `batch_asw` and `kbet` say how well the batches are mixed. Read `batch_asw` together with the silhouette: in the raw
# data it is high although the map shows two batches, because hardly any cell is close to another.

# %%
sk.pl.score_bars(table, ["ari", "silhouette", "kbet", "batch_asw"])
plt.show()

# %% [markdown]
# And the accuracy cell by cell: one value for each cell, from the peaks that are truly open in it. Stars mark methods that differ from
# the raw data over the same cells (Wilcoxon signed-rank test).

# %%
accuracy = {
    "raw TF-IDF": sk.metrics.accuracy(raw, "truth", key=None),
    "kNN smoothing": sk.metrics.accuracy(smooth, "truth", key=None),
    "enhanced": sk.metrics.accuracy(adata, "truth"),
}
sk.pl.accuracy_boxplot(accuracy, "auprc", reference="raw TF-IDF")
plt.show()

# %% tags=["hide-cell"]
for score in ("ari", "silhouette", "cell_auprc", "peak_auprc"):
    assert table.loc["enhanced", score] > table.loc["raw TF-IDF", score], score
assert (accuracy["enhanced"]["auprc"] > accuracy["raw TF-IDF"]["auprc"]).mean() > 0.9

# %% [markdown]
# ## Does enhancing help on your data?
#
# There the truth is not known. But a share of the fragments can be hidden, the others enhanced, and the hidden ones looked for: no labels are
# needed. On blood cells (BM0828, a sixth of its peaks) where the file is at hand, else on the toy study. `gain` is in nats per hidden fragment
# over what the mean of all cells says; a slope of 1 says that differences between cells have the right size. The page
# (`sk.report.write_report`) shows what `key_added` keeps.

# %%
files = [Path(up) / "shared" / "data" / "bm0828.h5ad" for up in ("..", "../..")]
real = next((sk.read(file)[:, ::6].copy() for file in files if file.exists()), adata.copy())
sk.pp.filter_peaks(real, min_fraction=0.02)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # a few peaks are too rare to be judged
    judged = sk.metrics.held_out(real, {"default": sk.tl.enhance}, n_splits=2, key_added="held_out")
print(sk.metrics.held_out_verdict(judged)[0])
sk.pl.held_out(judged)
plt.show()

# %% tags=["hide-cell"]
assert judged.table.loc["default", "gain"] > 4 * judged.table.loc["default", "se"]
assert 0.7 < judged.table.loc["default", "slope"] < 1.4

# %% [markdown]
# ## The same on real data
#
# 2,015 cells of human bone marrow in two batches (10,000 peaks), if the file is there: `SCCASE_KIT_FULL=1`, and `SCCASE_KIT_DATA` the folder
# with `granja_bmmc_2k.h5ad`. The labels are those of the authors, made from the same data; agreement with them is not the truth.

# %%
if os.environ.get("SCCASE_KIT_FULL") == "1" and sk.datasets.available().loc["granja_bmmc_2k", "on_disk"]:
    marrow = sk.datasets.load("granja_bmmc_2k")
    sk.pp.filter_peaks(marrow, min_fraction=0.01)
    sk.tl.enhance(marrow, batch_key="batch")
    print(sk.metrics.evaluate(marrow, "cell_type").round(3))
    sk.pl.raw_against_enhanced(marrow, ["cell_type", "batch"])
    plt.show()
else:
    print("skipped: set SCCASE_KIT_FULL=1, and SCCASE_KIT_DATA to the folder with granja_bmmc_2k.h5ad")

# %% [markdown]
# ## Where to go next
#
# * `02_reference`: enhance with reference data (scCASER).
# * `03_depth_and_batch`: corrections for depth and batches.
# * `04_peaks_to_great`: what the specific peaks mean.
# * `08_robustness_and_k`: how much depends on the number of components.

# %%
from session_info2 import session_info

session_info(dependencies=False)

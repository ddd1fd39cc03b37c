# %% [markdown]
# # Depth and batches
#
# **Goal**: see how sequencing depth and batches reach into the result, and take them out (Figs 2h-i and 5d-f of the scCASE paper).
#
# **Inputs**: toy studies with cells of very unequal depth, and with two batches whose peaks have different yields. With
# `SCCASE_KIT_FULL=1` also bone marrow cells of two donors.
#
# **Run time**: about half a minute. **Memory**: 1 GB.

# %%
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import sccase_kit as sk

# %% [markdown]
# ## Depth
#
# Cells with more fragments look different from cells with fewer, whatever their type. How much of that is in the principal components?
# The largest |correlation| of the first ten with log depth, in the raw TF-IDF, in scCASE, and with `depth=True`, which weighs
# cells by their depth.

# %%
uneven = sk.datasets.toy_study(depth_sd=1.0, batch_sd=0.0).adata
sk.pp.filter_peaks(uneven, min_fraction=0.01)
depth = np.asarray(uneven.X.sum(axis=1)).ravel()
sk.tl.enhance(uneven, 8, method="sccase", key_added="plain")
sk.tl.enhance(uneven, 8, method="sccase", depth=True, key_added="corrected")

ax = sk.pl.depth_correlation(uneven, ["plain", "corrected"])
plt.show()

# %% [markdown]
# Look at the tallest bar of each colour. In the raw data and in plain scCASE one component is mostly depth; after the correction none is. A
# component with depth in it is harmful only when it is used, and it is: clusters and maps use all of them. Is the cell type still there?

# %%
scores = {
    key: sk.metrics.evaluate(uneven, "cell_type", key=key)[["ari", "silhouette"]] for key in ("plain", "corrected")
}
pd.DataFrame(scores).astype(float).round(3)

# %% tags=["hide-cell"]
raw = sk.metrics.Profiles(sk.metrics.raw_tfidf(uneven)).pca(10)
largest = {"raw": sk.metrics.depth_correlation(raw, depth).abs().max()}
for key in ("plain", "corrected"):
    pcs = sk.metrics.Profiles(uneven.obsm[f"{key}_cell_factors"], uneven.varm[f"{key}_peak_factors"]).pca(10)
    largest[key] = sk.metrics.depth_correlation(pcs, depth).abs().max()
assert largest["corrected"] < 0.5 * min(largest["raw"], largest["plain"])
assert scores["corrected"]["ari"] > scores["plain"]["ari"] - 0.05

# %% [markdown]
# On the map: in the raw data depth runs from the middle to the rim; with the correction deep and shallow cells lie together in each type.

# %%
sk.pl.raw_against_enhanced(uneven, ["cell_type", "depth"], key=["plain", "corrected"], log10=True)
plt.show()

# %% [markdown]
# ## Batches
#
# The second study has two batches whose peaks have different yields. Without a batch key, a method that sharpens whatever differs
# sharpens them too. `batch_key=` aligns the batches and gives each the same share of a cell's similarity. `batch_asw` is 1 where
# batches are mixed, `kbet` the share of cells whose neighbourhood looks like the whole.

# %%
adata = sk.datasets.toy_study(batch_sd=0.5).adata
sk.pp.filter_peaks(adata, min_fraction=0.01)
sk.tl.enhance(adata, key_added="without")
sk.tl.enhance(adata, batch_key="batch", key_added="balanced")
sk.tl.enhance(adata, 8, method="sccase", batch_key="batch", batch_method="published", key_added="published")
rows = {}
for key in ("without", "published", "balanced"):
    rows[key] = sk.metrics.compare({key: adata}, "cell_type", batch_key="batch", key=key).iloc[0]
table = pd.DataFrame(rows).T
table[["ari", "silhouette", *[c for c in table.columns if "bet" in c or "asw" in c]]].astype(float).round(3)

# %% [markdown]
# `published` is the program's reweighting (`batch_method="published"`), which leaves the embedding as it is; `balanced` is the default.
# Look at the upper row: without a key the types split by batch, some into two islands; balanced, the colours mix and the types stay apart.

# %%
sk.pl.raw_against_enhanced(adata, ["batch", "cell_type"], key=["without", "balanced"])
plt.show()

# %% tags=["hide-cell"]
mixing = table["batch_asw"].astype(float)
assert mixing["balanced"] > mixing["without"] + 0.2
assert float(table.loc["balanced", "kbet"]) > float(table.loc["without", "kbet"]) + 0.3
assert float(table.loc["balanced", "ari"]) > 0.9

# %% [markdown]
# ## Everything at once
#
# Reference, depth and batch correction combine freely in one call:

# %%
reference = sk.pp.self_reference(adata)
sk.tl.enhance(adata, reference=reference, depth=True, batch_key="batch", key_added="all")
everything = sk.metrics.compare({"all": adata}, "cell_type", batch_key="batch", key="all")
everything[["ari", "silhouette", "kbet", "batch_asw"]].round(3)

# %% tags=["hide-cell"]
assert everything.loc["all", "ari"] > 0.9
assert everything.loc["all", "kbet"] > 0.5

# %% [markdown]
# ## Real batches
#
# Bone marrow of two donors (Granja et al. 2019), 2,015 cells, if the file is there. Their batches are mild: a correction has less to do here,
# and some of what differs between donors may be biology. Only offsets beyond chance are removed: `kbet`, of the neighbourhoods, and
# `batch_asw`, of whole types, rise a little, and the ARI stays.

# %%
if os.environ.get("SCCASE_KIT_FULL") == "1" and sk.datasets.available().loc["granja_bmmc_2k", "on_disk"]:
    marrow = sk.datasets.load("granja_bmmc_2k")
    sk.pp.filter_peaks(marrow, min_fraction=0.01)
    sk.tl.enhance(marrow, key_added="without")
    sk.tl.enhance(marrow, batch_key="batch", key_added="balanced")
    for key in ("without", "balanced"):
        found = sk.metrics.compare({key: marrow}, "cell_type", batch_key="batch", key=key)
        print(found[["ari", "silhouette", "kbet", "batch_asw"]].round(3))
    sk.pl.raw_against_enhanced(marrow, ["batch", "cell_type"], key=["without", "balanced"])
    plt.show()
else:
    print("skipped: set SCCASE_KIT_FULL=1, and SCCASE_KIT_DATA to the folder with granja_bmmc_2k.h5ad")

# %% [markdown]
# ## Where to go next
#
# * `08_robustness_and_k`: what else can go wrong, and how far the method holds.
# * `docs/method_robust.md`: figures on real batches.

# %%
from session_info2 import session_info

session_info(dependencies=False)

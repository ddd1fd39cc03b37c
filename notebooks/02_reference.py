# %% [markdown]
# # Reference data (scCASER), three ways
#
# **Goal**: use what is known from other experiments: bulk data, another labelled single-cell data set, or the data themselves, to
# enhance sparse data (Fig. 6 of the scCASE paper).
#
# **Inputs**: a sparse toy study, with bulk counts of its types and a second, labelled study of the same peaks simulated for the purpose.
# With `SCCASE_KIT_FULL=1` also 533 blood cells with bulk data of 19 sorted populations.
#
# **Run time**: about half a minute. **Memory**: 1 GB.

# %%
import os

import anndata as ad
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import sccase_kit as sk

study = sk.datasets.toy_study(n_cells=400, capture=0.05)
adata = study.adata
print(f"{adata.X.nnz / np.prod(adata.shape):.1%} of the entries are not zero (2.9% in the ordinary toy study)")

# %% [markdown]
# ## 1. Bulk data
#
# Bulk counts have other scales than cells: each sample its own depth, each peak its own yield. `sk.pp.bulk_reference` scales
# by mapped reads. Peaks may differ from those of the cells: they are matched by name, or else by overlap, and the share that matched
# is reported.

# %%
rng = np.random.default_rng(0)
openness = np.asarray(adata.varm["openness"])  # peaks × types: what the bulk samples measure
yields = rng.gamma(5, 0.2, size=(adata.n_vars, 1))
bulk_counts = pd.DataFrame(
    rng.poisson(200 * openness * yields * rng.uniform(0.3, 3, size=5)),
    index=adata.var_names,
    columns=[f"bulk_{name}" for name in adata.obs["cell_type"].cat.categories],
)
bulk = sk.pp.bulk_reference(bulk_counts)
bulk

# %% [markdown]
# ## 2. Pseudo-bulk of another labelled data set
#
# Sums over the cells of each type of a better study. Its labels need not be those of the target, only informative.

# %%
types = rng.integers(0, 5, 1000)
counts = rng.poisson(0.3 * (rng.random((1000, adata.n_vars)) < openness[:, types].T))
other = ad.AnnData(counts.astype(np.int32), var=adata.var[["chrom", "start", "end"]])
other.obs["label"] = pd.Categorical([f"group {t}" for t in types])
pseudo = sk.pp.pseudobulk(other, "label")
pseudo

# %% [markdown]
# ## 3. Self-reference
#
# Without other data, clusters of the target itself can serve: they share depth among their cells.

# %%
sk.pp.filter_peaks(adata, min_fraction=0.005)
own = sk.pp.self_reference(adata)
own

# %% [markdown]
# ## Compare
#
# `reference=` is all that changes. The groups of the reference are made comparable with each other (quantile normalisation), reduced to
# the peaks where each stands out, and every cell starts with a component of the group it resembles.

# %%
fits = {"without": None, "bulk": bulk, "pseudo-bulk": pseudo, "self": own}
rows = []
for name, reference in fits.items():
    for seed in range(3):
        sk.tl.enhance(adata, reference=reference, rng=seed, key_added=name)
        scores = sk.metrics.evaluate(adata, "cell_type", key=name, rng=seed)
        rows.append({"method": name, "seed": seed, **scores[["ari", "ami", "silhouette"]]})
runs = pd.DataFrame(rows)
table = runs.groupby("method", sort=False)[["ari", "ami", "silhouette"]].mean()
table.round(3)

# %%
sk.pl.score_bars(runs, ["ari", "ami", "silhouette"])
plt.show()

# %% [markdown]
# Bars are means over three seeds, dots the seeds. The two outside references help because they know the types better than these sparse
# cells do. The self-reference adds nothing here: its clusters come from the same cells, and what they cannot tell apart it cannot
# either. With outside data at hand, take those.

# %% tags=["hide-cell"]
assert table.loc["bulk", "ari"] > table.loc["without", "ari"]
assert table.loc["bulk", "silhouette"] > table.loc["without", "silhouette"]
assert table.loc["pseudo-bulk", "ari"] > table.loc["without", "ari"]
assert table.loc["pseudo-bulk", "silhouette"] > table.loc["without", "silhouette"]
assert (table.loc["self"] > table.loc["without"] - 0.05).all(), "a self-reference does no harm"

# %% [markdown]
# The maps: in the raw data nearly nothing is visible; look at how far each type is drawn together, and at types 4 and 5, close relatives
# that stay mixed in all of them.

# %%
sk.pl.raw_against_enhanced(adata, "cell_type", key=["without", "bulk", "pseudo-bulk", "self"])
plt.show()

# %% [markdown]
# ## Which cell resembles which sample?
#
# The components of the reference come first in the embedding, in the order of its groups. Down each column, the cells of its own type
# have the largest mean:

# %%
n_groups = bulk.n_obs
members = pd.DataFrame(adata.obsm["X_bulk"][:, :n_groups], columns=bulk.obs_names, index=adata.obs_names)
members.groupby(adata.obs["cell_type"].to_numpy()).mean().round(3)

# %% tags=["hide-cell"]
mean = members.groupby(adata.obs["cell_type"].to_numpy()).mean().to_numpy()
assert (mean.argmax(axis=0) == np.arange(5)).all()

# %% [markdown]
# A reference that has nothing to do with the target cannot help, and `alpha=` (1 by default, 0 for no influence) says how much to trust
# it. The scCASE model of the paper takes a reference too: `method="sccase"`.
#
# ## Real bulk data
#
# Hematopoietic cells of one donor (Buenrostro et al. 2018) with bulk ATAC-seq of sorted populations, if the files are there. The cells
# are deep compared with those above, so there is less for a reference to add: compare over seeds before you keep one.

# %%
wanted = ["bm0828", "bm0828_bulk"]
if os.environ.get("SCCASE_KIT_FULL") == "1" and sk.datasets.available().loc[wanted, "on_disk"].all():
    blood = sk.datasets.load("bm0828")
    sk.pp.filter_peaks(blood, min_fraction=0.01)
    sorted_cells = pd.read_csv(sk.datasets.fetch("bm0828_bulk")["reference"], sep="\t", index_col=0)
    rows = []
    for name, reference in {"without": None, "bulk": sk.pp.bulk_reference(sorted_cells)}.items():
        for seed in range(3):
            sk.tl.enhance(blood, reference=reference, rng=seed, key_added=name)
            rows.append({"method": name, **sk.metrics.evaluate(blood, "cell_type", key=name, rng=seed)})
    print(pd.DataFrame(rows).groupby("method", sort=False)[["ari", "ami", "silhouette"]].mean().round(3))
    sk.pl.raw_against_enhanced(blood, "cell_type", key=["without", "bulk"])
    plt.show()
else:
    print("skipped: set SCCASE_KIT_FULL=1, and SCCASE_KIT_DATA to the folder with bm0828.h5ad and its bulk reference")

# %% [markdown]
# ## Where to go next
#
# * `03_depth_and_batch`: corrections that combine with a reference in one call.
# * `docs/method_sccase.md`: how the reference acts, and what was measured on real data.

# %%
from session_info2 import session_info

session_info(dependencies=False)

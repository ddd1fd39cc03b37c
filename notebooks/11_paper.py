# %% [markdown]
# # The paper, claim by claim
#
# **Goal**: run the experiments of the scCASE paper on the data at hand, and hold its numbers against ours; then add an experiment.
#
# **Inputs**: `bm0828.h5ad`, if it is in the folder that `SCCASE_KIT_DATA` names; without it the built-in toy study.
#
# **Run time**: two minutes (small subsets; the whole takes about half an hour). **Memory**: 2 GB.

# %%
import os
import tempfile
from pathlib import Path

import pandas as pd

import sccase_kit as sk

folder = Path(tempfile.mkdtemp(prefix="paper_"))
path = Path(os.environ.get("SCCASE_KIT_DATA", ".")) / "bm0828.h5ad"
if not path.is_file():
    path = folder / "toy.h5ad"
    sk.datasets.toy_study(n_cells=200, n_peaks=1000).adata.write_h5ad(path)
print(path.name)

# %% [markdown]
# ## Which experiments there are

# %%
pd.DataFrame(
    [(e.name, e.shows, e.title) for e in sk.paper.list_experiments().values()], columns=["name", "shows", "title"]
)

# %% [markdown]
# ## A quick run of some
#
# Data sets are the file given, those of the manifest on disk, and the simulated set. What is missing is named, with where it comes from.

# %%
chosen = ["clustering", "significance", "depth", "settings", "places"]
found = sk.reproduce(path, out=folder / "page", quick=True, only=chosen, max_cells=150, max_peaks=1000)
found.claims[["says", "paper", "ours", "default", "holds", "state", "data"]]

# %% [markdown]
# `ours` is the paper's model as this package computes it, `default` the default method. The page, with figures, is a file:

# %%
print(found.page, f"{found.page.stat().st_size / 1e6:.1f} MB")
found.missing.head(3)

# %% tags=["hide-cell"]
states = found.claims.set_index("claim")["state"]
assert (found.claims["state"] == "needs no data").sum() == 12
assert states["ari over second best"] != "not run"

# %% [markdown]
# ## Interrupted, it goes on
#
# Every result is kept on its own: the same call again reads them and takes seconds.

# %%
again = sk.reproduce(path, out=folder / "page", quick=True, only=chosen, max_cells=150, max_peaks=1000)
again.claims.equals(found.claims)

# %% tags=["hide-cell"]
assert again.claims.equals(found.claims)

# %% [markdown]
# ## An experiment of your own
#
# It says what it claims, runs on one data set at a time, and finds its numbers in the tables of all.


# %%
def run(study):
    return pd.DataFrame({"open": [study.adata.X.nnz / study.adata.X.shape[0] / study.adata.X.shape[1]]})


def find(tables):
    share = max(table["open"].iloc[0] for table in tables.values())
    return {"sparse": sk.paper.Finding(100 * share, None, share < 0.5, tuple(tables))}


claim = sk.paper.Claim("sparse", "data are sparse: most entries are zero", "Introduction", None, "%")
sk.paper.register(
    sk.paper.Experiment("open", "Open entries", "Table S1", "The share of open entries.", 1, (claim,), run, find)
)
own = sk.reproduce(path, out=folder / "own", quick=True, only=["open"], max_cells=150, max_peaks=1000)
sk.paper.unregister("open")
own.claims[["says", "ours", "unit", "holds", "data"]]

# %% tags=["hide-cell"]
assert own.claims["holds"].tolist() == ["yes"]

# %% [markdown]
# ## Where to go next
#
# * `docs/paper.md`: where every figure and method of the paper is.
# * `08_robustness_and_k`: the robustness experiments, one by one.
# * `10_blood`: the road from counts to biology on real data.

# %%
from session_info2 import session_info

session_info(dependencies=False)

# %% [markdown]
# # More data than memory
#
# **Goal**: enhance a data set that stays on disk, and write the enhanced matrix without ever holding it.
#
# **Inputs**: a simulated study that is written to an .h5ad first; the steps are the same for an atlas.
#
# **Run time**: about a minute. **Memory**: 2 GB, most of it to make the study in the first cell; the dense enhanced matrix alone would take 0.5 GB here, and 40 GB for 100,000 cells ×
# 100,000 peaks.

# %%
import tempfile
import tracemalloc
from pathlib import Path

import anndata as ad
import matplotlib.pyplot as plt

import sccase_kit as sk

folder = Path(tempfile.mkdtemp(prefix="out_of_core_"))
study = sk.datasets.toy_study(n_cells=6000, n_peaks=20_000, capture=0.03, batch_sd=0.0)
study.adata.write_h5ad(folder / "counts.h5ad")
dense = study.adata.n_obs * study.adata.n_vars * 4 / 2**20
print(f"{(folder / 'counts.h5ad').stat().st_size / 2**20:.0f} MiB on disk; dense float32: {dense:.0f} MiB")
del study

# %% [markdown]
# ## Open without loading
#
# `backed=True` leaves the counts in the file. Everything below reads them in blocks of rows, of a size that `sk.settings.block_bytes`
# limits.

# %%
adata = sk.read(folder / "counts.h5ad", backed=True)
print(type(adata.X).__name__, f"{sk.settings.block_bytes / 2**20:.0f} MiB per block")

# %%
tracemalloc.start()
sk.tl.enhance(adata, 8, method="sccase")
peak = tracemalloc.get_traced_memory()[1] / 2**20
tracemalloc.stop()
print(f"largest memory of the arrays during enhance: {peak:.0f} MiB")

# %% [markdown]
# Is it the same as in memory? Here the counts fit, so it can be seen.

# %%
loaded = ad.read_h5ad(folder / "counts.h5ad")
sk.tl.enhance(loaded, 8, method="sccase")
difference = abs(loaded.obsm["X_sccase"] - adata.obsm["X_sccase"]).max() / loaded.obsm["X_sccase"].max()
print(f"largest difference of the embeddings, relative to their largest value: {difference:.1e}")
del loaded

# %% tags=["hide-cell"]
assert peak < dense / 2
assert difference < 1e-3

# %% [markdown]
# ## Write the enhanced matrix, streamed
#
# Blocks are computed, written, and forgotten; the file appears when it is complete. float16 halves it.

# %%
tracemalloc.start()
sk.io.write_enhanced(adata, folder / "enhanced.h5ad", scale="minmax", dtype="float16")
peak = tracemalloc.get_traced_memory()[1] / 2**20
tracemalloc.stop()
print(f"{(folder / 'enhanced.h5ad').stat().st_size / 2**20:.0f} MiB on disk, at most {peak:.0f} MiB in memory")

# %% tags=["hide-cell"]
assert peak < dense

# %% [markdown]
# ## Read what you need
#
# Any block of the enhanced data is a product of the thin factors; the file serves other programs.

# %%
block = sk.get.enhanced(adata, obs_names=slice(0, 4), var_names=slice(0, 6), scale="minmax")
block.round(3)

# %%
stored = ad.read_h5ad(folder / "enhanced.h5ad", backed="r")
print(stored.shape, stored.X.dtype)

# %% tags=["hide-cell"]
import numpy as np

np.testing.assert_allclose(stored.X[:4, :6], block, atol=1e-3)
stored.file.close()

# %% [markdown]
# ## Clusters and maps come from the factors
#
# No cells × peaks array is formed for these either.

# %%
sk.tl.cluster(adata, n_clusters=5)
scores = sk.metrics.evaluate(adata, "cell_type")
scores

# %% tags=["hide-cell"]
assert scores["ari"] > 0.9

# %%
sk.pl.raw_against_enhanced(adata, "cell_type")
plt.show()

# %% [markdown]
# ## The same on real data
#
# 14,125 cells of human bone marrow stay on disk, if the file is there: `SCCASE_KIT_FULL=1`, and `SCCASE_KIT_DATA` the folder with `granja_bmmc.h5ad`.

# %%
import os

if (
    os.environ.get("SCCASE_KIT_FULL") == "1"
    and Path(os.environ.get("SCCASE_KIT_DATA", "."), "granja_bmmc.h5ad").is_file()
):
    marrow = sk.read(Path(os.environ["SCCASE_KIT_DATA"]) / "granja_bmmc.h5ad", backed=True)
    tracemalloc.start()
    sk.tl.enhance(marrow, 20, method="sccase", batch_key="batch")
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    dense = marrow.n_obs * marrow.n_vars * 4 / 2**20
    print(
        f"{marrow.n_obs} cells: largest memory of the arrays {peak:.0f} MiB; the dense enhanced matrix would be {dense:.0f} MiB"
    )
    print(sk.metrics.evaluate(marrow, "cell_type").round(3))
else:
    print("skipped: set SCCASE_KIT_FULL=1, and SCCASE_KIT_DATA to the folder with granja_bmmc.h5ad")

# %% [markdown]
# ## Where to go next
#
# * Data that are read often: `sk.io.convert(source, "counts.zarr")` rewrites them uncompressed or chunked by rows.
# * `docs/memory_and_time.md`: what to expect for your numbers of cells and peaks.

# %%
import shutil

from session_info2 import session_info

adata.file.close()
shutil.rmtree(folder)
session_info(dependencies=False)

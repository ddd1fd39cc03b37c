# %% [markdown]
# # The same motifs through R
#
# **Goal**: run scABC, motifmatchr and chromVAR themselves, in R, from Python: with one argument, and in `%%R` cells; take a Seurat
# object in and give it back.
#
# **Inputs**: a small toy study. **Run time**: a minute or two, most of it loading the R packages; seconds where R is missing: the cells
# then say why they are skipped. **Memory**: 1.5 GB.

# %%
import numpy as np

import sccase_kit as sk

study = sk.datasets.toy_study(n_cells=120, n_peaks=600)
adata = study.adata
sk.pp.filter_peaks(adata, min_fraction=0.01)
sk.r.status()

# %% [markdown]
# The table says what is there and how to install what is not (`Rscript r_scripts/install.R` for the packages). The cells below run
# what can be run.

# %%
missing = [name for name in ("scABC", "chromVAR", "motifmatchr") if not sk.r.available(name)]
reason = f"skipped: {', '.join(missing)} is not installed in R, or R itself is missing" if missing else None
print(reason or "R and its packages are there")

# %% [markdown]
# ## One argument
#
# `engine="r"` runs the R package in a process of its own: it shows progress, and Ctrl-C stops it. The columns are those of the
# native engine, and so are the numbers.

# %%
if reason is None:
    sk.tl.match_motifs(adata, study.motifs, sequences=study.sequences, engine="r", key_added="motifs_r")
sk.tl.match_motifs(adata, study.motifs, sequences=study.sequences, compat=True)
if reason is None:
    same = (adata.varm["motifs"] != adata.varm["motifs_r"]).nnz == 0
    print("hits identical:", same)
else:
    print(reason)

# %% tags=["hide-cell"]
if reason is None:
    assert same

# %%
sk.tl.chromvar(adata, r_seed=1)
if reason is None:
    sk.tl.chromvar(adata, engine="r", r_seed=1, key_added="chromvar_r")
    difference = np.nanmax(np.abs(adata.obsm["chromvar_z"] - adata.obsm["chromvar_r_z"]))
    print(f"largest difference of z: {difference:.1e}")
else:
    print(reason)

# %% tags=["hide-cell"]
if reason is None:
    assert difference < 1e-9

# %% [markdown]
# ## `%%R` cells
#
# `%load_ext sccase_kit.r` registers rpy2's `%%R` with this package's conversions: an AnnData goes in as a SummarizedExperiment, sparse
# matrices stay sparse, data frames come back. Where R or rpy2 is missing, a stand-in prints why the cell is skipped.

# %%
try:
    get_ipython().run_line_magic("load_ext", "sccase_kit.r")
    bridge = reason
except ImportError as error:
    from IPython.core.magic import register_cell_magic

    bridge = f"skipped: {error}"

    @register_cell_magic
    def R(line, cell):
        """Say why the cell is not run."""
        print(bridge)


print(bridge or "ready")

# %% language="R" magic_args="-i adata -o total"
# total <- Matrix::colSums(SummarizedExperiment::assay(adata))
# print(dim(adata))

# %%
if bridge is None:
    print("cells' totals agree:", np.array_equal(np.ravel(total), np.ravel(adata.X.sum(axis=1))))

# %% tags=["hide-cell"]
if bridge is None:
    assert np.array_equal(np.ravel(total), np.ravel(adata.X.sum(axis=1)))

# %% [markdown]
# ## An R user's own object
#
# Somebody sends a Seurat object as .rds. `sk.read` opens it without R, so that nothing in the file is run, and `sk.r.write` puts the results
# back into it. (Here R's SeuratObject makes the file first.)

# %%
import tempfile
from pathlib import Path

from anndata import AnnData

folder = Path(tempfile.mkdtemp())
seurat = sk.r.available("SeuratObject", "SummarizedExperiment")
if seurat:
    sk.r.run(
        """library(SeuratObject)
        counts <- methods::as(SummarizedExperiment::assay(x), "dgCMatrix")
        saveRDS(suppressWarnings(CreateSeuratObject(counts, assay = "ATAC")), path)""",
        x=AnnData(study.adata.X, obs=study.adata.obs[["cell_type"]], var=study.adata.var[[]]),
        path=str(folder / "study.rds"),
    )
else:
    print("skipped: SeuratObject is not installed in R")

# %%
if seurat:
    theirs = sk.read(folder / "study.rds")
    sk.tl.enhance(theirs, 5)
    sk.tl.cluster(theirs, n_clusters=4)
    sk.r.write(theirs, folder / "back.rds", into=folder / "study.rds", obs=["louvain"])
    print(theirs)

# %% [markdown]
# What R sees in the file that went back:

# %%
if seurat:
    seen = sk.r.run(
        """library(SeuratObject)
        x <- readRDS(path); print(x); print(table(x$louvain))
        list(cluster = as.character(x$louvain), embedding = dim(Embeddings(x, "sccase")))""",
        path=str(folder / "back.rds"),
    )

# %% tags=["hide-cell"]
if seurat:
    assert seen["cluster"].tolist() == theirs.obs["louvain"].astype(str).tolist()
    assert seen["embedding"].tolist() == list(theirs.obsm["X_sccase"].shape)

# %% [markdown]
# ## The same on real data
#
# 50 cells of two lines, chromVAR's own example, if the file is there: `SCCASE_KIT_FULL=1`, and `SCCASE_KIT_DATA` the folder with `chromvar50.h5ad`. Peaks of each line by
# scABC, natively and, where R has the package, in R.

# %%
import os

if os.environ.get("SCCASE_KIT_FULL") == "1" and sk.datasets.available().loc["chromvar50", "on_disk"]:
    lines = sk.datasets.load("chromvar50")
    sk.pp.filter_peaks(lines, min_fraction=0.05)
    sk.tl.scabc(lines, "cell_type", n_top=100)
    print(lines.uns["scabc"]["top"].groupby("group", observed=True).head(2))
    if sk.r.available("scABC"):
        sk.tl.scabc(lines, "cell_type", n_top=100, engine="r", key_added="scabc_r")
        top = [set(lines.uns[key]["top"]["peak"]) for key in ("scabc", "scabc_r")]
        print(f"peaks in both: {len(top[0] & top[1])} of {len(top[0])}")
else:
    print("skipped: set SCCASE_KIT_FULL=1, and SCCASE_KIT_DATA to the folder with chromvar50.h5ad")

# %% [markdown]
# ## Where to go next
#
# * `docs/r_engines.md`: what was compared with what, and how long each took.
# * `06_motifs`: all of this without R.

# %%
from session_info2 import session_info

session_info(dependencies=False)

"""SnapATAC2 (Zhang et al. 2024): counts averaged over the neighbours in its spectral embedding.

SnapATAC2 has a function for smoothing, ``tl.smooth``, that raises TypeError in every call (2.9: the arguments of its
isinstance are swapped). So its embedding and its graph of neighbours are taken; the counts, at equal totals,
are averaged over every cell and its neighbours here.
"""
# packages: snapatac2==2.9.0
# exchange: npz
# needs: a C compiler (macs3 and cykhash, which it asks for, are built)

from __future__ import annotations

import argparse

import anndata as ad
import numpy as np
from scipy import sparse


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--n-components", type=int, required=True)  # SnapATAC2 takes 30 and weighs them
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    import snapatac2 as snap

    with np.load(args.input) as found:
        counts = sparse.csr_matrix((found["data"], found["indices"], found["indptr"]), shape=tuple(found["shape"]))
    adata = ad.AnnData((counts > 0).astype(np.uint32))
    snap.tl.spectral(adata, features=None, random_state=args.seed, num_threads=1)
    snap.pp.knn(adata, n_neighbors=min(50, counts.shape[0] - 1), random_state=args.seed)
    near = sparse.csr_matrix(adata.obsp["distances"]) > 0
    weights = sparse.csr_matrix(near, dtype=np.float64) + sparse.identity(counts.shape[0], format="csr")
    depth = np.asarray(counts.sum(axis=1)).ravel()
    scaled = sparse.diags(np.median(depth) / np.maximum(depth, 1)) @ counts
    mean = sparse.diags(1 / np.asarray(weights.sum(axis=1)).ravel()) @ weights @ scaled
    np.savez(args.output, X=mean.toarray().astype(np.float32), embedding=np.asarray(adata.obsm["X_spectral"]))


if __name__ == "__main__":
    main()

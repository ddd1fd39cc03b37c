"""MAGIC (van Dijk et al. 2018): diffusion of the square-root transformed, library-size normalised counts."""
# packages: magic-impute==3.0.0 anndata "setuptools<70"
# needs: nothing else

from __future__ import annotations

import argparse

import anndata as ad
import numpy as np
from scipy import sparse


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--n-components", type=int, required=True)  # MAGIC has no such number
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    import magic

    adata = ad.read_h5ad(args.input)
    counts = sparse.csr_matrix(adata.X, dtype=np.float64)
    depth = np.asarray(counts.sum(axis=1)).ravel()
    scaled = sparse.diags(np.median(depth) / np.maximum(depth, 1)) @ counts
    enhanced = magic.MAGIC(random_state=args.seed, n_jobs=1, verbose=0).fit_transform(np.sqrt(scaled).toarray())
    out = ad.AnnData(np.asarray(enhanced, dtype=np.float32))
    out.obs_names, out.var_names = adata.obs_names, adata.var_names
    out.write_h5ad(args.output)


if __name__ == "__main__":
    main()

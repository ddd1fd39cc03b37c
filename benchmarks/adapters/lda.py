"""Latent Dirichlet allocation of the binary counts, as cisTopic: cells as documents, peaks as words (scikit-learn)."""
# packages: scikit-learn anndata
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
    parser.add_argument("--n-components", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    from sklearn.decomposition import LatentDirichletAllocation

    adata = ad.read_h5ad(args.input)
    is_open = (sparse.csr_matrix(adata.X) > 0).astype(np.float64)
    k = args.n_components
    model = LatentDirichletAllocation(  # cisTopic's priors are 50 / K and 0.1; scikit-learn takes 1 at most
        k, doc_topic_prior=min(1.0, 50 / k), topic_word_prior=0.1, max_iter=50, random_state=args.seed
    )
    topics = model.fit_transform(is_open)
    peaks = model.components_ / model.components_.sum(axis=1, keepdims=True)
    out = ad.AnnData(np.asarray(topics @ peaks, dtype=np.float32))
    out.obs_names, out.var_names = adata.obs_names, adata.var_names
    out.obsm["embedding"] = np.asarray(topics)
    out.write_h5ad(args.output)


if __name__ == "__main__":
    main()

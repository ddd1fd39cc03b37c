"""PeakVI (Ashuach et al. 2022), as in scvi-tools: a variational autoencoder of the binary matrix."""
# packages: scvi-tools>=1.3
# exchange: npz
# needs: nothing else; a GPU for large data

from __future__ import annotations

import argparse

import anndata as ad
import numpy as np
from scipy import sparse


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--n-components", type=int, required=True)  # PeakVI chooses its own
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    import scvi

    scvi.settings.seed = args.seed
    with np.load(args.input) as found:
        counts = sparse.csr_matrix((found["data"], found["indices"], found["indptr"]), shape=tuple(found["shape"]))
    adata = ad.AnnData((counts > 0).astype(np.float32))
    scvi.model.PEAKVI.setup_anndata(adata)
    model = scvi.model.PEAKVI(adata)
    model.train()
    shares = np.asarray(model.get_normalized_accessibility(), dtype=np.float32)
    np.savez(args.output, X=shares, embedding=np.asarray(model.get_latent_representation(), dtype=np.float32))


if __name__ == "__main__":
    main()

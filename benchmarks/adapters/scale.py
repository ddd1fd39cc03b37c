"""SCALE (Xiong et al. 2019): a Gaussian-mixture variational autoencoder of the binary matrix."""
# packages: scale==1.1.2 numpy<1.24 scipy<1.11 pandas<2 scikit-learn<1.3 scanpy<1.10 anndata<0.10 torch<2.3
# packages: matplotlib<3.8 setuptools<70 leidenalg
# needs: a GPU for anything but small data; SCCASE_KIT_SCALE_STEPS makes fewer than its 30,000 steps

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import anndata as ad
import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--n-components", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    adata = ad.read_h5ad(args.input)
    with tempfile.TemporaryDirectory() as folder:
        plain = ad.AnnData(adata.X.astype(np.float32), obs=adata.obs[[]], var=adata.var[[]])
        source = Path(folder) / "counts.h5ad"
        plain.write_h5ad(source)
        program = Path(sys.executable).with_name("SCALE.py")
        subprocess.run(
            [sys.executable, str(program), "-d", str(source), "-k", str(args.n_components), "--impute",
             "--min_peaks", "0", "--min_cells", "0", "--seed", str(args.seed), "-o", folder,
             "--max_iter", os.environ.get("SCCASE_KIT_SCALE_STEPS", "30000")],
            check=True,
        )  # fmt: skip
        result = ad.read_h5ad(Path(folder) / "adata.h5ad")
    out = ad.AnnData(np.asarray(result.obsm["impute"], dtype=np.float32))
    out.obs_names, out.var_names = result.obs_names, result.var_names
    if "latent" in result.obsm:
        out.obsm["embedding"] = np.asarray(result.obsm["latent"])
    out[adata.obs_names].copy().write_h5ad(args.output)


if __name__ == "__main__":
    main()

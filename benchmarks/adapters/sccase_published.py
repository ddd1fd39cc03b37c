"""scCASE 0.2.5 itself. It writes files into its working directory, so it gets a temporary one."""
# packages: numpy==1.26.4 scipy==1.11.4 scikit-learn==1.4.2 pandas<2.2 anndata==0.10.9 scanpy==1.9.8 matplotlib<3.9
# packages: louvain leidenalg kneed pysam bamnostic intervaltree setuptools<70 episcanpy==0.3.2 sccase==0.2.5
# needs: Python 3.11 or older

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import anndata as ad
import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--n-components", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)  # the program fixes its own seed
    args = parser.parse_args()
    from scCASE import main as sccase

    source, target = Path(args.input).resolve(), Path(args.output).resolve()
    adata = ad.read_h5ad(source)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        plain = ad.AnnData(adata.X.astype(np.float32), obs=adata.obs, var=adata.var)
        plain.write_h5ad("input.h5ad")
        result = sccase.run("input.h5ad", method="scCASE", data_format="h5ad", K=str(args.n_components))
        os.chdir(source.parent)
    out = ad.AnnData(np.asarray(result.X, dtype=np.float32))
    out.obs_names, out.var_names = adata.obs_names, [str(name) for name in result.var_names]
    out.write_h5ad(target)


if __name__ == "__main__":
    main()

"""scOpen (Li et al. 2021): positive-unlabelled, bounded NMF of the binary matrix."""
# packages: scOpen==1.0.1 numpy<1.20 scikit-learn<1 scipy<1.8 pandas<1.4 anndata<0.8
# needs: a C compiler and Python 3.9 or older without Cython (its sdist ships C made by an old Cython and no source)

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--n-components", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    adata = ad.read_h5ad(args.input)
    with tempfile.TemporaryDirectory() as folder:
        table = pd.DataFrame(adata.X.T.toarray(), index=adata.var_names, columns=adata.obs_names)
        source = Path(folder) / "counts.txt"
        table.to_csv(source, sep="\t")
        program = Path(sys.executable).with_name("scopen")
        subprocess.run(
            [str(program), "--input", str(source), "--input_format", "dense", "--output_dir", folder,
             "--output_prefix", "out", "--output_format", "dense", "--n_components", str(args.n_components),
             "--random_state", str(args.seed), "--verbose", "0"],
            check=True,
        )  # fmt: skip
        enhanced = pd.read_csv(Path(folder) / "out.txt", sep="\t", index_col=0)
    out = ad.AnnData(np.ascontiguousarray(enhanced[adata.obs_names].to_numpy().T, dtype=np.float32))
    out.obs_names, out.var_names = adata.obs_names, enhanced.index.astype(str)
    out.write_h5ad(args.output)


if __name__ == "__main__":
    main()

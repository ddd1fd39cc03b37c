"""scOpen (Li et al. 2021): non-negative matrix factorisation of the binary TF-IDF; the result is its thin factors.

scOpen's source distribution holds C of an old Cython, which Python 3.10 and newer do not compile, and no Cython source.
That C is one function of scikit-learn, ``_update_cdnmf_fast``, which scikit-learn still has: it is put in its place,
and the Python code of scOpen runs as it is.
"""
# packages: numpy<2 scipy<1.12 scikit-learn<1.5 pandas<2.2 matplotlib tables kneed
# source: scOpen==1.0.1
# exchange: npz
# needs: nothing else; tested on Python 3.11

from __future__ import annotations

import argparse
import sys
import tempfile
import types
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import io, sparse


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--n-components", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    from sklearn.decomposition import _cdnmf_fast

    compiled = types.ModuleType("cdnmf_fast")
    compiled._update_cdnmf_fast = _cdnmf_fast._update_cdnmf_fast
    sys.modules["cdnmf_fast"] = compiled
    source = next((Path(sys.prefix) / "source").glob("scOpen-*"))
    sys.path.insert(0, str(source))
    from scopen import Main

    with np.load(args.input) as found:
        counts = sparse.csr_matrix((found["data"], found["indices"], found["indptr"]), shape=tuple(found["shape"]))
    is_open = (counts.T > 0).astype(np.int8)  # scOpen reads 8-bit integers, which turn counts above 127 negative
    n_peaks, n_cells = is_open.shape
    with tempfile.TemporaryDirectory() as folder:
        io.mmwrite(f"{folder}/matrix.mtx", sparse.coo_matrix(is_open))
        Path(folder, "barcodes.tsv").write_text("".join(f"{i}\n" for i in range(n_cells)))
        Path(folder, "peaks.bed").write_text("".join(f"peak\t{i}\t{i + 1}\n" for i in range(n_peaks)))
        options = {"input": folder, "input_format": "10X", "output_dir": folder, "output_prefix": "out"}
        options |= {"n_components": args.n_components, "random_state": args.seed}
        sys.argv = ["scopen", "--no_impute", *(f"--{name}={value}" for name, value in options.items())]
        Main.main()
        peaks = pd.read_csv(f"{folder}/out_peaks.txt", sep="\t", index_col=0)
        cells = pd.read_csv(f"{folder}/out_barcodes.txt", sep="\t", index_col=0)
    cells.columns = cells.columns.astype(int)
    np.savez(args.output, cells=cells[range(n_cells)].to_numpy().T, peaks=peaks.to_numpy())


if __name__ == "__main__":
    main()

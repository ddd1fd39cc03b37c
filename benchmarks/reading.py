"""Reading and writing next to anndata: an .h5ad of 20,000 cells × 50,000 peaks, 155 MiB, and a dense one of 153 MiB.

Run: python benchmarks/reading.py [--old COMMIT] [--peers PYTHON]; writes benchmarks/results/reading.csv. The counts are
float32 in the file, as most tools write them; ours become int32 and are checked. The file lies in the page cache.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from beside import HERE, Case, main

N_CELLS, N_PEAKS, PER_CELL = 20_000, 50_000, 1_000
N_FITTED, N_OUT, K = 2_000, 20_000, 16


def write_counts(folder: Path) -> None:
    import anndata as ad
    from scipy import sparse

    rng = np.random.default_rng(0)
    peaks = np.sort(rng.integers(0, N_PEAKS, (N_CELLS, PER_CELL)), axis=1).astype(np.int32)
    pointers = np.arange(0, N_CELLS * PER_CELL + 1, PER_CELL)
    counts = sparse.csr_matrix((np.ones(peaks.size, np.float32), peaks.ravel(), pointers), shape=(N_CELLS, N_PEAKS))
    counts.sum_duplicates()
    adata = ad.AnnData(counts)
    adata.obs_names = [f"cell{i}" for i in range(N_CELLS)]
    per_chrom = N_PEAKS // 20
    adata.var_names = [
        f"chr{1 + i // per_chrom}:{1_000 * (i % per_chrom) + 100}-{1_000 * (i % per_chrom) + 600}"
        for i in range(N_PEAKS)
    ]
    adata.write_h5ad(folder / "counts.h5ad")
    adata[:30].write_h5ad(folder / "small.h5ad")


def write_forms(folder: Path) -> None:
    """Write 6,000 of the cells in other ways."""
    import anndata as ad

    write_counts(folder)
    some = ad.read_h5ad(folder / "counts.h5ad")[:6_000].copy()
    some.write_h5ad(folder / "gzip.h5ad", compression="gzip")
    some.write_zarr(folder / "zarr.zarr")
    counts = some.X
    for name, x in {
        "float64": counts.astype(np.float64),
        "int32": counts.astype(np.int32),
        "csc": counts.tocsc(),
        "dense": counts[:600].toarray(),
    }.items():
        ad.AnnData(x, obs=some.obs.iloc[: x.shape[0]], var=some.var).write_h5ad(folder / f"{name}.h5ad")


def form(file: str) -> dict[str, Callable[[Path], Callable[[], str]]]:
    """Return the tools that read a file."""

    def ours(folder: Path) -> Callable[[], str]:
        import sccase_kit as sk

        sk.read(folder / file)
        return lambda: str(sk.read(folder / file).X.dtype)

    def theirs(folder: Path) -> Callable[[], str]:
        import anndata as ad

        read = ad.read_zarr if file.endswith("zarr") else ad.read_h5ad
        read(folder / file)
        return lambda: str(read(folder / file).X.dtype)

    def turned(folder: Path) -> Callable[[], str]:
        import anndata as ad
        from scipy import sparse

        ad.read_h5ad(folder / file)
        return lambda: str(sparse.csr_matrix(ad.read_h5ad(folder / file).X).dtype)

    more = {"anndata, turned to rows": turned} if file in {"csc.h5ad", "dense.h5ad"} else {}
    return {"sccase_kit": ours, "anndata": theirs, **more}


def read_ours(folder: Path) -> Callable[[], str]:
    import sccase_kit as sk

    sk.read(folder / "small.h5ad")  # parts are imported when they are used
    return lambda: str(sk.read(folder / "counts.h5ad").X.dtype)


def read_anndata(folder: Path) -> Callable[[], str]:
    import anndata as ad

    ad.read_h5ad(folder / "small.h5ad")
    return lambda: str(ad.read_h5ad(folder / "counts.h5ad").X.dtype)


def fitted(folder: Path) -> Any:
    import sccase_kit as sk

    adata = sk.read(folder / "counts.h5ad")[:N_FITTED, :N_OUT].copy()
    sk.tl.enhance(adata, method="sccase", n_components=K)
    return adata


def write_ours(folder: Path) -> Callable[[], str]:
    import sccase_kit as sk

    adata = fitted(folder)
    sk.io.write_enhanced(adata[:30], folder / "small_out.h5ad")

    def write() -> str:
        sk.io.write_enhanced(adata, folder / "out.h5ad")
        return f"{(folder / 'out.h5ad').stat().st_size / 2**20:.0f} MiB"

    return write


def write_anndata(folder: Path) -> Callable[[], str]:
    import anndata as ad

    values = np.random.default_rng(0).random((N_FITTED, N_OUT), dtype=np.float32)

    def write() -> str:
        ad.AnnData(values).write_h5ad(folder / "out_dense.h5ad")
        return f"{(folder / 'out_dense.h5ad').stat().st_size / 2**20:.0f} MiB"

    return write


def ranges_ours(folder: Path) -> Callable[[], str]:
    import sccase_kit as sk

    adata = fitted(folder)

    def measure() -> str:
        found = sk.get.ranges(adata)
        del adata.obsm["sccase_range"], adata.varm["sccase_range"]  # or the next call would return them
        return str(found.peak.shape)

    return measure


CASES = [
    Case("read .h5ad", write_counts, {"sccase_kit": read_ours, "anndata": read_anndata}),
    *(
        Case(f"read {file}", write_forms, form(file))
        for file in ("gzip.h5ad", "float64.h5ad", "int32.h5ad", "csc.h5ad", "dense.h5ad", "zarr.zarr")
    ),
    Case("write enhanced", write_counts, {"sccase_kit": write_ours, "anndata, a dense matrix": write_anndata}),
    Case("min–max ranges", write_counts, {"sccase_kit": ranges_ours}),
]

if __name__ == "__main__":
    main(__doc__, __file__, CASES, HERE / "results" / "reading.csv")

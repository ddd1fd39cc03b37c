"""Differential tour: one input in every container, every public call on counts; the results must be those of CSR.

    python tests/reliability/tour.py                     # ten random inputs; table of what was tried
    python tests/reliability/tour.py --inputs 40 --first 100 --differences differences.txt

Each input is a small random study; every sixth has values that are no counts, which must give the same error
everywhere. A case is one call on one container. It fails if a number differs by more than 1e-6 of the largest (1e-5 for
the default method and after a fit), if a name or a shape differs, or if type or text of an error differ (but for the
number of bad values, where counts are read in blocks). "refused" are calls that say they need the counts in memory.
"""

from __future__ import annotations

import argparse
import collections
import re
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

import sccase_kit as sk

BAD = ["NaN", "negative", "infinite", "zero", "one cell", "fractions"]
REFUSAL = re.compile(r"in memory|to_memory|on disk|a backed adata")
SKIPPED = {"timing", "sccase_kit", "record", "call", "seconds", "dtype"}
DEFAULT = 1e-5
EXACT = 1e-6


def study(seed: int) -> AnnData:
    """Return a small random study with CSR counts in float32."""
    rng = np.random.default_rng(seed)
    n, m, groups = int(rng.integers(12, 40)), int(rng.integers(50, 120)), int(rng.integers(2, 4))
    of = rng.integers(groups, size=n)
    of[: 2 * groups] = np.repeat(np.arange(groups), 2)
    open_in = rng.random((groups, m)) * (rng.random((groups, m)) < 0.4) + 0.03
    values = rng.poisson(open_in[of] * rng.lognormal(0.3, 0.5, n)[:, None]).astype(np.float32)
    bad = BAD[seed // 6 % len(BAD)] if seed % 6 == 5 else None
    if seed % 6 == 1:
        values = np.minimum(values, 1)
    if seed % 6 == 2:
        values[rng.integers(n)], values[:, rng.integers(m)] = 0, 0
    if bad in ("NaN", "negative", "infinite"):
        values[rng.integers(n, size=2), rng.integers(m, size=2)] = {"NaN": np.nan, "negative": -2}.get(bad, np.inf)
    if bad == "zero":
        values[:] = 0
    if bad == "fractions":
        values *= 0.5
    if bad == "one cell":
        values, of = values[:1], of[:1]
    start = np.sort(rng.choice(200, m, replace=False)) * 1000
    var = pd.DataFrame({"gc": rng.uniform(0.3, 0.7, m)}, index=[f"chr1:{s}-{s + 500}" for s in start])
    obs = pd.DataFrame(index=[f"cell{i}" for i in range(len(of))])
    obs["cell_type"] = pd.Categorical([f"type {k}" for k in of])
    obs["batch"] = pd.Categorical([f"b{k}" for k in np.arange(len(of)) % 2])
    adata = AnnData(sparse.csr_matrix(values), obs=obs, var=var)
    if bad is None and seed % 6 != 2:
        adata = adata[:, values.any(axis=0)].copy()
    sk.pp.parse_peaks(adata)
    m = adata.n_vars
    adata.varm["sets"] = pd.DataFrame(rng.random((m, 3)) < 0.4, adata.var_names, list("abc"))
    return adata


GENES = pd.DataFrame(
    {
        "chrom": "chr1",
        "start": np.arange(5_000, 200_000, 25_000),
        "end": np.arange(15_000, 210_000, 25_000),
        "strand": ["+", "-"] * 4,
        "gene_id": [f"g{k}" for k in range(8)],
        "symbol": [f"G{k}" for k in range(8)],
    }
)


def _unsorted(matrix: Any) -> Any:
    out = matrix.copy()
    for row in range(matrix.shape[0]):
        part = slice(matrix.indptr[row], matrix.indptr[row + 1])
        out.indices[part], out.data[part] = matrix.indices[part][::-1], matrix.data[part][::-1]
    out.has_sorted_indices = False
    return out


def _with_zeros(matrix: Any) -> Any:
    """Return the matrix with zeros stored in its first row."""
    coo = matrix.tocoo()
    columns = np.flatnonzero(np.asarray(matrix[[0]].toarray()).ravel() == 0)[:5]
    rows = np.concatenate([coo.row, np.zeros(len(columns), dtype=coo.row.dtype)])
    data = np.concatenate([coo.data, np.zeros(len(columns), dtype=coo.dtype)])
    return sparse.csr_matrix((data, (rows, np.concatenate([coo.col, columns]))), shape=matrix.shape)


def _wide(matrix: Any) -> Any:
    out = matrix.copy()
    out.indices, out.indptr = matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)
    return out


def _swapped(matrix: Any) -> Any:
    out = matrix.copy()
    out.data = out.data.astype(">f8")
    return out


def _frozen(matrix: Any) -> Any:
    out = matrix.copy()
    for part in (out.data, out.indices, out.indptr):
        part.flags.writeable = False
    return out


def _dask(matrix: Any, rows: int, columns: int | None = None) -> Any:
    from dask import array

    return array.from_array(matrix, chunks=(rows, columns or matrix.shape[1]))


MEMORY: dict[str, Callable[[Any], Any]] = {
    "CSC": lambda x: x.tocsc(),
    "csr_array": sparse.csr_array,
    "csc_array": sparse.csc_array,
    "unsorted CSR": _unsorted,
    "stored zeros": _with_zeros,
    "int64 indices": _wide,
    "read-only CSR": _frozen,
    "big-endian CSR": _swapped,
    "CSR, float64": lambda x: x.astype(np.float64),
    "CSR, int32": lambda x: x.astype(np.int32),
    "CSR, uint8": lambda x: x.astype(np.uint8),
    "dense": lambda x: x.toarray(),
    "dense, Fortran order": lambda x: np.asfortranarray(x.toarray()),
    "dense, float16": lambda x: x.toarray().astype(np.float16),
    "dense, big-endian": lambda x: x.toarray().astype(">f4"),
    "dense, int16": lambda x: x.toarray().astype(np.int16),
    "dask of CSR": lambda x: _dask(x, 5),
    "dask of dense": lambda x: _dask(x.toarray(), 7),
    "dask, chunks of columns": lambda x: _dask(x.toarray(), 9, 17),
}
FILES: dict[str, Callable[[Path], AnnData]] = {
    "backed .h5ad": lambda f: sk.read(f / "csr.h5ad", backed=True),
    "backed .h5ad, CSC": lambda f: sk.read(f / "csc.h5ad", backed=True),
    "backed .h5ad, dense": lambda f: sk.read(f / "dense.h5ad", backed=True),
    "anndata's backed": lambda f: anndata.read_h5ad(f / "csr.h5ad", backed="r"),
    ".h5ad, gzip": lambda f: sk.read(f / "gzip.h5ad"),
    "backed .zarr": lambda f: sk.read(f / "csr.zarr", backed=True),
    ".zarr, version 3": lambda f: sk.read(f / "v3.zarr"),
    "backed .zarr, version 3": lambda f: sk.read(f / "v3.zarr", backed=True),
    "read_lazy, .h5ad": lambda f: anndata.experimental.read_lazy(f / "csr.h5ad"),
    "read_lazy, .zarr": lambda f: anndata.experimental.read_lazy(f / "csr.zarr"),
}


def _enhance(**arguments: Any) -> Callable[[AnnData], Any]:
    return lambda a: sk.tl.enhance(a, **arguments)


CALLS: dict[str, tuple[Callable[[AnnData], Any], float]] = {
    "tl.enhance": (_enhance(), DEFAULT),
    "tl.enhance(3)": (_enhance(n_components=3), DEFAULT),
    "tl.enhance(dtype='float64')": (_enhance(dtype="float64"), DEFAULT),
    "tl.enhance(depth=True, batch_key='batch')": (_enhance(depth=True, batch_key="batch"), DEFAULT),
    "tl.enhance(n_components=0)": (_enhance(n_components=0), EXACT),
    "tl.enhance(batch_key='none')": (_enhance(batch_key="none"), EXACT),
    "tl.enhance(method='sccase', dtype='float64')": (_enhance(method="sccase", n_components=3, dtype="float64"), EXACT),
    "tl.enhance(method='knn')": (_enhance(method="knn"), DEFAULT),
    "tl.enhance(method='tfidf')": (_enhance(method="tfidf"), DEFAULT),
    "tl.enhance(solver='published')": (_enhance(n_components=3, solver="published", max_iter=3), DEFAULT),
    "tl.enhance(solver='paper')": (_enhance(n_components=3, solver="paper", max_iter=3), DEFAULT),
    "tl.estimate_k": (lambda a: sk.tl.estimate_k(a, k_values=range(2, 5), key_added=None), EXACT),
    "tl.estimate_k(min_fraction=0.1)": (lambda a: sk.tl.estimate_k(a, k_values=[2, 3], min_fraction=0.1), EXACT),
    "tl.scabc": (lambda a: sk.tl.scabc(a, "cell_type", n_top=10), EXACT),
    "tl.scabc(compat=True)": (lambda a: sk.tl.scabc(a, "cell_type", n_top=10, compat=True), EXACT),
    "tl.scabc('none')": (lambda a: sk.tl.scabc(a, "none"), EXACT),
    "tl.chromvar": (lambda a: sk.tl.chromvar(a, "sets", n_background=5, n_bootstrap=10), EXACT),
    "tl.chromvar(method='analytic')": (lambda a: sk.tl.chromvar(a, "sets", method="analytic", n_bootstrap=10), EXACT),
    "tl.chromvar('none')": (lambda a: sk.tl.chromvar(a, "none"), EXACT),
    "tl.gene_activity(source='counts')": (lambda a: sk.tl.gene_activity(a, GENES, source="counts"), EXACT),
    "tl.gene_activity(weights='promoter')": (
        lambda a: sk.tl.gene_activity(a, GENES, source="counts", weights="promoter"),
        EXACT,
    ),
    "pp.filter_peaks(0.1)": (lambda a: sk.pp.filter_peaks(a, min_fraction=0.1), EXACT),
    "pp.filter_peaks(by='counts')": (lambda a: sk.pp.filter_peaks(a, by="counts", copy=True), EXACT),
    "pp.filter_peaks(2)": (lambda a: sk.pp.filter_peaks(a, min_fraction=2), EXACT),
    "pp.filter_cells(min_peaks=12)": (lambda a: sk.pp.filter_cells(a, min_peaks=12, copy=True), EXACT),
    "pp.filter_cells(min_counts=15)": (lambda a: sk.pp.filter_cells(a, min_counts=15), EXACT),
    "pp.binarize": (lambda a: sk.pp.binarize(a, copy=True), EXACT),
    "pp.tfidf": (lambda a: sk.pp.tfidf(a), EXACT),
    "pp.tfidf(variant='paper')": (lambda a: sk.pp.tfidf(a, variant="paper"), EXACT),
    "pp.tfidf(variant='signac')": (lambda a: sk.pp.tfidf(a, variant="signac"), EXACT),
    "pp.tfidf(variant='log')": (lambda a: sk.pp.tfidf(a, variant="log", copy=True), EXACT),
    "pp.tfidf(variant='none')": (lambda a: sk.pp.tfidf(a, variant="none"), EXACT),
    "pp.pseudobulk": (lambda a: sk.pp.pseudobulk(a, "cell_type"), EXACT),
    "pp.pseudobulk('none')": (lambda a: sk.pp.pseudobulk(a, "none"), EXACT),
    "pp.self_reference": (lambda a: sk.pp.self_reference(a, n_components=3, n_neighbors=4), EXACT),
    "pp.dropout": (lambda a: sk.pp.dropout(a, 0.4), EXACT),
    "pp.dropout(2)": (lambda a: sk.pp.dropout(a, 2), EXACT),
    "pp.subsample_cells": (lambda a: sk.pp.subsample_cells(a, fraction=0.5, groupby="cell_type"), EXACT),
    "pp.filter_groups": (lambda a: sk.pp.filter_groups(a, "cell_type", min_share=0.3, copy=True), EXACT),
    "metrics.raw_tfidf": (lambda a: sk.metrics.raw_tfidf(a), EXACT),
    "metrics.knn_smoothing": (lambda a: sk.metrics.knn_smoothing(a, n_neighbors=4, n_components=3), EXACT),
    "metrics.held_out": (lambda a: sk.metrics.held_out(a, ["tfidf"], n_splits=2, min_cells=2, n_boot=5).scores, EXACT),
}

FITTED: dict[str, Callable[[AnnData], Any]] = {
    "get.enhanced": lambda a: sk.get.enhanced(a),
    "get.enhanced(rows, columns)": lambda a: sk.get.enhanced(a, obs_names=slice(2, 8), var_names=[5, 1, 1]),
    "get.enhanced(names)": lambda a: sk.get.enhanced(a, obs_names=list(a.obs_names[[3, 0]]), var_names=a.var_names[:4]),
    "get.enhanced(names that are not there)": lambda a: sk.get.enhanced(a, obs_names=["none"]),
    "get.enhanced(scale='counts')": lambda a: sk.get.enhanced(a, scale="counts"),
    "get.enhanced(scale='accessibility')": lambda a: sk.get.enhanced(a, scale="accessibility", var_names=slice(9)),
    "get.enhanced(scale='minmax')": lambda a: sk.get.enhanced(a, scale="minmax"),
    "get.enhanced(scale='none')": lambda a: sk.get.enhanced(a, scale="none"),
    "get.enhanced(key='none')": lambda a: sk.get.enhanced(a, "none"),
    "get.ranges": lambda a: [sk.get.ranges(a).peak, sk.get.ranges(a).cell],
    "get.factors(scale='counts')": lambda a: np.matmul(*[f if k == 0 else f.T for k, f in enumerate(_factors(a))]),
    "get.similarity": lambda a: sk.get.similarity(a),
    "tl.gene_activity": lambda a: sk.tl.gene_activity(a, GENES, copy=True),
    "tl.scabc(source='enhanced')": lambda a: sk.tl.scabc(a, "cell_type", source="enhanced", n_top=5, copy=True),
    "tl.chromvar(source='enhanced')": lambda a: sk.tl.chromvar(
        a, "sets", source="enhanced", n_background=5, n_bootstrap=5, copy=True
    ),
    "tl.specific_peaks": lambda a: sk.tl.specific_peaks(a, "cell_type", n_top=10, copy=True),
    "tl.sister_groups": lambda a: sk.tl.sister_groups(a, "cell_type", n_top=5, copy=True),
    "tl.merge_clusters": lambda a: sk.tl.merge_clusters(a, "cell_type", copy=True),
    "metrics.evaluate": lambda a: sk.metrics.evaluate(a, "cell_type", n_components=3, n_neighbors=4),
}


def _factors(adata: AnnData) -> tuple[np.ndarray, np.ndarray]:
    return sk.get.factors(adata, scale="counts")


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every array, text and number of a result with its place."""
    if hasattr(value, "to_memory") and not isinstance(value, AnnData):
        value = value.to_memory()
    if hasattr(value, "compute"):
        value = value.compute()
    if isinstance(value, AnnData):
        yield f"{path}.X", _dense(value.X)
        for axis in ("obs", "var"):
            yield from leaves(getattr(value, axis), f"{path}.{axis}")
        for slot in ("obsm", "varm", "obsp", "varp", "layers", "uns"):
            mapping = getattr(value, slot)
            yield from leaves({k: mapping[k] for k in mapping if k is not None}, f"{path}.{slot}")
    elif hasattr(value, "data_vars"):  # read_lazy
        yield from leaves(value.to_dataframe(), path)
    elif isinstance(value, pd.DataFrame):
        yield f"{path}.index", value.index.astype(str).tolist()
        for column in value:
            yield from leaves(value[column].to_numpy(), f"{path}[{column!r}]")
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            if key not in SKIPPED:
                yield from leaves(value[key], f"{path}[{key!r}]")
    elif isinstance(value, (list, tuple)):
        for k, item in enumerate(value):
            yield from leaves(item, f"{path}[{k}]")
    else:
        yield path, _dense(value)


def _dense(value: Any) -> Any:
    if hasattr(value, "to_memory"):
        value = value.to_memory()
    if hasattr(value, "compute"):
        value = value.compute()
    if sparse.issparse(value):
        if not value.dtype.isnative:
            value = type(value)((value.data.astype(np.float64), value.indices, value.indptr), shape=value.shape)
        return value.toarray()
    if type(value).__module__.startswith(("h5py", "zarr")):
        return np.asarray(value[...])
    if isinstance(value, (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)):
        return np.asarray(value)
    return value


def outcome(call: Callable[[AnnData], Any], make: Callable[[], AnnData], *, close: bool = True) -> Any:
    """Return the leaves of a result, or type, text and origin of an error."""
    adata = make()
    try:
        result = call(adata)
        return dict(leaves(adata if result is None else result))
    except Exception as err:  # noqa: BLE001  every error is compared
        place = err.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        ours = place is not None and "sccase_kit" in place.tb_frame.f_code.co_filename
        return type(err).__name__, str(err), ours
    finally:
        if close and adata.isbacked:
            adata.file.close()


def _plain(error: tuple[str, str, bool]) -> tuple[str, str]:
    """Return an error without its number of bad values: counts read in blocks stop at the first block that has any."""
    return error[0], re.sub(r"has \d+ (NaN|negative)", r"has some \1", error[1])


def difference(expected: Any, got: Any, tolerance: float) -> str | None:
    """Return what differs, None if nothing does, or "refused"."""
    if isinstance(got, tuple):
        if not got[2]:
            return f"raw {got[0]}: {got[1]}"
        if isinstance(expected, tuple) and _plain(expected) == _plain(got):
            return None
        if REFUSAL.search(got[1]):
            return "refused"
        return f"{expected[:2] if isinstance(expected, tuple) else 'a result'} became {got[:2]}"
    if isinstance(expected, tuple):
        return f"no error, where CSR gives {expected[:2]}"
    if expected.keys() != got.keys():
        return f"fields differ: {sorted(expected.keys() ^ got.keys())[:6]}"
    for key, want in expected.items():
        if text := _unequal(want, got[key], tolerance):
            return f"{key}: {text}"
    return None


def _unequal(want: Any, got: Any, tolerance: float) -> str | None:
    a, b = np.asarray(want), np.asarray(got)
    if a.shape != b.shape:
        return f"shape {b.shape} instead of {a.shape}"
    if a.dtype.kind not in "iufb" or b.dtype.kind not in "iufb":
        return None if [str(v) for v in a.ravel()] == [str(v) for v in b.ravel()] else f"{b!s:.80} not {a!s:.80}"
    a, b = a.astype(np.float64), b.astype(np.float64)
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return "other missing or infinite values"
    sound = np.isfinite(a)
    apart = np.abs(a - b)[sound].max(initial=0) / max(1, np.abs(a[sound]).max(initial=0))
    return f"differs by {apart:.1e}" if apart > tolerance else None


def write_files(adata: AnnData, folder: Path) -> None:
    """Write the study in every form of :data:`FILES`."""
    adata.write_h5ad(folder / "csr.h5ad")
    adata.write_h5ad(folder / "gzip.h5ad", compression="gzip")
    adata.write_zarr(folder / "csr.zarr")
    with anndata.settings.override(zarr_write_format=3):
        adata.write_zarr(folder / "v3.zarr")
    for name, matrix in (("csc", adata.X.tocsc()), ("dense", adata.X.toarray())):
        other = adata.copy()
        other.X = matrix
        other.write_h5ad(folder / f"{name}.h5ad")


def makers(adata: AnnData, folder: Path) -> dict[str, Callable[[], AnnData]]:
    """Return what makes the study anew in each container that can hold its values."""

    def in_memory(form: Callable[[Any], Any]) -> AnnData:
        out = adata.copy()
        out.X = form(adata.X)
        return out

    found: dict[str, Callable[[], AnnData]] = {}
    for name, form in MEMORY.items():
        with np.errstate(invalid="ignore"):
            values = _dense(form(adata.X))
        if np.array_equal(values, adata.X.toarray(), equal_nan=True):
            found[name] = lambda form=form: in_memory(form)
    doubled = anndata.concat([adata, adata], merge="same")
    doubled.obs_names = [*adata.obs_names, *(f"{name}'" for name in adata.obs_names)]
    found["view"] = lambda: doubled[: adata.n_obs]
    return found | {name: (lambda read=read: read(folder)) for name, read in FILES.items()}


def tour(
    seed: int, *, calls: set[str] | None = None, containers: set[str] | None = None
) -> Iterator[tuple[str, str, str | None]]:
    """Yield container, call and difference for every case of one input."""
    adata = study(seed)
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(name)
        write_files(adata, folder)
        forms = {k: make for k, make in makers(adata, folder).items() if containers is None or k in containers}
        for call, (function, tolerance) in CALLS.items():
            if calls is not None and call not in calls:
                continue
            expected = outcome(function, adata.copy)
            if isinstance(expected, tuple) and not expected[2]:
                yield "CSR", call, f"raw {expected[0]}: {expected[1]}"
            for container, make in forms.items():
                yield container, call, difference(expected, outcome(function, make), tolerance)
        expected = _after_fit(adata.copy(), calls)
        for container, make in forms.items():
            got = _after_fit(make(), calls)
            for call, value in expected.items():
                yield container, call, difference(value, got[call], DEFAULT)


def _after_fit(adata: AnnData, calls: set[str] | None) -> dict[str, Any]:
    """Return the outcomes of the calls that read a fit."""
    wanted = {name: call for name, call in FITTED.items() if calls is None or name in calls}
    fit = outcome(lambda a: sk.tl.enhance(a, 3), lambda: adata, close=False) if wanted else {}
    if isinstance(fit, tuple) and REFUSAL.search(fit[1]):  # there is nothing to read
        return dict.fromkeys(wanted, fit)
    found = {name: outcome(call, lambda: adata, close=False) for name, call in wanted.items()}
    if adata.isbacked:
        adata.file.close()
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the tour and print what was tried and what differed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=10)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--differences", type=Path)
    args = parser.parse_args(arguments)
    table: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    lines = []
    for seed in range(args.first, args.first + args.inputs):
        for container, call, found in tour(seed):
            kind = "same" if found is None else "refused" if found == "refused" else "differ"
            table[container][kind] += 1
            if found is not None:
                lines.append(f"{seed}\t{container}\t{call}\t{found}".replace("\n", " "))
        if args.differences is not None:
            args.differences.write_text("\n".join(lines) + "\n")
        print(f"input {seed}: {sum(sum(c.values()) for c in table.values())} cases", file=sys.stderr, flush=True)
    frame = pd.DataFrame(table).T.reindex(columns=["same", "refused", "differ"]).fillna(0).astype(int)
    frame.loc["all"] = frame.sum()
    print(frame.to_string())
    return int(frame.loc["all", "differ"] > 0)


if __name__ == "__main__":
    sys.exit(main())

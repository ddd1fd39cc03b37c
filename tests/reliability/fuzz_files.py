"""Whole files of every format that the package reads, what reads them, and ways to damage them."""

from __future__ import annotations

import gzip
import json
import shutil
import sys
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

import sccase_kit as sk
from sccase_kit.matrix.blocks import iter_row_blocks
from sccase_kit.motifs import read_motifs

sys.path.insert(0, str(Path(__file__).parent.parent / "hostile"))
from damaged import NASTY, READERS, TEXTS, UNPACKED, content, mutate

CELLS, PEAKS = 30, 60
MORE_TEXTS = {
    "narrowPeak": ("p.narrowPeak", ["chr1\t10\t90\tp1\t5\t.\t2.5\t3\t2\t40", "chr2\t30\t99\tp2\t9\t.\t1\t2\t1\t-1"]),
    "csv, peaks in columns": ("c.csv", ["cell,chr1:10-20,chr1:30-40", "c1,0,1", "c2,3,0", "c3,0,2"]),
    "REGENIE": (
        "r.regenie",
        [
            "CHROM GENPOS ID ALLELE0 ALLELE1 A1FREQ INFO N TEST BETA SE CHISQ LOG10P EXTRA",
            "1 100 rs1 A C 0.3 0.99 900 ADD 0.01 0.02 0.25 0.2 NA",
            "1 200 rs2 G T 0.2 0.95 900 ADD -0.1 0.02 25 6.2 NA",
        ],
    ),
    "SAIGE": (
        "s.saige",
        [
            "CHR\tPOS\tMarkerID\tAllele1\tAllele2\tAC_Allele2\tAF_Allele2\tBETA\tSE\tTstat\tvar\tp.value\tN",
            "1\t100\trs1\tA\tC\t30\t0.3\t0.01\t0.02\t1\t1\t0.5\t900",
            "1\t200\trs2\tG\tT\t40\t0.4\t-0.02\t0.02\t1\t1\t0.1\t900",
        ],
    ),
    "Cluster-Buster": ("m.cb", [">M1", "1 2 3 4", "0 0 9 1", ">M2", "5 5 0 0"]),
}
MORE_READERS = {
    "narrowPeak": READERS["BED"],
    "csv, peaks in columns": sk.read,
    "REGENIE": READERS["GWAS"],
    "SAIGE": READERS["GWAS"],
    "Cluster-Buster": read_motifs,
}
#: Text formats whose first line names the columns: their order does not matter.
HEADED = ("summary statistics", "annotation", "LD scores", "GWAS", "REGENIE", "SAIGE", "SNP table")


@dataclass(frozen=True)
class Damage:
    """What was done to a file.

    Attributes
    ----------
    kind
        In words.
    known
        Whether only what the whole file holds, or an error or a warning, may come of it.
    """

    kind: str
    known: bool = False


@dataclass(frozen=True)
class Form:
    """A format.

    Attributes
    ----------
    name
        File or folder below the folder of whole files.
    read
        Reader.
    damage
        Changes the copy at a path, given a generator.
    """

    name: str
    read: Callable[[Path], Any]
    damage: Callable[[Path, np.random.Generator], Damage]


def text_form(name: str) -> Form:
    """Return a text format."""
    file, reader = (TEXTS | MORE_TEXTS)[name][0], (READERS | MORE_READERS)[name]

    def damage(path: Path, rng: np.random.Generator) -> Damage:
        packed = name not in UNPACKED and rng.random() < 0.3
        if packed and rng.random() < 0.5:
            path.write_bytes(_flipped(gzip.compress(path.read_bytes(), mtime=0), rng))
            return Damage("gzip stream", known=path.stat().st_size > 0)  # an empty file is an empty table
        whole = path.read_bytes()
        data, found = damaged_text(whole, rng, headed=name in HEADED)
        path.write_bytes(gzip.compress(data, mtime=0) if packed else data)
        return Damage(found.kind, found.known or data == whole)

    return Form(file, reader, damage)


WORDS = {
    "bytes": "bytes flipped or lost",
    "text": "strange text",
    "lines": "lines lost, doubled, swapped",
    "fields": "fields lost or replaced",
}


def damaged_text(data: bytes, rng: np.random.Generator, *, headed: bool) -> tuple[bytes, Damage]:
    """Return a text with one to four faults of one kind."""
    lines = data.split(b"\n")
    tabs = b"\t" in data
    kinds = ["bytes", "end", "text", "lines", "fields", "separator", "columns swapped", "line ends", "values swapped"]
    kind = kinds[rng.integers(len(kinds))]
    if kind == "end":
        return data[: rng.integers(len(data))], Damage("cut off")
    if kind == "separator":
        old, new = (b"\t" if tabs else b" "), [b"\t", b" ", b",", b";", b"|", b"\t\t", b"  "][rng.integers(7)]
        return data.replace(old, new), Damage("other separator")
    if kind == "line ends":
        ends = [b"\r\n", b"\r", b"\n\n", b" \n", b"\t\n", b"\n\r"][rng.integers(6)]
        return data.replace(b"\n", ends), Damage("other line ends")
    if kind == "columns swapped":
        rows = [line.split(b"\t" if tabs else b" ") for line in lines]
        a, b = rng.integers(max(map(len, rows)), size=2)
        for row in rows:
            if max(a, b) < len(row):
                row[a], row[b] = row[b], row[a]
        return b"\n".join((b"\t" if tabs else b" ").join(row) for row in rows), Damage(kind, known=headed)
    if kind == "values swapped":
        other = data.swapcase() if rng.random() < 0.5 else data.replace(b".", b",")
        return other, Damage("other case or decimal comma")
    steps = {
        "bytes": ["flip", "cut"],
        "text": ["put", "replace"],
        "lines": ["double line", "drop line", "swap lines"],
        "fields": ["drop field", "field"],
    }[kind]
    for _ in range(rng.integers(1, 5)):
        step = steps[rng.integers(len(steps))]
        extra: Any = {"flip": int(rng.integers(1, 256)), "cut": int(rng.integers(1, 41)), "swap lines": rng.random()}
        value = extra.get(step, NASTY[rng.integers(len(NASTY))] if rng.random() < 0.9 else b"")
        data = mutate(data, (step, rng.random(), value))
    return data, Damage(WORDS[kind])


def _flipped(data: bytes, rng: np.random.Generator) -> bytes:
    """Return bytes with some of them flipped, lost, set to 0, or the end cut off."""
    out, kind = bytearray(data), rng.integers(4)
    at = int(rng.integers(len(out)))
    if kind == 0:
        return bytes(out[:at])
    if kind == 1:
        out[at : at + int(rng.integers(1, 200))] = b""
    elif kind == 2:
        stop = min(len(out), at + int(rng.integers(1, 200)))
        out[at:stop] = bytes(stop - at)
    else:
        for place in rng.integers(len(out), size=rng.integers(1, 7)):
            out[place] ^= int(rng.integers(1, 256))
    return bytes(out)


def flip_file(path: Path, rng: np.random.Generator) -> Damage:
    """Damage the bytes of a binary file."""
    data = path.read_bytes()
    cut = rng.random() < 0.2
    path.write_bytes(data[: rng.integers(len(data))] if cut else _flipped(data, rng))
    return Damage("cut off", known=True) if cut else Damage("bytes flipped or lost")


VALUES: tuple[Any, ...] = (
    *(np.zeros(0, np.int32), np.ones(1, np.int64), np.full(7, -3, np.int32), np.full(5, 2**62), np.linspace(0, 1, 9)),
    *(5, np.ones((3, 4)), np.array([np.nan, np.inf, -1.0]), b"text", np.array([b"a", b"b"])),
)


def damage_hdf5(path: Path, rng: np.random.Generator) -> Damage:
    """Damage the bytes, or lose, replace or change an element."""
    if rng.random() < 0.5:
        return flip_file(path, rng)
    with h5py.File(path, "r+") as store:
        names: list[str] = []
        store.visit(names.append)
        name = names[rng.integers(len(names))]
        kind = rng.integers(4)
        element = store[name]
        if kind == 0:
            del store[name]
            return Damage("element lost")
        if kind == 1 and element.attrs:
            key = list(element.attrs)[rng.integers(len(element.attrs))]
            if rng.random() < 0.3:
                del element.attrs[key]
            else:
                element.attrs[key] = VALUES[rng.integers(len(VALUES))]
            return Damage("attribute lost or replaced")
        if kind == 2 and isinstance(element, h5py.Dataset) and element.size and element.dtype.kind in "iuf":
            values = element[()]
            if values.ndim:
                some = rng.integers(values.size, size=rng.integers(1, 4))
                values.ravel()[some] = rng.choice([-1, 0, 1, 10**6, 2**30], size=len(some))
                element[...] = values
                return Damage("values changed")
        del store[name]
        store[name] = VALUES[rng.integers(len(VALUES))]
    return Damage("element replaced")


def damage_folder(path: Path, rng: np.random.Generator) -> Damage:
    """Lose, empty or damage a file of a zarr store, or change a value of its metadata."""
    files = sorted(p for p in path.rglob("*") if p.is_file())
    meta = [p for p in files if p.name in ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata")]
    chunks = [p for p in files if p not in meta]
    if rng.random() < 0.5:
        file = chunks[rng.integers(len(chunks))]
        kind = rng.integers(4)
        if kind == 0:
            file.unlink()
            return Damage(
                "chunk lost", known="/X/" in str(file)
            )  # elsewhere it can be right: fill values are not stored
        if kind == 1:
            file.write_bytes(b"")
            return Damage("chunk emptied", known=True)
        return Damage(f"chunk: {flip_file(file, rng).kind}")
    file = meta[rng.integers(len(meta))]
    if rng.random() < 0.4:
        flip_file(file, rng)
        return Damage("metadata: bytes flipped or lost")
    value = json.loads(file.read_text())
    _change_json(value, rng)
    file.write_text(json.dumps(value))
    return Damage("metadata: values changed")


def _change_json(value: Any, rng: np.random.Generator) -> None:
    """Replace or lose one entry somewhere in nested dicts and lists."""
    while isinstance(value, (dict, list)) and value:
        key = list(value)[rng.integers(len(value))] if isinstance(value, dict) else int(rng.integers(len(value)))
        if not isinstance(value[key], (dict, list)) or not value[key] or rng.random() < 0.2:
            if isinstance(value, dict) and rng.random() < 0.3:
                del value[key]
            else:
                value[key] = [None, -1, 0, 7, 2**40, "text", [], {}, [3], "<i2", 1.5][rng.integers(11)]
            return
        value = value[key]


def damage_bundle(path: Path, rng: np.random.Generator) -> Damage:
    """Lose or damage a file of a folder with a Matrix Market matrix."""
    files = sorted(path.iterdir())
    file = files[rng.integers(len(files))]
    if rng.random() < 0.1:
        file.unlink()
        return Damage("file lost")
    packed = file.suffix == ".gz"
    data = file.read_bytes()
    if packed and rng.random() < 0.4:
        file.write_bytes(_flipped(data, rng))
        return Damage("gzip stream", known=True)
    data, found = damaged_text(gzip.decompress(data) if packed else data, rng, headed=False)
    file.write_bytes(gzip.compress(data, mtime=0) if packed else data)
    return Damage(f"{found.kind}")


def damage_rds(path: Path, rng: np.random.Generator) -> Damage:
    """Damage the gzip stream, or what is in it."""
    data = path.read_bytes()
    if rng.random() < 0.3:
        path.write_bytes(_flipped(data, rng))
        return Damage("gzip stream", known=True)
    path.write_bytes(gzip.compress(_flipped(gzip.decompress(data), rng), mtime=0))
    return Damage("bytes flipped or lost")


def damage_fragments(path: Path, rng: np.random.Generator) -> Damage:
    """Damage a fragment file, packed or not."""
    data = path.read_bytes()
    packed = path.suffix == ".gz"
    if packed and rng.random() < 0.4:
        path.write_bytes(_flipped(data, rng))
        return Damage("gzip stream", known=True)
    data, found = damaged_text(gzip.decompress(data) if packed else data, rng, headed=False)
    path.write_bytes(gzip.compress(data, mtime=0) if packed else data)
    return found


def _backed(path: Path) -> AnnData:
    """Read a store by blocks, all of it, as fits do."""
    adata = sk.read(path, backed=True)
    try:
        sk.pp.tfidf(adata)
        counts = sparse.vstack([block for _, block in iter_row_blocks(adata.X)], format="csr")
        return AnnData(counts, obs=pd.DataFrame(index=adata.obs_names), var=pd.DataFrame(index=adata.var_names))
    finally:
        if adata.isbacked:
            adata.file.close()


def _r(path: Path) -> Any:
    return sk.r.read(path, engine="python")


def _count(path: Path) -> AnnData:
    return sk.read_fragments(path, ["chr1:0-5000", "chr1:6000-9000", "chr2:0-9999"], ["c1", "c2", "c3"])


def write_whole(folder: Path) -> dict[str, Form | None]:
    """Write whole files of every format into a folder and return the formats; None where R or a package is missing."""
    texts = {name: text_form(name) for name in [*TEXTS, *MORE_TEXTS]}
    forms: dict[str, Form | None] = {**texts}
    for name, form in texts.items():
        lines = MORE_TEXTS[name][1] if name in MORE_TEXTS else None
        place = folder / name / form.name
        place.parent.mkdir()
        place.write_bytes(content(name) if lines is None else "\n".join([*lines, ""]).encode())
    rng = np.random.default_rng(0)
    values = sparse.csr_matrix((rng.random((CELLS, PEAKS)) < 0.3) * rng.integers(1, 4, (CELLS, PEAKS)))
    starts = np.arange(PEAKS) * 1000
    names = pd.Index([f"chr{1 + k % 3}:{s}-{s + 500}" for k, s in enumerate(starts)])
    cells = pd.Index([f"cell{k}" for k in range(CELLS)])
    obs = pd.DataFrame({"type": pd.Categorical(np.where(np.arange(CELLS) % 2, "a", "b")), "n": 1.5}, index=cells)
    adata = AnnData(values.astype(np.float32), obs=obs, var=pd.DataFrame(index=names))
    adata.obsm["X_pca"] = rng.random((CELLS, 3))
    adata.uns["made"] = {"by": "hand", "k": 3}
    stores = {
        **{"h5ad": ("a.h5ad", sk.read, damage_hdf5), "h5ad, gzip, CSC": ("g.h5ad", sk.read, damage_hdf5)},
        **{"h5ad, dense": ("d.h5ad", sk.read, damage_hdf5), "h5ad, backed": ("a.h5ad", _backed, damage_hdf5)},
        **{"zarr 2": ("a.zarr", sk.read, damage_folder), "zarr 3": ("b.zarr", sk.read, damage_folder)},
        **{"zarr 3, backed": ("b.zarr", _backed, damage_folder), "zarr, zipped": ("z.zarr.zip", sk.read, flip_file)},
        **{"h5mu": ("m.h5mu", sk.read, damage_hdf5), "10x .h5": ("t.h5", sk.read, damage_hdf5)},
        **{"10x folder": ("outs", sk.read, damage_bundle), "mtx folder": ("geo", sk.read, damage_bundle)},
        **{"fragments": ("f.tsv", _count, damage_fragments), "fragments, gzip": ("f.tsv.gz", _count, damage_fragments)},
        **{".rds, table": ("t.rds", _r, damage_rds), ".rds, experiment": ("e.rds", _r, damage_rds)},
        **{".RData": ("t.rdata", _r, damage_rds)},
    }
    for name, (file, reader, damage) in stores.items():
        (folder / name).mkdir()
        try:
            WRITERS[file](folder / name / file, adata)
        except (ImportError, OSError) as err:
            print(f"left out: {name}: {err}", file=sys.stderr)
            forms[name] = None
        else:
            forms[name] = Form(file, reader, damage)
    return forms


def _write_gzip(path: Path, adata: AnnData) -> None:
    other = adata.copy()
    other.X = adata.X.tocsc()
    other.write_h5ad(path, compression="gzip")


def _write_dense(path: Path, adata: AnnData) -> None:
    other = adata.copy()
    other.X = adata.X.toarray()
    other.write_h5ad(path)


def _write_zarr(path: Path, adata: AnnData, version: int = 2) -> None:
    with anndata.settings.override(zarr_write_format=version), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adata.write_zarr(path)


def _write_zip(path: Path, adata: AnnData) -> None:
    _write_zarr(path.with_name("x.zarr"), adata, 3)
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(path.with_name("x.zarr").rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(path.with_name("x.zarr")))
    shutil.rmtree(path.with_name("x.zarr"))


def _write_h5mu(path: Path, adata: AnnData) -> None:
    import mudata

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rna = AnnData(np.ones((CELLS, 2), np.float32), obs=pd.DataFrame(index=adata.obs_names))
        mudata.MuData({"atac": adata.copy(), "rna": rna}).write(path)


def _write_10x(path: Path, adata: AnnData) -> None:
    peaks = sparse.csc_matrix(adata.X.T.astype(np.int32))
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        group["data"], group["indices"], group["indptr"] = peaks.data, peaks.indices, peaks.indptr
        group["shape"] = peaks.shape
        ids = adata.var_names.to_numpy(object).astype("S")
        group["barcodes"] = adata.obs_names.to_numpy(object).astype("S")
        kinds = np.full(PEAKS, b"Peaks")
        for key, value in {"id": ids, "name": ids, "feature_type": kinds, "genome": np.full(PEAKS, b"hg38")}.items():
            group[f"features/{key}"] = value


def _mtx(adata: AnnData) -> bytes:
    coo = adata.X.T.tocoo()
    lines = ["%%MatrixMarket matrix coordinate integer general", f"{PEAKS} {CELLS} {coo.nnz}"]
    lines += [f"{i + 1} {j + 1} {int(v)}" for i, j, v in zip(coo.row, coo.col, coo.data, strict=True)]
    return "\n".join([*lines, ""]).encode()


def _bed(adata: AnnData) -> bytes:
    return "".join(name.replace(":", "\t").replace("-", "\t") + "\n" for name in adata.var_names).encode()


def _cells(adata: AnnData) -> bytes:
    return "".join(f"{name}\n" for name in adata.obs_names).encode()


def _write_10x_folder(path: Path, adata: AnnData) -> None:
    path.mkdir()
    for name, data in {"matrix.mtx": _mtx(adata), "peaks.bed": _bed(adata), "barcodes.tsv": _cells(adata)}.items():
        (path / name).write_bytes(data)


def _write_geo_folder(path: Path, adata: AnnData) -> None:
    path.mkdir()
    features = "".join(f"{name}\t{name}\tPeaks\n" for name in adata.var_names).encode()
    parts = {"matrix.mtx": _mtx(adata), "features.tsv": features, "barcodes.tsv": _cells(adata)}
    for name, data in parts.items():
        (path / f"GSM1_{name}.gz").write_bytes(gzip.compress(data, mtime=0))


def _write_fragments(path: Path, adata: AnnData) -> None:
    rng = np.random.default_rng(1)
    rows = sorted((f"chr{1 + k % 2}", int(s), int(s) + 50 + k) for k, s in enumerate(rng.integers(0, 9000, 80)))
    lines = ["# id=toy", *(f"{c}\t{s}\t{e}\tc{1 + k % 3}\t{1 + k % 2}" for k, (c, s, e) in enumerate(rows))]
    data = "\n".join([*lines, ""]).encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def _write_rds_table(path: Path, adata: AnnData) -> None:
    import rdata

    rdata.write_rds(path, pd.DataFrame({"a": [1.5, 2.0, 3.0], "b": ["x", "y", "z"]}))


def _write_rdata(path: Path, adata: AnnData) -> None:
    import rdata

    rdata.write_rda(path, {"t": pd.DataFrame({"a": [1.5, 2.0, 3.0]}), "k": np.arange(3.0)})


def _write_experiment(path: Path, adata: AnnData) -> None:
    sk.r.write(adata, path)


WRITERS: dict[str, Callable[[Path, AnnData], None]] = {
    **{"a.h5ad": lambda p, a: a.write_h5ad(p), "g.h5ad": _write_gzip, "d.h5ad": _write_dense},
    **{"a.zarr": _write_zarr, "b.zarr": lambda p, a: _write_zarr(p, a, 3), "z.zarr.zip": _write_zip},
    **{"m.h5mu": _write_h5mu, "t.h5": _write_10x, "outs": _write_10x_folder, "geo": _write_geo_folder},
    **{"f.tsv": _write_fragments, "f.tsv.gz": _write_fragments, "t.rds": _write_rds_table},
    **{"e.rds": _write_experiment, "t.rdata": _write_rdata},
}

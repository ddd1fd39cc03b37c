"""`sk.read_fragments`: what people's files hold, what is left out and said, and what is refused."""

import gzip
import logging

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

import sccase_kit as sk
from sccase_kit.fragments import scan

SIZES = {"chr1": 100_000, "chr2": 100_000, "chr10": 100_000, "chrM": 50_000}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(5)
    n = 4000
    found = pd.DataFrame({"chrom": rng.choice(["chr1", "chr2", "chr10", "chrM"], n, p=[0.5, 0.3, 0.1, 0.1])})
    found["start"] = rng.integers(0, 30_000, n)
    found["end"] = found["start"] + rng.integers(20, 700, n)
    found["barcode"] = rng.choice([f"AC{i:02d}GT-1" for i in range(40)], n)
    found["reads"] = rng.integers(1, 5, n)
    return found.sort_values(["chrom", "start", "end"], ignore_index=True)


@pytest.fixture(scope="module")
def peaks():
    rng = np.random.default_rng(6)
    found = pd.DataFrame({"chrom": rng.choice(["chr1", "chr2", "chr10"], 60), "start": rng.integers(0, 30_000, 60)})
    found["end"] = found["start"] + rng.integers(1, 1500, 60)
    return found.assign(score=np.arange(60))


@pytest.fixture(scope="module")
def cells(table):
    return sorted(set(table["barcode"]))[:30]


def write(path, table, *, head="", columns=5, end="\n"):
    text = head + table.iloc[:, :columns].to_csv(sep="\t", header=False, index=False, lineterminator=end)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.fixture
def file(tmp_path, table):
    return write(tmp_path / "fragments.tsv.gz", table)


def expected(table, peaks, cells, counting="fragments"):
    row = {b: i for i, b in enumerate(cells)}
    out = np.zeros((len(cells), len(peaks)), dtype=int)
    kept = table[table["barcode"].isin(cells)]
    for j, (chrom, start, end) in enumerate(peaks[["chrom", "start", "end"]].itertuples(index=False)):
        met = kept[(kept["chrom"] == chrom) & (kept["start"] < end) & (kept["end"] > start)]
        first = met["start"].between(start, end - 1).to_numpy(int)
        last = (met["end"] - 1).between(start, end - 1).to_numpy(int)
        times = {"fragments": np.ones(len(met), int), "insertions": first + last, "paired": first | last}[counting]
        np.add.at(out[:, j], [row[b] for b in met["barcode"]], times)
    return out


@pytest.mark.parametrize("counting", ["fragments", "insertions", "paired"])
@pytest.mark.parametrize("threads", [1, 3])
def test_counts_against_every_comparison(file, table, peaks, cells, counting, threads, monkeypatch):
    monkeypatch.setattr("sccase_kit.fragments.inflate.COMPRESSED", 3000)
    monkeypatch.setattr("sccase_kit.fragments.inflate._AT_ONCE", 20_000)
    with sk.settings.override(n_threads=threads):
        found = sk.read_fragments(file, peaks, cells, counting=counting)
    assert isinstance(found.X, sparse.csr_matrix)
    assert found.X.dtype == np.int32
    assert found.X.has_canonical_format
    found.X.check_format()
    assert np.array_equal(found.X.toarray(), expected(table, peaks, cells, counting))
    assert found.obs_names.tolist() == cells
    assert found.var["score"].tolist() == list(range(60))
    assert found.var["start"].dtype == found.var["end"].dtype == np.int64
    assert found.uns["fragments"]["files"].loc[:, "sorted"].all()


def test_unsorted_files_give_the_same(tmp_path, table, peaks, cells, monkeypatch):
    monkeypatch.setattr("sccase_kit.fragments.inflate.PLAIN", 10_000)
    path = write(tmp_path / "f.tsv", table.sample(frac=1, random_state=0))
    found = sk.read_fragments(path, peaks, cells)
    assert np.array_equal(found.X.toarray(), expected(table, peaks, cells))
    assert not found.uns["fragments"]["files"]["sorted"].any()


def test_chromosomes_that_come_back_in_a_later_block_are_seen(tmp_path, table, peaks, cells, monkeypatch):
    monkeypatch.setattr("sccase_kit.fragments.inflate.PLAIN", 10_000)
    path = write(tmp_path / "f.tsv", pd.concat([table, table]))
    assert not sk.read_fragments(path, peaks, cells).uns["fragments"]["files"]["sorted"].any()


@pytest.mark.parametrize(
    ("columns", "end", "head"),
    [
        (5, "\n", "# id=x\n# description=y\n"),
        (5, "\r\n", ""),
        (4, "\n", ""),
        (4, "\r\n", "#chrom\tstart\tend\tbarcode\r\n"),
        (5, "\n", "chrom\tstart\tend\tbarcode\treads\n"),
        (5, "\n", "\n"),
    ],
)
def test_other_ways_to_write_the_same(tmp_path, table, peaks, cells, columns, end, head):
    found = sk.read_fragments(write(tmp_path / "f.tsv", table, head=head, columns=columns, end=end), peaks, cells)
    assert np.array_equal(found.X.toarray(), expected(table, peaks, cells))
    assert ("duplicate_rate" in found.obs) == (columns == 5)


def test_quality_against_pandas(file, table, peaks, cells):
    tss = pd.DataFrame({"chrom": ["chr1", "chr1", "chr2"], "tss": [5000, 9000, 7000], "strand": ["+", "-", "+"]})
    tss["gene_id"] = ["a", "b", "c"]
    found = sk.read_fragments(file, peaks, cells, tss=tss, genome=SIZES)
    wide = table.merge(peaks.reset_index(), on="chrom", suffixes=("", "_peak"))
    hit = wide[(wide["start"] < wide["end_peak"]) & (wide["end"] > wide["start_peak"])]
    hit = set(zip(hit["chrom"], hit["start"], hit["end"], hit["barcode"], strict=True))
    for cell in cells[:5]:
        own = table[table["barcode"] == cell]
        got = found.obs.loc[cell]
        assert got["n_fragments"] == len(own)
        assert got["n_reads"] == own["reads"].sum()
        assert got["duplicate_rate"] == pytest.approx(1 - len(own) / own["reads"].sum())
        assert got["fraction_mito"] == pytest.approx((own["chrom"] == "chrM").mean())
        nuclear = own[own["chrom"] != "chrM"]
        length = nuclear["end"] - nuclear["start"]
        mono = ((length >= 147) & (length < 294)).sum()
        assert got["nucleosome_signal"] == pytest.approx(mono / (length < 147).sum())
        met = [place in hit for place in zip(own["chrom"], own["start"], own["end"], own["barcode"], strict=True)]
        assert got["n_in_peaks"] == sum(met)
        assert got["frip"] == pytest.approx(sum(met) / len(nuclear))
        middle = flank = 0
        for chrom, site in zip(tss["chrom"], tss["tss"], strict=True):
            here = own[own["chrom"] == chrom]
            away = np.abs(np.concatenate([here["start"], here["end"] - 1]) - site)
            middle += (away <= 50).sum()
            flank += ((away > 1900) & (away <= 2000)).sum()
        assert got["tss_enrichment"] == pytest.approx(2 * (middle / 101) / max(flank / 100, 0.2))
    lengths = table.loc[table["barcode"].isin(cells) & (table["chrom"] != "chrM"), ["start", "end"]]
    counts = np.bincount(lengths["end"] - lengths["start"], minlength=1001)
    assert np.array_equal(found.uns["fragments"]["lengths"].iloc[:, 0], counts)


def test_cells_are_called_by_depth(tmp_path, table, peaks, caplog):
    rng = np.random.default_rng(0)
    noise = table.sample(300, random_state=1).assign(barcode=rng.choice([f"N{i}" for i in range(150)], 300))
    path = write(tmp_path / "f.tsv", pd.concat([table, noise]))
    with caplog.at_level(logging.INFO, "sccase_kit"):
        found = sk.read_fragments(path, peaks, min_fragments=1)
    assert found.obs_names.tolist() == sorted(set(table["barcode"]))
    assert "are taken for cells" in caplog.text
    curve = found.uns["fragments"]["barcode_rank"]["f"]
    assert curve["fragments"].is_monotonic_decreasing
    assert curve["cell"].sum() <= found.n_obs
    again = sk.read_fragments(path, peaks, 95)
    counts = table["barcode"].value_counts()
    assert again.obs_names.tolist() == sorted(counts.index[counts >= 95])


def test_no_barcode_is_deep_enough(file, peaks):
    with pytest.raises(ValueError, match=r"no barcode has 5000 .* lower cells="):
        sk.read_fragments(file, peaks, 5000)
    with pytest.raises(ValueError, match="lower min_fragments="):
        sk.read_fragments(file, peaks, min_fragments=5000)


@pytest.mark.parametrize("kind", ["list", "index", "file", "csv", "AnnData", "DataFrame"])
def test_ways_to_name_cells(tmp_path, file, peaks, cells, kind):
    given = {"list": cells, "index": pd.Index(cells), "AnnData": AnnData(obs=pd.DataFrame(index=cells))}
    given["DataFrame"] = pd.DataFrame({"barcode": cells})
    if kind == "file":
        given[kind] = tmp_path / "barcodes.tsv.gz"
        given[kind].write_bytes(gzip.compress("\n".join(cells).encode()))
    if kind == "csv":
        given[kind] = tmp_path / "singlecell.csv"
        rows = ["barcode,total,is__cell_barcode", "NO_BARCODE,9,0", *(f"{c},5,1" for c in cells), "AC39GT-1,1,0"]
        given[kind].write_text("\n".join(rows) + "\n")
    assert sk.read_fragments(file, peaks, given[kind]).obs_names.tolist() == cells


def test_several_samples(tmp_path, table, peaks, cells, caplog):
    for name in ("a", "b"):
        (tmp_path / name / "outs").mkdir(parents=True)
    one = write(tmp_path / "a" / "outs" / "fragments.tsv.gz", table)
    two = write(tmp_path / "b" / "outs" / "fragments.tsv.gz", table.iloc[::2])
    with caplog.at_level(logging.INFO, "sccase_kit"):
        found = sk.read_fragments([one, two], peaks, cells)
    assert found.obs["sample"].cat.categories.tolist() == ["a", "b"]
    assert found.obs_names[0] == f"a#{cells[0]}"
    assert found.obs_names.is_unique
    assert "cells in several samples" in caplog.text
    assert np.array_equal(found.X[30:].toarray(), expected(table.iloc[::2], peaks, cells))
    again = sk.read_fragments({"a": one, "b": two}, peaks, found)
    assert (again.X != found.X).nnz == 0
    named = sk.read_fragments({"a": one, "b": two}, peaks, found.obs_names[:31])
    assert named.obs["sample"].value_counts().to_dict() == {"a": 30, "b": 1}
    each = sk.read_fragments({"x": one, "y": two}, peaks, {"x": cells[:3], "y": 20})
    assert each.obs["sample"].value_counts()["x"] == 3
    with pytest.raises(KeyError, match=r"no entry for the samples \['y'\]"):
        sk.read_fragments({"x": one, "y": two}, peaks, {"x": cells})
    with pytest.raises(ValueError, match="repeat; pass a dict"):
        sk.read_fragments([one, one], peaks, cells)


@pytest.mark.parametrize("style", ["fragments", "peaks"])
def test_chromosomes_named_in_the_other_style(tmp_path, table, peaks, cells, style):
    bare = {"fragments": table, "peaks": peaks}[style].copy()
    bare["chrom"] = bare["chrom"].str.removeprefix("chr")
    given = {"fragments": table, "peaks": peaks} | {style: bare}
    found = sk.read_fragments(write(tmp_path / "f.tsv", given["fragments"]), given["peaks"], cells)
    assert np.array_equal(found.X.toarray(), expected(table, peaks, cells))
    assert found.var["chrom"].iloc[0] == given["peaks"]["chrom"].iloc[0]


def test_chromosomes_by_accession(tmp_path, table, peaks, cells):
    names = {"chr1": "NC_000001.11", "chr2": "CM000664.2", "chr10": "NC_000010.11", "chrM": "MT"}
    path = write(tmp_path / "f.tsv", table.assign(chrom=table["chrom"].map(names)))
    found = sk.read_fragments(path, peaks, cells)
    assert np.array_equal(found.X.toarray(), expected(table, peaks, cells))
    assert found.obs["fraction_mito"].sum() > 0


def test_read_says_what_fragments_need(file):
    with pytest.raises(sk.io.FormatError, match=r"columns of fragments.*read_fragments"):
        sk.read(file)


def test_tiles(file, table, cells):
    found = sk.read_fragments(file, cells=cells, tiles=1000, genome=SIZES)
    assert found.n_vars == 300
    assert found.var["chrom"].unique().tolist() == ["chr1", "chr2", "chr10"]
    tiles = found.var[["chrom", "start", "end"]]
    assert np.array_equal(found.X.toarray(), expected(table, tiles, cells))


def test_fragments_left_out_are_counted(tmp_path, table, peaks, cells):
    odd = pd.DataFrame(
        {"chrom": ["chr1", "chr2", "chrUn", "chr1"], "start": [99_990, 50, 5, 10], "end": [100_001, 50, 9, 4]}
    ).assign(barcode=cells[0], reads=1)
    path = write(tmp_path / "f.tsv", pd.concat([table, odd]))
    pattern = r"left out: 1 lie on sequences .*chrUn.*; 1 reach beyond .*chr1.*; 2 end where"
    with pytest.warns(UserWarning, match=pattern):
        found = sk.read_fragments(path, peaks, cells, genome=SIZES)
    row = found.uns["fragments"]["files"].iloc[0]
    assert (row["unknown_sequence"], row["beyond_the_end"], row["without_length"]) == (1, 1, 2)
    assert np.array_equal(found.X.toarray(), expected(table, peaks, cells))


def test_cells_without_fragments_and_repeated_lines_are_said(tmp_path, table, peaks, cells):
    path = write(tmp_path / "f.tsv", table.loc[np.repeat(table.index, 2)])
    with pytest.warns(UserWarning, match="1 of 31 cells have no fragment"), pytest.warns(UserWarning, match="repeat"):
        found = sk.read_fragments(path, peaks, [*cells, "GONE-1"])
    assert found.obs["frip"].isna().sum() == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chr1\t1\t5\n", r"line 1: .*got 3 columns.*no barcodes"),
        ("chr1\t1\t5\tA\nchr1 1 5 A 1\n", r"line 2: .*separated by tabs; got 1 column:"),
        ("#x\nchr1\t1\tx\tA\n", r"line 2: start and end must be integers"),
        ("", "is empty"),
        ("# only\n", "is empty"),
    ],
)
def test_lines_that_are_no_fragments(tmp_path, peaks, text, message):
    path = tmp_path / "f.tsv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        sk.read_fragments(path, peaks, ["A"])


def test_the_line_of_an_error_is_counted_over_blocks(tmp_path, table, peaks, cells, monkeypatch):
    monkeypatch.setattr("sccase_kit.fragments.inflate.PLAIN", 10_000)
    head = "chrom\tstart\tend\tbarcode\treads\n"
    path = write(tmp_path / "f.tsv", table, head=head)
    with path.open("a") as handle:
        handle.write("chr1\tx\n")
    for wanted in (cells, None):
        with pytest.raises(ValueError, match=f"line {len(table) + 2}: "):
            sk.read_fragments(path, peaks, wanted)


def test_a_truncated_file_is_refused(file, peaks, cells):
    file.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(ValueError, match="end early"):
        sk.read_fragments(file, peaks, cells)


def test_barcodes_that_match_nothing(file, peaks, cells):
    with pytest.raises(ValueError, match=r"none of its fragments has a barcode of cells=.*-1.*same suffix"):
        sk.read_fragments(file, peaks, [c.removesuffix("-1") for c in cells])


def test_chromosomes_that_match_nothing(file, peaks, cells):
    other = peaks.assign(chrom="scaffold_7")
    with pytest.raises(ValueError, match=r"no fragment lies on a chromosome of the peaks.*chr1.*scaffold_7"):
        sk.read_fragments(file, other, cells)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"peaks": None}, ValueError, "either peaks= .* or tiles="),
        ({"tiles": 500}, ValueError, "either peaks="),
        ({"peaks": None, "tiles": 500}, ValueError, "needs genome="),
        ({"counting": "cuts"}, ValueError, "counting must be one of"),
        ({"cells": []}, ValueError, "cells is empty"),
        ({"cells": ["A", "A"]}, ValueError, "more than once, such as 'A'"),
        ({"cells": 0}, ValueError, "at least 1"),
        ({"cells": 1.5}, TypeError, "cells must be barcodes"),
        ({"cells": "nowhere.tsv"}, FileNotFoundError, "no file 'nowhere.tsv'"),
        ({"fragments": "nowhere.tsv"}, FileNotFoundError, "no file 'nowhere.tsv'"),
        ({"fragments": 3}, TypeError, "fragments must be a file"),
        ({"fragments": [3]}, TypeError, "names of files"),
        ({"fragments": []}, ValueError, "fragments is empty"),
        ({"fragments": {"a/b": __file__}}, ValueError, "must not be empty or hold '/'"),
    ],
)
def test_arguments(file, peaks, cells, arguments, error, message):
    given = {"fragments": file, "peaks": peaks, "cells": cells} | arguments
    with pytest.raises(error, match=message):
        sk.read_fragments(given.pop("fragments"), **given)


def test_a_folder_is_refused(tmp_path, peaks):
    with pytest.raises(IsADirectoryError, match=r"fragments\.tsv\.gz"):
        sk.read_fragments(tmp_path, peaks)


def test_peaks_given_twice_are_kept_once(file, peaks, cells):
    with pytest.warns(UserWarning, match="1 of 61 are there more than once"):
        found = sk.read_fragments(file, pd.concat([peaks, peaks.iloc[:1]]), cells)
    assert found.n_vars == 60


def test_the_result_survives_a_file(tmp_path, file, peaks, cells):
    found = sk.read_fragments(file, peaks, cells)
    found.write_h5ad(tmp_path / "a.h5ad")
    again = sk.read(tmp_path / "a.h5ad")
    assert again.uns["fragments"]["files"].equals(found.uns["fragments"]["files"])
    assert again.uns["fragments"]["function"] == "io.read_fragments"


def test_files_are_as_older_anndata_reads_them(tmp_path, file, peaks, cells):
    """No empty `raw`, which anndata 0.11 refuses."""
    import h5py

    found = sk.read_fragments(file, peaks, cells)
    found.write_h5ad(tmp_path / "a.h5ad")
    sk.io.convert(tmp_path / "a.h5ad", tmp_path / "b.h5ad")
    with h5py.File(tmp_path / "a.h5ad") as theirs, h5py.File(tmp_path / "b.h5ad") as ours:
        assert set(ours) == set(theirs)


def test_nothing_is_left_running(file, peaks, cells):
    import threading

    sk.read_fragments(file, peaks, cells)
    assert not [t for t in threading.enumerate() if t.name.startswith("fragments")]


def test_memory_does_not_grow_with_the_file(tmp_path, table, peaks, cells, monkeypatch):
    """The blocks under way are few, whatever the file's length."""
    monkeypatch.setattr("sccase_kit.fragments.inflate.PLAIN", 5000)
    begun, most = [0], [0]
    work = scan._count_block

    def counted(*args):
        begun[0] += 1
        most[0] = max(most[0], begun[0])
        try:
            return work(*args)
        finally:
            begun[0] -= 1

    monkeypatch.setattr(scan, "_count_block", counted)
    sk.read_fragments(write(tmp_path / "f.tsv", pd.concat([table] * 5)), peaks, cells)
    assert most[0] <= 4

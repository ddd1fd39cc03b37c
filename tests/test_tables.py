"""Text files and delimited tables: how they are written is told, and no cell changes its place."""

import bz2
import gzip
import importlib.util
import lzma

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sccase_kit._tables import numbers, read_columns, read_table, table_layout
from sccase_kit._text_files import open_text

TEXT = "SNP\tA1\tP\nrs1\tA\t0.5\nrs2\t\t0.25\n"
PACK = {"plain": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}


def write(folder, text, name="t.txt", pack=bytes):
    path = folder / name
    path.write_bytes(pack(text.encode()))
    return path


def whole(path, text=(), **options):
    layout = table_layout(path, **options)
    columns = {name: k for k, name in enumerate(layout.names)}
    return pd.concat(read_columns(layout, columns, text=text), ignore_index=True)


@pytest.mark.parametrize("how", PACK)
def test_packed_or_not_whatever_the_name_says(tmp_path, how):
    path = write(tmp_path, TEXT, "t.csv", PACK[how])
    with open_text(path) as handle:
        assert handle.read() == TEXT
    assert read_table(path)["P"].tolist() == [0.5, 0.25]


@pytest.mark.skipif(importlib.util.find_spec("zstandard") is None, reason="zstandard is not installed")
def test_zstd(tmp_path):
    import zstandard

    assert read_table(write(tmp_path, TEXT, pack=zstandard.compress))["P"].tolist() == [0.5, 0.25]


def test_several_gzip_members_are_one_file(tmp_path):
    """Bgzip writes blocks of 64 KiB, and `cat a.gz b.gz` is a gzip file."""
    path = tmp_path / "t.bgz"
    path.write_bytes(gzip.compress(TEXT[:20].encode()) + gzip.compress(TEXT[20:].encode()))
    assert len(read_table(path)) == 2


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_texts_of_excel(tmp_path, encoding):
    path = tmp_path / "t.txt"
    path.write_bytes(TEXT.encode(encoding))
    assert read_table(path).columns.tolist() == ["SNP", "A1", "P"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04rest of a workbook", "Excel workbook; unpack it"),
        (b"PAR1....", "Parquet file; read it with pandas"),
        (gzip.compress(b"RDX3\nX\n", mtime=0), "a file of R"),
        (gzip.compress(b"BCF\x02\x02", mtime=0), "BCF file; turn it into VCF"),
        (gzip.compress(TEXT.encode() * 99, mtime=0)[:-12], "cannot be read as gzip-compressed UTF-8 text"),
        (lzma.compress(TEXT.encode() * 99)[:-12], "cannot be read as xz-compressed UTF-8 text"),
        (bz2.compress(TEXT.encode() * 99)[:-12], "cannot be read as bzip2-compressed UTF-8 text"),
        ("SNP\tTRAIT\nrs1\tSjögren\n".encode("latin-1"), "save it as UTF-8"),
        (b"l\x1b\x01\xdc\x0f", "a .bed of PLINK, which holds genotypes, not regions"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "pointer of Git LFS.* git lfs pull"),
        (b"<!DOCTYPE html>\n<html>", "a web page"),
        (b"", "is empty"),
        (b"# nothing\n", "comments .* but no data"),
    ],
)
def test_what_is_no_text_is_said(tmp_path, data, said):
    path = tmp_path / "t.txt"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=said) as caught:
        read_table(path)
    assert "t.txt" in str(caught.value)


@pytest.mark.parametrize("sep", ["\t", ",", ";", "|"])
def test_empty_cells_keep_their_place(tmp_path, sep):
    text = "SNP\tGENE\tCHR\tBP\nrs1\tX\t1\t1000\nrs2\t\t2\t2000\nrs3\t\t\t\n".replace("\t", sep)
    table = whole(write(tmp_path, text), text=("SNP", "GENE"))
    assert table["GENE"].tolist() == ["X", "", ""]
    np.testing.assert_array_equal(table["BP"], [1000, 2000, np.nan])
    assert table_layout(write(tmp_path, text)).separator == sep


def test_blanks_in_cells_between_tabs(tmp_path):
    text = "MAPPED TRAIT\tCHR ID\tP-VALUE (TEXT)\nBody height\t1\t\nwaist, hip\t2\tx\n"
    table = whole(write(tmp_path, text), text=("MAPPED TRAIT", "P-VALUE (TEXT)"))
    assert table["MAPPED TRAIT"].tolist() == ["Body height", "waist, hip"]
    assert table["CHR ID"].tolist() == [1, 2]


def test_a_lone_quote_between_tabs_swallows_nothing(tmp_path):
    text = 'SNP\tTRAIT\tP\nrs1\t"height\t0.5\nrs2\t5" nail\t0.25\n'
    assert whole(write(tmp_path, text), text=("SNP", "TRAIT"))["P"].tolist() == [0.5, 0.25]


def test_one_blank_between_cells_of_which_some_are_empty(tmp_path):
    """As SAIGE wrote for variants without an imputation score."""
    table = whole(write(tmp_path, "CHR SNP INFO BETA\n1 rs1  0.5\n2 rs2 0.9 -0.5\n3 rs3  0.1\n"), text=("SNP",))
    assert table["BETA"].tolist() == [0.5, -0.5, 0.1]
    assert table["INFO"].isna().tolist() == [True, False, True]


def test_columns_aligned_by_blanks(tmp_path):
    """As PLINK 1 writes them; the separators of the header and the rows may differ."""
    text = " CHR         SNP         BP   A1\n   1         rs1       1000    A \n  22         rs2 2000   C\n"
    table = whole(write(tmp_path, text), text=("SNP", "A1"))
    assert table.values.tolist() == [[1, "rs1", 1000, "A"], [22, "rs2", 2000, "C"]]
    mixed = "CHR\tSNP\tBP\n1 rs1 1000\n2 rs2 2000\n"
    assert whole(write(tmp_path, mixed), text=("SNP",))["BP"].tolist() == [1000, 2000]


@pytest.mark.parametrize("quote", ['"', ""])
@pytest.mark.parametrize("sep", ["\t", " ", ","])
def test_row_names_of_r(tmp_path, quote, sep):
    q = quote
    lines = [[f"{q}SNP{q}", f"{q}P{q}"], [f"{q}1{q}", f"{q}rs1{q}", "0.5"], [f"{q}2{q}", f"{q}rs2{q}", "NA"]]
    path = write(tmp_path, "".join(sep.join(line) + "\n" for line in lines))
    table = whole(path, text=("SNP",))
    assert table["SNP"].tolist() == ["rs1", "rs2"]
    np.testing.assert_array_equal(table["P"], [0.5, np.nan])
    np.testing.assert_array_equal(read_table(path, text=("SNP",))["P"], [0.5, np.nan])


@pytest.mark.parametrize(
    ("text", "names", "values"),
    [
        ("#CHROM\tPOS\tID\n1\t10\trs1\n", ["CHROM", "POS", "ID"], [["1", "10", "rs1"]]),
        ("##fileformat=x\n##b\n#CHROM\tPOS\n1\t10\n", ["CHROM", "POS"], [["1", "10"]]),
        ("# made by hand\n\nSNP\tP\nrs1\t1\n", ["SNP", "P"], [["rs1", "1"]]),
        ("# one two\nSNP P\nrs1 1\n", ["SNP", "P"], [["rs1", "1"]]),
        ("\n\nSNP,P\nrs1,1\n\nrs2,2\n", ["SNP", "P"], [["rs1", "1"], ["rs2", "2"]]),
        ("1\trs1\t0\t100\tA\tC\n", [], [["1", "rs1", "0", "100", "A", "C"]]),
        ("SNP\tP\nrs1\t1\t\nrs2\t2\t\n", ["SNP", "P"], [["rs1", "1", ""], ["rs2", "2", ""]]),
    ],
)
def test_header_and_comments(tmp_path, text, names, values):
    layout = table_layout(write(tmp_path, text))
    assert list(layout.names) == names
    assert [list(row) for row in layout.rows] == values
    assert layout.shift == 0
    columns = {str(k): k for k in range(layout.width)}
    (block,) = read_columns(layout, columns, text=list(columns))
    assert block.values.tolist() == [row[: layout.width] for row in values]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SNP A1 P\nrs1 A 0.5\nrs2 0.25\n", "line 3: 2 cells separated by blanks, expected 3.*tabs"),
        ("SNP A1 P\nrs1 A 0.5\nrs2 A b 0.25\n", "line 3: 4 cells"),
        ("SNP\tA1\tP\nrs1\tA\t0.5\n\nrs2\tA\tb\t0.25\n", "line 4: 4 cells separated by tabs, expected 3"),
        ("SNP,A1,P\nrs1,A,0.5\nrs2,A,C,0.25\n", "line 3: 4 cells separated by ','"),
    ],
)
def test_rows_of_another_length_are_named(tmp_path, text, said):
    path = write(tmp_path, text)
    with pytest.raises(ValueError, match=rf"t\.txt, {said}"):
        whole(path, text=("SNP", "A1"))
    with pytest.raises(ValueError, match=rf"t\.txt, {said}"):
        read_table(path)


def test_numbers():
    assert numbers(pd.Series(["1", " 2 ", '"3"', ".", "NA", ""]), name="x").tolist()[:3] == [1, 2, 3]
    assert numbers(pd.Series([1, 2]), name="x").dtype == np.float64
    with pytest.raises(ValueError, match=r"x: 1 of 2 values are no numbers, the first is '0,5'.*Write points"):
        numbers(pd.Series(["0,5", "1"]), name="x")
    with pytest.raises(ValueError, match="the first is 'True'"):
        numbers(pd.Series([True]), name="x")


def test_read_table_says_what_is_wrong(tmp_path):
    assert read_table(write(tmp_path, "1\t2\n3\t4\n")).columns.tolist() == ["1", "2"]
    with pytest.raises(ValueError, match="several columns called 'P'"):
        read_table(write(tmp_path, "P\tP\n1\t2\n"))
    assert len(read_table(write(tmp_path, "A\tB\n"))) == 0


@pytest.mark.parametrize("rows_at_once", [1, 2, 1000])
def test_blocks_of_rows_make_the_same_table(tmp_path, rows_at_once):
    layout = table_layout(write(tmp_path, TEXT * 1 + "".join(f"rs{k}\tC\t{k}\n" for k in range(9))))
    blocks = list(read_columns(layout, {"P": 2, "SNP": 0}, text=("SNP",), rows_at_once=rows_at_once))
    assert len(blocks) == -(-11 // rows_at_once)
    table = pd.concat(blocks)
    assert table.columns.tolist() == ["P", "SNP"]
    assert table["P"].tolist() == [0.5, 0.25, *range(9)]


@pytest.mark.parametrize("text", ["SNP\tA1\tP\n", "SNP A1 P\n", "SNP\tP\n\n\n"])
def test_a_table_without_rows(tmp_path, text):
    table = read_table(write(tmp_path, text), text=("SNP",))
    assert table.shape == (0, len(text.split()))
    assert whole(write(tmp_path, text), text=("SNP",)).shape == (0, len(text.split()))


CELLS = st.text(
    st.characters(codec="utf-8", exclude_characters='\t\r\n"#\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\0'), max_size=6
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(CELLS, CELLS, st.floats(allow_nan=False, allow_infinity=False)), min_size=1, max_size=8))
def test_what_pandas_writes_comes_back(tmp_path_factory, rows):
    table = pd.DataFrame(rows, columns=["first", "second", "number"])
    table["first"] = "k" + table["first"]
    path = tmp_path_factory.mktemp("t") / "t.tsv"
    table.to_csv(path, sep="\t", index=False, lineterminator="\n")
    got = whole(path, text=("first", "second"))
    assert got["first"].tolist() == table["first"].str.strip().tolist()
    assert got["second"].tolist() == table["second"].str.strip().tolist()
    np.testing.assert_allclose(got["number"], table["number"], rtol=1e-14)

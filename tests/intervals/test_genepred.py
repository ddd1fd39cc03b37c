"""UCSC's gene tables, as refGene.txt.gz, refFlat.txt.gz and the table browser give them."""

import gzip

import pytest

import sccase_kit as sk

EXONS = "2\t100,400,\t200,900,"
GENEPRED = f"T1\tchr1\t+\t100\t900\t150\t850\t{EXONS}"
OTHER = f"T2\tchr1\t+\t50\t900\t150\t850\t{EXONS}"
BACK = "T3\tchr2\t-\t5\t60\t5\t60\t1\t5,\t60,"
NAMES = ["G1", "G1", "G2"]
LINES = [GENEPRED, OTHER, BACK]
EXTENDED = [f"{line}\t0\t{name}\tcmpl\tcmpl\t0,0," for line, name in zip(LINES, NAMES, strict=True)]
HEADER = "#name\tchrom\tstrand\ttxStart\ttxEnd\tcdsStart\tcdsEnd\texonCount\texonStarts\texonEnds\n"
FILES = {
    "refGene": [f"585\t{line}" for line in EXTENDED],
    "genePredExt": EXTENDED,
    "refFlat": [f"{name}\t{line}" for line, name in zip(LINES, NAMES, strict=True)],
    "by blanks": [line.replace("\t", "   ") for line in EXTENDED],
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("packed", [False, True])
def test_genes(tmp_path, kind, packed):
    path = tmp_path / ("genes.txt.gz" if packed else "genes.txt")
    text = HEADER + "\n".join(FILES[kind]) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    table = sk.regions.tss_table(path)
    assert table[["chrom", "tss", "strand", "gene_id", "symbol", "start", "end"]].values.tolist() == [
        ["chr1", 50, "+", "G1", "G1", 50, 900],
        ["chr2", 59, "-", "G2", "G2", 5, 60],
    ]


def test_without_symbols_transcripts_are_genes(tmp_path):
    path = tmp_path / "genes.txt"
    path.write_text(HEADER + "\n".join(LINES) + "\n")
    assert sk.regions.tss_table(path)["gene_id"].tolist() == ["T1", "T2", "T3"]


def test_bad_lines_are_named(tmp_path):
    path = tmp_path / "genes.txt"
    path.write_text("\n".join([*EXTENDED, "T9\tchr1\t+\t1"]) + "\n")
    with pytest.raises(ValueError, match=r"genes.txt, line 4: expected a line of UCSC's gene tables, got 'T9"):
        sk.regions.tss_table(path)
    path.write_text("T1\tchr1\t+\t100\t900\t150\t850\t3\t100,400,\t200,900,\n")
    with pytest.raises(ValueError, match="UCSC's refGene"):
        sk.regions.tss_table(path)

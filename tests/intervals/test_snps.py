"""SNPs with positions, out of whatever people hold."""

import gzip

import pandas as pd
import pytest

from sccase_kit.regions import read_snps

WANTED = [["1", 1000, "rs1"], ["X", 2000, "rs2"]]
SHAPES = {
    "HapMap3 list": "rsid\tchr\tpos\nrs1\t1\t1000\nrs2\tX\t2000\n",
    "PLINK .bim": "1\trs1\t0\t1000\tA\tC\nX\trs2\t0.1\t2000\tG\tT\n",
    "PLINK .bim by blanks": "1 rs1 0 1000 A C\nX  rs2 0.1 2000 G T\n",
    "PLINK .map": "1\trs1\t0\t1000\nX\trs2\t0.1\t2000\n",
    "BED4": "1\t999\t1000\trs1\nX\t1999\t2000\trs2\n",
    "BED with a track line": "#track of SNPs\n1\t999\t1000\trs1\t0\t+\nX\t1999\t2000\trs2\t0\t+\n",
    "VCF": "##fileformat=VCFv4.2\n##x=<a,b>\n#CHROM\tPOS\tID\tREF\tALT\n1\t1000\trs1\tA\tC\nX\t2000\trs2\tA\tC,T\n",
    "GWAS-SSF": "chromosome\tbase_pair_location\teffect_allele\tbeta\trsid\tvariant_id\n"
    "1\t1000\tA\t\trs1\t1_1000_A_C\nX\t2000\tC\t0.1\trs2\tX_2000_C_T\n",
    "METAL with places": "MarkerName\tCHR\tPOS\tAllele1\nrs1\t1\t1000\ta\nrs2\tX\t2000\tc\n",
    "UCSC gwasCatalog": "#bin\tchrom\tchromStart\tchromEnd\tname\n585\t1\t999\t1000\trs1\n585\tX\t1999\t2000\trs2\n",
    "PLINK .assoc": " CHR   SNP   BP  A1  F_A F_U\n   1   rs1  1000 A 0.1 0.2\n   X   rs2  2000 C NA 0.2 \n",
    "PLINK 2 .glm": "#CHROM\tPOS\tID\tREF\tALT\tA1\n1\t1000\trs1\tA\tC\tC\nX\t2000\trs2\tA\tC\tC\n",
    "REGENIE": "CHROM GENPOS ID ALLELE0 ALLELE1\n1 1000 rs1 A C\nX 2000 rs2 A C\n",
    "SAIGE": "CHR\tPOS\tMarkerID\tAllele1\tAllele2\n1\t1000\trs1\tA\tC\nX\t2000\trs2\tA\tC\n",
    "BOLT-LMM: GENPOS is a genetic position": "SNP\tCHR\tBP\tGENPOS\nrs1\t1\t1000\t0.01\nrs2\tX\t2000\t0.02\n",
    "FinnGen": "#chrom\tpos\tref\talt\trsids\n1\t1000\tA\tC\trs1\nX\t2000\tA\tC\trs2\n",
    "comma-separated, quoted": '"SNP","GENE","CHR","BP"\n"rs1","a, b","1",1000\n"rs2","","X",2000\n',
    "R's write.table": '"SNP" "CHR" "BP"\n"1" "rs1" "1" 1000\n"2" "rs2" "X" 2000\n',
    "GRanges": "seqnames\tstart\tend\twidth\tstrand\tSNP\n1\t1000\t1000\t1\t*\trs1\nX\t2000\t2000\t1\t*\trs2\n",
    "empty cells": "SNP\tGENE\tCHR\tBP\nrs1\t\t1\t1000\nrs2\t\tX\t2000\n",
    "GWAS Catalog": "DATE\tDISEASE/TRAIT\tREGION\tCHR_ID\tCHR_POS\tSNPS\tP-VALUE\n"
    '2020\tBody "height\t1p1\t1\t1000\trs1\t1E-9\n2020\tHeight\t\tX\t2000\trs2\t2E-9\n',
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape(tmp_path, shape, packed):
    path = tmp_path / "snps.txt"
    path.write_bytes(gzip.compress(SHAPES[shape].encode()) if packed else SHAPES[shape].encode())
    table = read_snps(path)
    assert table.columns.tolist() == ["chrom", "pos", "snp"]
    assert table.values.tolist() == WANTED


def test_a_table_in_memory():
    table = pd.DataFrame({"hm_rsid": ["rs1"], "Chromosome": ["1"], "base.pair.location": [1e5]})
    assert read_snps(table).values.tolist() == [["1", 100_000, "rs1"]]
    with pytest.raises(ValueError, match=r"no column for \['chrom', 'pos'\].*Only SNPs with positions"):
        read_snps(table[["hm_rsid"]])


def test_ids_that_are_missing_become_places(tmp_path):
    path = tmp_path / "a.vcf"
    path.write_text("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\n1\t5\t.\n1\t6\trs6\n")
    assert read_snps(path)["snp"].tolist() == ["1:5", "rs6"]


def test_haplotypes_and_lost_associations_of_the_catalog(tmp_path):
    path = tmp_path / "catalog.tsv"
    rows = [
        "1\t10\trs1",
        "2;2\t20;21\trs2; rs3",
        "3 x 4\t30 x 40\trs4 x rs5",
        "\t\trs6",
        "5\t50\trs7; rs8",
        "1\t10\trs1",
    ]
    path.write_text("CHR_ID\tCHR_POS\tSNPS\n" + "\n".join(rows) + "\n")
    with pytest.warns(UserWarning, match="2 of 6 associations have no position of their own and are left out"):
        table = read_snps(path)
    assert table.values.tolist() == [
        ["1", 10, "rs1"],
        ["2", 20, "rs2"],
        ["2", 21, "rs3"],
        ["3", 30, "rs4"],
        ["4", 40, "rs5"],
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rs1\nrs2\n", "no positions that can be recognised"),
        ("SNP\tP\nrs1\t0.5\n", "no positions that can be recognised"),
        ("SNP\tA1\trsid\nrs1\tA\trs1\n", r"no column for \['chrom', 'pos'\]"),
        ("SNP CHR BP\nrs1 1 1000\nrs2 2000\n", "line 3: 2 cells separated by blanks, expected 3"),
        ("SNP\tCHR\tBP\nrs1\t1\t\n", "1 of 1 SNPs have no valid position, the first is 'rs1' with ''"),
        ("SNP\tCHR\tBP\tBP\nrs1\t1\t5\t5\n", "several columns called 'BP'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, said):
    path = tmp_path / "bad.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        read_snps(path)

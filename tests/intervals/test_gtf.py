"""Genes of GTF and GFF3 files as GENCODE, Ensembl, NCBI and UCSC write them."""

# ruff: noqa: E501 (lines of real files)

import gzip

import numpy as np
import pandas as pd
import pytest

from sccase_kit.regions import read_gtf, tss_table
from sccase_kit.tl import great

GENCODE = """##description: evidence-based annotation of the human genome (GRCh38), version 44
##provider: GENCODE
chr1\tHAVANA\tgene\t11869\t14409\t.\t+\t.\tgene_id "ENSG00000290825.1"; gene_type "lncRNA"; gene_name "DDX11L2"; level 2; tag "overlaps_pseudogene";
chr1\tHAVANA\ttranscript\t11869\t14409\t.\t+\t.\tgene_id "ENSG00000290825.1"; transcript_id "ENST00000456328.2"; gene_type "lncRNA"; gene_name "DDX11L2";
chr1\tHAVANA\texon\t11869\t12227\t.\t+\t.\tgene_id "ENSG00000290825.1"; gene_type "lncRNA"; gene_name "DDX11L2"; exon_number 1;
chr1\tHAVANA\tgene\t65419\t71585\t.\t-\t.\tgene_id "ENSG00000186092.7"; gene_type "protein_coding"; gene_name "OR4F5"; note "a; b";
"""
ENSEMBL = """#!genome-build GRCm39
1\tensembl\tgene\t101\t300\t.\t-\t.\tgene_id "ENSMUSG01"; gene_version "5"; gene_name "Abc"; gene_source "ensembl"; gene_biotype "protein_coding";
1\tensembl\tgene\t501\t600\t.\t+\t.\tgene_id "ENSMUSG02"; gene_version "1"; gene_source "ensembl"; gene_biotype "miRNA";
"""
ENSEMBL_GFF3 = """##gff-version 3
##sequence-region   1 1 248956422
1\tGRCh38\tchromosome\t1\t248956422\t.\t.\t.\tID=chromosome:1;Alias=CM000663.2
###
1\thavana\tpseudogene\t12010\t13670\t.\t+\t.\tID=gene:ENSG00000223972;Name=DDX11L1;biotype=transcribed_unprocessed_pseudogene;gene_id=ENSG00000223972;description=DEAD/H-box helicase 11 like 1 [Source:HGNC Symbol%3BAcc:HGNC:37102]
1\thavana\tncRNA_gene\t14404\t29570\t.\t-\t.\tID=gene:ENSG00000227232;Name=WASH7P;biotype=unprocessed_pseudogene;gene_id=ENSG00000227232
1\thavana\tgene\t65419\t71585\t.\t+\t.\tID=gene:ENSG00000186092;Name=OR4F5;biotype=protein_coding;gene_id=ENSG00000186092
1\thavana\tmRNA\t65419\t71585\t.\t+\t.\tID=transcript:ENST00000641515;Parent=gene:ENSG00000186092;biotype=protein_coding
##FASTA
>1
ACGT
"""
NCBI_GFF3 = """##gff-version 3
NC_000001.11\tRefSeq\tregion\t1\t248956422\t.\t+\t.\tID=NC_000001.11:1..248956422;Dbxref=taxon:9606
NC_000001.11\tBestRefSeq\tpseudogene\t11874\t14409\t.\t+\t.\tID=gene-DDX11L1;Dbxref=GeneID:100287102,HGNC:HGNC:37102;Name=DDX11L1;description=DEAD/H-box helicase 11 like 1;gbkey=Gene;gene=DDX11L1;gene_biotype=transcribed_pseudogene
NC_000001.11\tBestRefSeq\tgene\t65419\t71585\t.\t-\t.\tID=gene-OR4F5;Dbxref=GeneID:79501;Name=OR4F5;gbkey=Gene;gene=OR4F5;gene_biotype=protein_coding
"""
NCBI_GTF = """#gtf-version 2.2
NC_000001.11\tBestRefSeq\tgene\t65419\t71585\t.\t-\t.\tgene_id "OR4F5"; transcript_id ""; db_xref "GeneID:79501"; gbkey "Gene"; gene "OR4F5"; gene_biotype "protein_coding";
"""
UCSC = """chr1\trefGene\ttranscript\t1001\t2000\t.\t-\t.\tgene_id "ABC"; transcript_id "NM_1";  gene_name "ABC";
chr1\trefGene\texon\t1001\t1100\t.\t-\t.\tgene_id "ABC"; transcript_id "NM_1"; exon_number "1"; exon_id "NM_1.1";  gene_name "ABC";
chr1\trefGene\ttranscript\t901\t1500\t.\t-\t.\tgene_id "ABC"; transcript_id "NM_2";  gene_name "ABC";
chrX\trefGene\ttranscript\t11\t20\t.\t+\t.\tgene_id "DEF"; transcript_id "NM_3";  gene_name "DEF";
chrY\trefGene\ttranscript\t31\t40\t.\t+\t.\tgene_id "DEF"; transcript_id "NM_3_2";  gene_name "DEF";
"""
EXPECTED = {
    GENCODE: [
        ["chr1", 11868, 14409, "+", "DDX11L2", "ENSG00000290825.1", "lncRNA"],
        ["chr1", 65418, 71585, "-", "OR4F5", "ENSG00000186092.7", "protein_coding"],
    ],
    ENSEMBL: [
        ["1", 100, 300, "-", "Abc", "ENSMUSG01", "protein_coding"],
        ["1", 500, 600, "+", "ENSMUSG02", "ENSMUSG02", "miRNA"],
    ],
    ENSEMBL_GFF3: [
        ["1", 12009, 13670, "+", "DDX11L1", "ENSG00000223972", "transcribed_unprocessed_pseudogene"],
        ["1", 14403, 29570, "-", "WASH7P", "ENSG00000227232", "unprocessed_pseudogene"],
        ["1", 65418, 71585, "+", "OR4F5", "ENSG00000186092", "protein_coding"],
    ],
    NCBI_GFF3: [
        ["NC_000001.11", 11873, 14409, "+", "DDX11L1", "DDX11L1", "transcribed_pseudogene"],
        ["NC_000001.11", 65418, 71585, "-", "OR4F5", "OR4F5", "protein_coding"],
    ],
    NCBI_GTF: [["NC_000001.11", 65418, 71585, "-", "OR4F5", "OR4F5", "protein_coding"]],
    UCSC: [
        ["chr1", 900, 2000, "-", "ABC", "ABC", ""],
        ["chrX", 10, 20, "+", "DEF", "DEF", ""],
        ["chrY", 30, 40, "+", "DEF", "DEF", ""],
    ],
}
NAMES = ["gencode.gtf", "ensembl.gtf", "ensembl.gff3", "ncbi.gff", "ncbi.gtf", "ucsc.gtf"]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("text", "name"), list(zip(EXPECTED, NAMES, strict=True)), ids=NAMES)
def test_every_source(tmp_path, text, name, packed):
    path = tmp_path / (name + ".gz" * packed)
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    table = read_gtf(path)
    assert table.columns.tolist() == ["chrom", "start", "end", "strand", "gene", "gene_id", "gene_type"]
    assert table["start"].dtype == table["end"].dtype == np.int64
    assert table.values.tolist() == EXPECTED[text]


def test_types_are_chosen(tmp_path):
    path = tmp_path / "a.gtf"
    path.write_text(GENCODE)
    assert read_gtf(path, gene_type="lncRNA")["gene"].tolist() == ["DDX11L2"]
    assert len(read_gtf(path, gene_type=["lncRNA", "protein_coding"])) == 2
    with pytest.raises(ValueError, match=r"gene_type='rRNA'; it has lncRNA \(1\), protein_coding \(1\)"):
        read_gtf(path, gene_type="rRNA")


def test_genes_without_a_strand_are_left_out_and_counted(tmp_path):
    path = tmp_path / "a.gff3"
    path.write_text(NCBI_GFF3.replace("71585\t.\t-", "71585\t.\t?"))
    with pytest.warns(UserWarning, match=r"1 of 2 genes have no strand and are left out \(first: OR4F5\)"):
        assert read_gtf(path)["gene"].tolist() == ["DDX11L1"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GENCODE.replace("65419", "71586"), r"line 6: expected 1 <= start <= end, got '71586'"),
        (GENCODE.replace("65419", "x"), r"line 6: expected 1 <= start"),
        (GENCODE.replace("11869", "0"), r"line 3: expected 1 <= start"),
        ("chr1 100 200\n", r"line 1: not a line of GTF or GFF3"),
        ("chr1\ta\tgene\t1\t2\n", "line 1: a line of GTF or GFF3 has 9 cells.* got 5"),
        ("chr1\ta\tgene\t1\t2\t.\t+\t.\tfoo=1\n", "line 1: a gene without gene_id or ID"),
        ("chr1\ta\tCDS\t1\t2\t.\t+\t.\tID=c\n", "holds no gene"),
        ("", "holds no gene"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, said):
    path = tmp_path / "bad.gtf"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"bad\.gtf.*{said}"):
        read_gtf(path)


def test_a_gtf_is_a_tss_table(tmp_path):
    path = tmp_path / "genes.gtf.gz"
    path.write_bytes(gzip.compress(GENCODE.encode()))
    with pytest.warns(UserWarning, match="1 of 2 genes are not protein-coding and left out"):
        table = tss_table(path)
    assert table.values.tolist() == [["chr1", 71584, "-", "ENSG00000186092.7", "OR4F5", 65418, 71585]]
    both = tss_table(read_gtf(path))
    assert both["tss"].tolist() == [11868, 71584]
    assert both["symbol"].tolist() == ["DDX11L2", "OR4F5"]


def test_types_that_are_unknown_leave_all_genes(tmp_path):
    path = tmp_path / "genes.gtf"
    path.write_text(UCSC)
    with (
        pytest.warns(UserWarning, match=r"no gene is called protein_coding \(no types are given\); all 3 are taken"),
        pytest.warns(UserWarning, match=r"1 genes occur at a second place, which is left out \(first: DEF\)"),
    ):
        assert tss_table(path.rename(tmp_path / "b.gtf"))["tss"].tolist() == [1999, 10]


def test_great_takes_a_gtf(tmp_path):
    """The same table as the genes written by hand."""
    path = tmp_path / "genes.gff3"
    path.write_text(
        "".join(
            f"chr1\tx\tgene\t{start}\t{start + 5000}\t.\t{'+-'[k % 2]}\t.\tID=g{k};gene_id=g{k};Name=G{k};biotype=protein_coding\n"
            for k, start in enumerate(range(1_000_001, 30_000_001, 1_000_000))
        )
    )
    peaks = pd.DataFrame({"chrom": "chr1", "start": range(1_000_000, 9_000_000, 250_000)})
    peaks["end"] = peaks["start"] + 500
    sets = {"few": ["G0", "G1", "G2"], "many": [f"g{k}" for k in range(9)]}
    hand = pd.DataFrame(
        {
            "chrom": "chr1",
            "tss": [
                start - 1 if k % 2 == 0 else start + 4999
                for k, start in enumerate(range(1_000_001, 30_000_001, 1_000_000))
            ],
            "strand": ["+-"[k % 2] for k in range(29)],
            "gene_id": [f"g{k}" for k in range(29)],
            "symbol": [f"G{k}" for k in range(29)],
        }
    )
    tables = [great(peaks, "hg19", sets, tss=tss) for tss in (path, read_gtf(path), hand)]
    for table in tables[1:]:
        pd.testing.assert_frame_equal(tables[0], table)

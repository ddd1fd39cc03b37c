"""Shipped and user-given chromosome sizes, gaps and TSS tables."""

import numpy as np
import pandas as pd
import pytest

from sccase_kit.intervals.arrays import linearise, merge_intervals
from sccase_kit.intervals.genomes import fitting_genomes
from sccase_kit.regions import GENOMES, chrom_sizes, gaps, tss_table


@pytest.mark.parametrize("genome", GENOMES)
def test_shipped_tables_fit_together(genome):
    sizes, genes = chrom_sizes(genome), tss_table(genome)
    assert len(genes) > 18_000
    assert genes["gene_id"].is_unique
    assert genes["symbol"].is_unique
    assert (genes["tss"] < genes["chrom"].map(sizes)).all()
    assert (genes["tss"] == np.where(genes["strand"] == "+", genes["start"], genes["end"] - 1)).all()
    assert (genes["end"] <= genes["chrom"].map(sizes)).all()
    assert (genes["end"] - genes["start"]).between(1, 2_600_000).all()
    assert genes["gene_id"].str.startswith("ENS").mean() > 0.99
    if genome != "mm9":
        table = gaps(genome)
        assert (table["end"] <= table["chrom"].map(sizes)).all()
        union = merge_intervals(*linearise(table))
        free = sum(sizes.values()) - int((union.end - union.start).sum())
        assert free == {"hg19": 2_861_349_177, "hg38": 2_937_675_673}.get(genome, free)


def test_mm9_has_no_gaps_and_says_so():
    with pytest.warns(UserWarning, match="no gap table is shipped for mm9"):
        assert gaps("mm9").empty


def test_shipped_tss_lie_near_those_of_the_server(golden):
    ours, theirs = tss_table("hg19"), tss_table(golden / "great/data/GREATv4.genes.hg19.tsv.gz")
    assert len(theirs) == 18_549
    both = ours.merge(theirs, on=["symbol", "chrom", "strand"])
    assert len(both) > 17_000
    assert ((both["tss_x"] - both["tss_y"]).abs() <= 1_000).mean() > 0.9


def test_a_known_gene():
    genes = tss_table("hg38").set_index("symbol")
    assert genes.loc["GATA1", ["chrom", "strand", "gene_id"]].tolist() == ["chrX", "+", "ENSG00000102145"]


def test_known_gene_bodies():
    assert tss_table("hg19").set_index("symbol").loc["TAL1", ["start", "end"]].tolist() == [47_681_962, 47_695_443]
    # Genes that SIMBA places on alternate sequences only, lifted over from hg19.
    assert {"HLA-DRA", "MOG", "ELANE", "NCR1"} <= set(tss_table("hg38")["symbol"])


def test_bodies_of_tables_and_files(tmp_path):
    table = pd.DataFrame({"chrom": "chr1", "tss": [10, 39], "strand": ["+", "-"], "gene_id": [*"ab"]})
    assert "start" not in tss_table(table).columns
    bodies = tss_table(table.assign(start=[10, 20], end=[25, 40]))
    assert bodies[["start", "end"]].values.tolist() == [[10, 25], [20, 40]]
    bodies.to_csv(tmp_path / "own.tsv", sep="\t", index=False)
    pd.testing.assert_frame_equal(tss_table(tmp_path / "own.tsv"), bodies)
    (tmp_path / "genes.bed").write_text("chr1\t10\t25\ta\t0\t+\nchr1\t20\t40\tb\t0\t-\n")
    assert tss_table(tmp_path / "genes.bed")[["start", "end"]].values.tolist() == [[10, 25], [20, 40]]
    with pytest.raises(ValueError, match="gene body 30-20 of 'b' is not"):
        tss_table(table.assign(start=[10, 30], end=[25, 20]))


def test_files(tmp_path):
    path = tmp_path / "sizes"
    path.write_text("chr1\t100\nchr2 50\n")
    assert chrom_sizes(path) == {"chr1": 100, "chr2": 50}
    assert chrom_sizes({"chr1": 7}) == {"chr1": 7}
    assert chrom_sizes(pd.DataFrame({"chrom": ["a"], "length": [3]})) == {"a": 3}
    path.write_text("chr1\t100\nchr2\tx\n")
    with pytest.raises(ValueError, match="sizes, line 2"):
        chrom_sizes(path)
    with pytest.raises(FileNotFoundError, match="neither a known genome"):
        chrom_sizes("hg18")
    with pytest.raises(ValueError, match="repeated or not a positive"):
        chrom_sizes({"chr1": 0})


def test_tss_files(tmp_path):
    bed = tmp_path / "genes.bed"
    bed.write_text("chr1\t10\t20\tA\t0\t+\nchr1\t30\t40\tB\t0\t-\n")
    assert tss_table(bed)["tss"].tolist() == [10, 39]
    great = tmp_path / "great.tsv"
    great.write_text("#Gene_IDs\tCHROM\tPOS\tSTRAND\tSymbol\nE1,E2\tchr1\t10\t+\tA\nNA\tchr1\t40\t-\tB\n")
    table = tss_table(great)
    assert table["tss"].tolist() == [10, 39]
    assert table["gene_id"].tolist() == ["E1,E2", "B"]
    own = tmp_path / "own.tsv"
    table.to_csv(own, sep="\t", index=False)
    pd.testing.assert_frame_equal(tss_table(own), table)
    pd.testing.assert_frame_equal(tss_table(table), table)
    bed.write_text("chr1\t10\t20\tA\t0\t+\nchr1\t30\t40\n")
    with pytest.raises(ValueError, match=r"genes\.bed, line 2"):
        tss_table(bed)


def test_tss_errors():
    good = pd.DataFrame({"chrom": ["chr1"] * 2, "tss": [1, 2], "strand": ["+", "-"], "gene_id": ["a", "b"]})
    assert tss_table(good)["symbol"].tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="strand must be"):
        tss_table(good.assign(strand="."))
    with pytest.raises(ValueError, match="one TSS per gene"):
        tss_table(good.assign(gene_id="a"))
    with pytest.raises(KeyError, match="gene_id"):
        tss_table(good.drop(columns="gene_id"))
    with pytest.raises(ValueError, match="empty"):
        tss_table(good.iloc[:0])


def test_fitting_genomes():
    assert fitting_genomes(pd.DataFrame({"chrom": ["chr1"], "start": [0], "end": [249_250_621]})) == ["hg19"]


def test_gene_bodies_without_a_score(tmp_path):
    """As simba gives them: chrom, start, end, name, strand."""
    path = tmp_path / "genes.bed"
    path.write_text("chr19\t58858171\t58864865\tA1BG\t-\nchr1\t10\t90\tB\t+\n")
    assert tss_table(path)["tss"].tolist() == [58864864, 10]

"""The assembly of regions and of fragments is told by the starts of genes that they lie at."""

import warnings

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit.intervals.likely import genes_met, likely_genome
from sccase_kit.regions import check_regions, chrom_sizes, tss_table

GENOMES = ["hg19", "hg38", "mm9", "mm10"]


def elsewhere(genome, n, seed=0):
    """Return regions of 500 bp anywhere on the chromosomes of a genome."""
    rng = np.random.default_rng(seed)
    sizes = {c: size for c, size in chrom_sizes(genome).items() if c != "chrM"}
    chrom = rng.choice(list(sizes), n)
    start = (rng.random(n) * [sizes[c] - 3_000_000 for c in chrom]).astype(int)
    return pd.DataFrame({"chrom": chrom, "start": start, "end": start + 500})


def at_genes(genome, n=600, seed=0):
    """Return regions at starts of genes, far from the ends, among as many elsewhere."""
    genes = tss_table(genome)
    sizes = genes["chrom"].map(chrom_sizes(genome))
    genes = genes[genes["tss"].between(1000, sizes - 3_000_000)].sample(n, random_state=seed)
    near = pd.DataFrame({"chrom": genes["chrom"], "start": genes["tss"] - 250, "end": genes["tss"] + 250})
    return pd.concat([near, elsewhere(genome, n, seed)], ignore_index=True)


@pytest.mark.parametrize("genome", GENOMES)
def test_each_genome_is_told(genome):
    regions = at_genes(genome)
    assert likely_genome(regions) == genome
    assert likely_genome(regions.assign(chrom=regions["chrom"].str.removeprefix("chr"))) == genome
    assert likely_genome(elsewhere(genome, 5000)) is None


@pytest.mark.parametrize("genome", ["hg38", "mm10"])
def test_genes_met_against_every_pair(genome):
    regions, genes = at_genes(genome, 40), tss_table(genome)
    places = list(zip(regions["chrom"], regions["start"], regions["end"], strict=True))
    met = 0
    for chrom, start, end in zip(genes["chrom"], genes["tss"] - 500, genes["tss"] + 501, strict=True):
        met += any(c == chrom and s < end and e > start for c, s, e in places)
    assert genes_met(regions, genome) == met


def test_another_assembly_than_named_is_said():
    regions = at_genes("hg19")
    with pytest.warns(
        UserWarning, match=r"at the starts of [\d,]+ genes of hg19 and of \d+ of hg38; they look like hg19"
    ):
        check_regions(regions, genome="hg38")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_regions(regions, genome="hg19")
        check_regions(elsewhere("hg38", 3000), genome="hg38")  # nothing tells


def fragments_of(genome, path):
    """Write fragments of one cell: around starts of genes, and three times as many anywhere."""
    rng = np.random.default_rng(1)
    near, far = at_genes(genome), elsewhere(genome, 150_000, seed=2)
    chrom, start = near["chrom"].to_numpy(), near["start"].to_numpy()
    at = rng.integers(0, len(near), 50_000)
    starts = [*(start[at] + rng.integers(-60, 500, len(at))), *far["start"]]
    table = pd.DataFrame({"chrom": [*chrom[at], *far["chrom"]], "start": starts})
    table = table.drop_duplicates().sort_values(["chrom", "start"])
    table.assign(end=table["start"] + 120, barcode="AAAC-1", n=1).to_csv(path, sep="\t", header=False, index=False)
    return path


@pytest.mark.parametrize("genome", [None, "hg38"])
def test_fragments_of_another_assembly_than_the_peaks(tmp_path, genome):
    good = fragments_of("hg38", tmp_path / "hg38.tsv")
    wrong = fragments_of("hg19", tmp_path / "hg19.tsv")
    peaks = at_genes("hg38")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        counts = sk.read_fragments(good, peaks, ["AAAC-1"], genome=genome)
    assert ("tss_enrichment" in counts.obs) == (genome is not None)  # only what was asked for is told
    why = "genome='hg38'" if genome else "the peaks look like hg38"
    with pytest.warns(UserWarning, match=f"do not gather at the starts of genes .* though {why}"):
        sk.read_fragments(wrong, peaks, ["AAAC-1"], genome=genome)

"""One table of synonyms: what is the same sequence, and what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sccase_kit.intervals.chromosomes import (
    ACCESSIONS,
    assemblies_of,
    chromosome_key,
    is_chromosome,
    species_prefixes,
    translate,
)

#: From NCBI's assembly reports: RefSeq and GenBank accessions of some chromosomes.
REPORTS = {
    "hg19": "7 NC_000007.13 CM000669.1, 14 NC_000014.8 CM000676.1, X NC_000023.10 CM000685.1",
    "hg38": "7 NC_000007.14 CM000669.2, 22 NC_000022.11 CM000684.2, Y NC_000024.10 CM000686.2",
    "mm10": "1 NC_000067.6 CM000994.2, 2 NC_000068.7 CM000995.2, 19 NC_000085.6 CM001012.2, X NC_000086.7 CM001013.2",
    "mm39": "1 NC_000067.7 CM000994.3, 2 NC_000068.8 CM000995.3, X NC_000086.8 CM001013.3, Y NC_000087.8 CM001014.3",
}


@pytest.mark.parametrize("genome", REPORTS)
def test_accessions_are_those_of_the_assembly_reports(genome):
    for row in REPORTS[genome].split(", "):
        chrom, *accessions = row.split()
        for accession in accessions:
            assert ACCESSIONS[accession] == (genome, chrom)
            assert chromosome_key(accession) == chrom
            assert assemblies_of(["chr1", accession]) == {genome}


def test_every_chromosome_of_every_assembly_has_two_accessions():
    for genome, n in {"hg19": 24, "hg38": 24, "mm9": 21, "mm10": 21, "mm39": 21}.items():
        found = [chrom for g, chrom in ACCESSIONS.values() if g == genome]
        assert len(found) == 2 * n
        assert len(set(found)) == n


@pytest.mark.parametrize(
    ("names", "key"),
    [
        (["chr1", "1", "01", "Chr1", "CHR1", "chromosome1", "GRCh38_chr1", "GRCh38#0#chr1"], "1"),
        (["chrX", "X", "x", "NC_000023.9", "mm10___chrX"], "X"),
        (["chrM", "MT", "chrMT", "M", "NC_012920.1", "J01415.2", "NC_005089.1", "AY172335.1"], "M"),
        (["KI270713.1", "chr1_KI270713v1_random", "KI270713v1"[:8]], "KI270713"),
        (["GL000220.1", "chrUn_gl000220"], "GL000220"),
        (["GL000250.2", "chr6_GL000250v2_alt"], "GL000250"),
        (["GL456210.1", "chr1_GL456210_random"], "GL456210"),
    ],
)
def test_spellings_of_one_sequence(names, key):
    assert {chromosome_key(name) for name in names} == {key}
    assert all(is_chromosome(name) for name in names)


@pytest.mark.parametrize("name", ["AAACGAAAGC-1", "cell_1", "GATA1", "s1", "", "HLA-A", "ENSG00000141510", "rs123"])
def test_what_is_no_chromosome(name):
    assert not is_chromosome(name)


def test_names_are_translated_to_those_of_the_other_side():
    known = ["chr1", "chr2", "chrX", "chrY", "chrM", "chr1_KI270713v1_random"]
    given_names = ["1", "NC_000002.12", "23", "24", "25", "26", "MT", "XY", "KI270713.1", "chr1", "GL000009.2"]
    assert translate(given_names, known) == {
        "1": "chr1",
        "NC_000002.12": "chr2",
        "23": "chrX",
        "24": "chrY",
        "25": "chrX",
        "26": "chrM",
        "MT": "chrM",
        "XY": "chrX",
        "KI270713.1": "chr1_KI270713v1_random",
    }
    assert translate(["chrX", "chrM"], ["1", "23", "26"]) == {"chrX": "23", "chrM": "26"}


def test_exact_names_win_where_both_styles_are_known():
    assert translate(["1", "chr1"], ["chr1", "1"]) == {}
    assert translate(["chr2", "2"], ["2"]) == {"chr2": "2"}


@pytest.mark.parametrize(
    ("names", "known"), [(["23", "38"], ["chrX"]), (["23"], ["chrX", "chr27"]), (["23"], ["chr23", "chrX"])]
)
def test_numbers_of_other_species_are_no_codes_of_plink(names, known):
    found = translate(names, known)
    assert "chrX" not in found.values()


@given(st.lists(st.text(max_size=12), max_size=6), st.lists(st.text(max_size=12), max_size=6))
def test_any_names(names, known):
    found = translate(names, known)
    assert set(found) <= set(names) - set(known)
    assert set(found.values()) <= set(known)


def test_prefixes_of_mixed_species():
    assert species_prefixes(["GRCh38_chr1", "mm10_chr1", "mm10___chr2", "chr3"]) == {"GRCh38", "mm10"}
    assert species_prefixes(["chr1", "1", "hg"]) == set()

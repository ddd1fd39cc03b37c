"""K-mers, sets of regions, variants and sequences against plain loops."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sccase_kit.motifs import (
    encode_sequences,
    fetch_sequences,
    gc_content,
    kmer_annotations,
    region_annotations,
    variant_annotations,
)

COMPLEMENT = str.maketrans("ACGT", "TGCA")
IUPAC = {"A": "A", "C": "C", "G": "G", "T": "T", "R": "AG", "W": "AT", "N": "ACGT"}


def turned(word):
    return word.translate(COMPLEMENT)[::-1]


@settings(max_examples=40, deadline=None)
@given(sequences=st.lists(st.text(alphabet="ACGTNacgt", max_size=40), min_size=1, max_size=5), k=st.integers(1, 5))
def test_all_words_of_a_length(sequences, k):
    matrix, names = kmer_annotations(sequences, k)
    assert len(names) == len({min(w, turned(w)) for w in map("".join, product("ACGT", repeat=k))})
    expected = np.array(
        [[name in s.upper() or turned(name) in s.upper() for name in names] for s in sequences], dtype=bool
    )
    np.testing.assert_array_equal(matrix.toarray(), expected)


def test_words_of_named_sequences():
    named = {"b": "ACGTTT", "a": "GGGGGG"}
    matrix, names = kmer_annotations(named, 3)
    expected, same_names = kmer_annotations(list(named.values()), 3)
    assert names == same_names
    np.testing.assert_array_equal(matrix.toarray(), expected.toarray())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), word=st.text(alphabet="ACGTRWN", min_size=2, max_size=6))
def test_words_in_iupac_codes(seed, word):
    rng = np.random.default_rng(seed)
    sequences = ["".join(rng.choice(list("ACGTN"), size=30, p=[0.24] * 4 + [0.04])) for _ in range(4)]
    matrix, names = kmer_annotations(sequences, [word])
    words = ["".join(w) for w in product(*(IUPAC[c] for c in word))]
    expected = [any(w in s or turned(w) in s for w in words) for s in sequences]
    assert names == [word]
    assert matrix.toarray()[:, 0].tolist() == expected


@pytest.mark.parametrize(
    ("kmers", "match"),
    [
        (11, "kmers"),
        (["ACG", "AC"], "words of one length"),
        (["AXG"], "IUPAC codes"),
        (["ACG", "acg"], "must be unique"),
        (["A" * 11], "from 1 to 10"),
    ],
)
def test_bad_words(kmers, match):
    with pytest.raises(ValueError, match=match):
        kmer_annotations(["ACGT"], kmers)


PEAKS = pd.DataFrame(
    {"chrom": ["chr1", "chr1", "chr2", "chr2"], "start": [100, 300, 100, 500], "end": [200, 400, 200, 600]}
)


def test_sets_are_overlaps_of_at_least_a_base(tmp_path):
    bed = tmp_path / "s.bed"
    bed.write_text("chr2\t150\t160\nchr2\t599\t700\n")
    sets = {
        "table": pd.DataFrame({"chrom": ["chr1", "chr1"], "start": [200, 399], "end": [300, 500]}),
        "bed": bed,
        "nothing": pd.DataFrame({"chrom": ["chr3"], "start": [1], "end": [9]}),
    }
    matrix, names = region_annotations(PEAKS, sets)
    assert names == ["table", "bed", "nothing"]
    assert matrix.toarray().T.tolist() == [
        [False, True, False, False],
        [False, False, True, True],
        [False, False, False, False],
    ]
    places = pd.DataFrame({"start": [100], "end": [200]})
    both = {name: places.assign(chrom=name)[["chrom", "start", "end"]] for name in ("1", "chr1")}
    bare, named = region_annotations(PEAKS, both)[0].toarray().T  # chromosomes by any name
    assert bare.any()
    assert np.array_equal(bare, named)


@pytest.mark.parametrize(("combine", "expected"), [("sum", [0.7, 0.0, 0.9, 0.0]), ("max", [0.5, 0.0, 0.9, 0.0])])
def test_weights_of_variants(combine, expected):
    table = pd.DataFrame(
        {"chrom": ["chr1", "chr1", "chr1", "chr2"], "pos": [101, 200, 201, 150], "pip": [0.5, 0.2, 0.8, 0.9]}
    )
    matrix, names = variant_annotations(PEAKS, {"trait": table}, combine=combine)
    assert names == ["trait"]
    np.testing.assert_allclose(matrix.toarray()[:, 0], expected)


def test_variants_say_what_is_wrong():
    table = pd.DataFrame({"chrom": ["chr1"], "pos": [150]})
    with pytest.raises(KeyError, match="weight"):
        variant_annotations(PEAKS, {"t": table})
    with pytest.raises(ValueError, match="t"):
        variant_annotations(PEAKS, {"t": table.assign(pip=-0.1)})
    with pytest.raises(ValueError, match="at least one trait"):
        variant_annotations(PEAKS, {})


@settings(max_examples=30, deadline=None)
@given(sequence=st.text(alphabet="ACGTNacgtn", min_size=1, max_size=50))
def test_gc_is_a_share_of_the_known_bases(sequence):
    upper = sequence.upper()
    known = sum(upper.count(b) for b in "ACGT")
    found = gc_content([sequence])[0]
    if known:
        assert found == pytest.approx((upper.count("G") + upper.count("C")) / known)
    else:
        assert np.isnan(found)


def test_sequences_of_a_genome(tmp_path):
    pytest.importorskip("pyfaidx", reason="pyfaidx (extra genomics) is not installed")
    fasta = tmp_path / "g enome.fa"
    rng = np.random.default_rng(0)
    genome = {name: "".join(rng.choice(list("ACGTacgt"), size=700)) for name in ("chr1", "chr2")}
    lines = [[f">{name} x", *(s[i : i + 60] for i in range(0, 700, 60))] for name, s in genome.items()]
    fasta.write_text("\n".join(line for part in lines for line in part) + "\n")
    found = fetch_sequences(PEAKS, fasta)
    expected = [genome[c][a:b] for c, a, b in PEAKS.itertuples(index=False)]
    assert [s.upper() for s in found] == [s.upper() for s in expected]
    with pytest.raises(ValueError, match="off the chromosomes"):
        fetch_sequences(PEAKS.assign(end=PEAKS["end"] + 500), fasta)
    with pytest.raises(ValueError, match=r"lacks chromosome\(s\)"):
        fetch_sequences(PEAKS.assign(chrom="chr9"), fasta)
    with pytest.raises(FileNotFoundError, match="no file"):
        fetch_sequences(PEAKS, tmp_path / "absent.fa")


@pytest.mark.parametrize("bad", [["AC GT"], ["AC\nGT"], ["ACGÄ"], [b"ACGT"]])
def test_what_is_not_dna_is_refused(bad):
    with pytest.raises((ValueError, TypeError), match="sequences"):
        encode_sequences(bad)

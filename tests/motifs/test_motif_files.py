"""Motifs from arrays, files and JASPAR."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sccase_kit.motifs import Motif, as_motifs, jaspar_motifs, read_motifs

MEME = """MEME version 4

ALPHABET= ACGT

MOTIF MA1 first
letter-probability matrix: alength= 4 w= 2 nsites= 10 E= 0
 0.1 0.2 0.3 0.4
 1.0 0.0 0.0 0.0

MOTIF MA2
letter-probability matrix: alength= 4 w= 1
 0.25 0.25 0.25 0.25
"""
JASPAR = """>MA1 first one
A [ 1 10 ]
C [ 2  0 ]
G [ 3  0 ]
T [ 4  0 ]
>MA2
5
5
5
5
"""
TRANSFAC = """VV  made up
XX
//
AC  MA1
NA  first
P0  A  C  G  T
01  1  2  3  4  N
02  10  0  0  0  A
XX
//
ID  second
PO  T  G  C  A
1  1  2  3  4
//
"""
TEXTS = {"meme": MEME, "jaspar": JASPAR, "transfac": TRANSFAC}
FIRST = np.array([[1, 10], [2, 0], [3, 0], [4, 0]], dtype=float)


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("named", [True, False])
def test_every_format_is_read_and_recognised(tmp_path, kind, named):
    path = tmp_path / "m.txt"
    path.write_text(TEXTS[kind])
    first, second = read_motifs(path, format=kind if named else None)
    assert first.id == "MA1"
    np.testing.assert_allclose(first.counts, FIRST)
    assert len(second) == 1
    assert first.name == {"meme": "first", "jaspar": "first one", "transfac": "first"}[kind]


def test_columns_of_transfac_may_come_in_any_order(tmp_path):
    path = tmp_path / "m.txt"
    path.write_text(TRANSFAC)
    np.testing.assert_array_equal(read_motifs(path)[1].counts[:, 0], [4, 3, 2, 1])


def test_probabilities_without_sites_count_as_twenty(tmp_path):
    path = tmp_path / "m.meme"
    path.write_text(MEME)
    np.testing.assert_allclose(read_motifs(path)[1].counts, 5)


@pytest.mark.parametrize(
    ("kind", "old", "new", "message"),
    [
        ("meme", " 1.0 0.0 0.0 0.0", " 1.0 0.0 0.0", "line 8: .*4 probabilities, got 3"),
        ("meme", " 1.0 0.0 0.0 0.0", " 1.0 0.5 0.0 0.0", "line 8: .*sum to 1.5"),
        ("meme", " 1.0 0.0 0.0 0.0\n", "", r"line 8: .*1 row\(s\) of probabilities, expected 2"),
        ("meme", " 1.0 0.0", " 1.0 zero", "line 8: expected numbers"),
        ("meme", "ACGT", "ACDEFGHIKLMNPQRSTVWY", "line 3: only the alphabet ACGT"),
        ("meme", "MOTIF MA1 first", "MOTIF", "line 5: MOTIF without an identifier"),
        ("meme", "MOTIF MA1 first\n", "", "line 5: a matrix before any MOTIF"),
        ("meme", "letter-probability matrix: alength= 4 w= 1\n 0.25 0.25 0.25 0.25\n", "", "line 10: .*has no letter"),
        ("jaspar", "T [ 4  0 ]\n", "", "line 1: .*rows A, C, G, T are needed"),
        ("jaspar", "T [ 4  0 ]", "T [ 4 ]", "line 1: .*different lengths"),
        ("jaspar", "T [ 4  0 ]", "T [ 4 x ]", "line 5: expected numbers"),
        ("jaspar", "5\n5\n5\n5", "5\n5\n5\n5\n5", "line 11: .*more rows"),
        ("jaspar", "[ 1 10 ]", "[ -1 10 ]", "line 1: .*finite and >= 0"),
        ("transfac", "01  1  2  3  4  N", "01  1  2  3", "line 7: a row must have 4 counts"),
        ("transfac", "P0  A  C  G  T", "P0  A  C  G  U", "line 6: expected the bases"),
        ("transfac", "AC  MA1\nNA  first\n", "", "line 4: a matrix without AC, ID or NA"),
    ],
)
def test_errors_name_file_and_line(tmp_path, kind, old, new, message):
    path = tmp_path / "broken.txt"
    assert TEXTS[kind].count(old) >= 1
    path.write_text(TEXTS[kind].replace(old, new, 1))
    with pytest.raises(ValueError, match=rf"broken\.txt, {message}"):
        read_motifs(path, format=kind)


@pytest.mark.parametrize("text", ["", "hello\n", "# only a comment\n", "1 2 3 4\n"])
def test_what_is_no_motif_file_is_said(tmp_path, text):
    path = tmp_path / "x.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match="not recognised as MEME, JASPAR or TRANSFAC"):
        read_motifs(path)
    with pytest.raises(FileNotFoundError):
        read_motifs(tmp_path / "absent.txt")


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(sorted(TEXTS)), data=st.data())
def test_mutated_files_are_read_or_refused(tmp_path_factory, kind, data):
    text = TEXTS[kind]
    place = data.draw(st.integers(0, len(text) - 1))
    length = data.draw(st.integers(0, 12))
    text = text[:place] + data.draw(st.text(max_size=6)) + text[place + length :]
    path = tmp_path_factory.mktemp("mutated") / "m.txt"
    path.write_text(text, encoding="utf-8", newline="")
    motifs, said = [], None
    try:
        motifs = read_motifs(path, format=kind)
    except ValueError as error:
        said = str(error)
    assert said is None or "m.txt" in said
    assert (said is None) == bool(motifs)
    assert all(isinstance(motif, Motif) for motif in motifs)


def test_motifs_from_arrays():
    (motif,) = as_motifs({"GATA": np.eye(4)})
    assert (motif.id, len(motif)) == ("GATA", 4)
    assert [m.id for m in as_motifs([np.eye(4), np.ones((4, 2))])] == ["0", "1"]
    assert as_motifs(motif) == [motif]
    with pytest.raises(ValueError, match=r"\['a'\] appear\(s\) more than once"):
        as_motifs([Motif("a", "x", np.eye(4)), Motif("a", "y", np.eye(4))])
    with pytest.raises(TypeError, match="array of counts"):
        as_motifs({"m": [["A"]]})


def test_reverse_complement_twice_is_the_motif():
    motif = Motif("m", "m", np.arange(12).reshape(4, 3) + 1)
    assert motif.reverse_complement().reverse_complement() == motif
    np.testing.assert_array_equal(motif.reverse_complement().counts, motif.counts[::-1, ::-1])
    assert hash(motif) == hash(Motif("m", "m", motif.counts))


def test_counts_cannot_be_changed():
    motif = Motif("m", "m", np.eye(4))
    with pytest.raises(ValueError, match="read-only"):
        motif.counts[0, 0] = 7


def test_jaspar_offline():
    pytest.importorskip("pyjaspar", reason="pyjaspar (extra genomics) is not installed")
    human = jaspar_motifs(release="JASPAR2024", species=9606)
    everything = jaspar_motifs(release="JASPAR2024")
    assert len(everything) == 879
    assert {m.id for m in human} < {m.id for m in everything}
    assert "CTCF" in {m.name for m in human}
    assert [m.id for m in everything] == sorted(m.id for m in everything)


def test_unknown_release_of_jaspar(capsys):
    pytest.importorskip("pyjaspar", reason="pyjaspar (extra genomics) is not installed")
    with pytest.raises(ValueError, match=r"release='JASPAR1999': JASPAR1999 is not available.*JASPAR2024"):
        jaspar_motifs(release="JASPAR1999")
    assert capsys.readouterr().out == ""


@pytest.mark.filterwarnings("ignore:Zero motifs returned")
def test_empty_selection_of_jaspar():
    pytest.importorskip("pyjaspar", reason="pyjaspar (extra genomics) is not installed")
    with pytest.raises(ValueError, match="no motif for collection='CORE', tax_group='martians'"):
        jaspar_motifs(tax_group="martians")

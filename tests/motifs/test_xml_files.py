"""The XML of MEME, DREME and STREME gives the motifs of the text that lies beside it."""

import numpy as np
import pytest

from sccase_kit.motifs import read_motifs

SHARES = np.array([[0.97, 0.01, 0.01, 0.01], [0.25, 0.25, 0.4, 0.1], [0.01, 0.01, 0.01, 0.97]])
LETTERS = "".join(
    f'<letter id="{name}" symbol="{base}" colour="CC0000"/>\n'
    for name, base in [("let_A", "A"), ("let_C", "C"), ("let_G", "G"), ("let_T", "T"), ("let_N", "N")]
)
DTD = '<?xml version="1.0"?>\n<!DOCTYPE MEME[\n<!ELEMENT MEME (training_set, motifs)>\n]>\n<!-- begin -->\n'


def _arrays(rows, scale=1.0):
    values = "".join(
        "<alphabet_array>"
        + "".join(f'<value letter_id="let_{base}">{v * scale:g}</value>\n' for base, v in zip("ACGT", row, strict=True))
        + "</alphabet_array>"
        for row in rows
    )
    return f"<alphabet_matrix>{values}</alphabet_matrix>"


def meme(rows=SHARES, letters=LETTERS):
    return (
        f'{DTD}<MEME version="5.0.1"><training_set><alphabet name="DNA" like="dna">{letters}</alphabet></training_set>'
        f'<motifs><motif id="motif_1" name="AGT" alt="MEME-1" width="3" sites="50" ic="3">\n'
        f"<scores>{_arrays(rows, -100)}</scores>\n<probabilities>{_arrays(rows)}</probabilities></motif>\n"
        "</motifs></MEME>"
    )


def streme(root="STREME", names='id="1-AGT" alt="STREME-1"', sites='nsites="50"', rows=SHARES):
    rows = "".join(f'<pos A="{a}" C="{c}" G="{g}" T="{t}"/>\n' for a, c, g, t in rows)
    return (
        f'<{root} version="5.4.0"><model><alphabet name="DNA" like="dna"><letter id="A" symbol="A"/></alphabet></model>'
        f"<motifs><motif {names} {sites}>{rows}</motif></motifs></{root}>"
    )


@pytest.mark.parametrize(
    ("text", "ident", "name", "n"),
    [
        (meme(), "AGT", "MEME-1", 50),
        (streme(), "1-AGT", "STREME-1", 50),
        (streme("dreme", 'id="m01" alt="DREME-1" seq="AGT" length="3"'), "AGT", "DREME-1", 50),
        (streme("dreme", 'id="m01" seq="AGT" length="3"', ""), "AGT", "AGT", 20),
    ],
)
def test_every_program(tmp_path, text, ident, name, n):
    path = tmp_path / "motifs.xml"
    path.write_text(text)
    (motif,) = read_motifs(path)
    assert (motif.id, motif.name) == (ident, name)
    np.testing.assert_allclose(motif.counts, SHARES.T * n)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (meme()[:-40], "line [0-9]+: the XML is not whole"),
        (meme(letters='<letter id="l" symbol="L"/>'), "only the alphabet ACGT is supported"),
        (streme(rows=[]), "motif '1-AGT' has no probabilities"),
        (streme(rows=[(0.5, 0.5, 0.5, 0)]), "probabilities of position 1 sum to 1.5, not 1"),
        (streme(rows=[("x", 0.5, 0.5, 0)]), "expected numbers, got 'x"),
        (streme().replace('T="', 'X="'), "position 1 must have 4 probabilities, got 3"),
        ("<STREME></STREME>", "no motif found in MEME's XML format"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, said):
    path = tmp_path / "motifs.xml"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        read_motifs(path)

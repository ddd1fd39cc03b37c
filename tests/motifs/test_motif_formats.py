"""One set of motifs, as every program writes it; nothing is turned by luck; Biopython and pyjaspar agree."""

# ruff: noqa: E501 (heads of real files)

import gzip
import io

import numpy as np
import pytest

from sccase_kit.motifs import jaspar_motifs, read_motifs

WIDE = np.array([[97, 1, 1, 1], [1, 97, 1, 1], [1, 97, 1, 1], [1, 1, 97, 1], [1, 1, 1, 97], [97, 1, 1, 1]], float)
FOUR = WIDE[:4]  # A C C G: rows add up to 100, columns do not
MAGIC = np.array([[40, 20, 20, 20], [20, 40, 20, 20], [20, 20, 20, 40], [20, 20, 40, 20]], float)  # both do


def body(rows, sep="\t"):
    return "".join(sep.join(f"{v:g}" for v in row) + "\n" for row in rows)


def numbered(rows, sep="\t", first=1):
    return "".join(f"{k:02d}{sep}" + sep.join(f"{v:g}" for v in row) + "\n" for k, row in enumerate(rows, first))


def bases(rows, sep=" ", mark="{}"):
    return "".join(mark.format(base) + sep.join(f"{v:g}" for v in rows[:, k]) + "\n" for k, base in enumerate("ACGT"))


def meme(rows, head="MEME version 5.1.1\n\nALPHABET= ACGT\n\n", name="M1 TF1", n=100):
    matrix = f"letter-probability matrix: alength= 4 w= {len(rows)} nsites= {n} E= 1e-9\n"
    return f"{head}MOTIF {name}\n{matrix}" + body(rows / 100, " ") + "\nURL http://x\n"


BANNER = "*" * 80 + "\n{}\n" + "*" * 80 + "\nMEME version 5.4.0 (Mon Aug 16 16:18:19 2021 -0700)\n\n"
DNA_LIKE = (
    'ALPHABET "DNA" DNA-LIKE\nA "Adenine" CC0000 ~ T "Thymine" 008000\nC "Cytosine" 0000CC ~ G "Guanine" FFB300\n'
    'N "Any base" = ACGT\nX = ACGT\nEND ALPHABET\n\nstrands: + -\n\nBackground letter frequencies (from dataset):\n'
    "A 0.267 C 0.237 G 0.231 T 0.266\n\n"
)
FILES = {
    "MEME 4": ("m.meme", meme, "M1", "TF1"),
    "MEME 5 text": (
        "meme.txt",
        lambda m: meme(
            m,
            BANNER.format("MEME - Motif discovery tool") + "DATAFILE= x.fa\nALPHABET= ACGT\n",
            "ACCG MEME-1\twidth =   6  sites = 100  llr = 9",
        ),
        "ACCG",
        "MEME-1",
    ),
    "MEME 3 text": (
        "meme.txt",
        lambda m: meme(
            m,
            "MEME - Motif discovery tool\nMEME version 3.5.4 (Release date: 3.5.4)\nALPHABET= ACGT\n",
            "  1\twidth =   6   sites = 100",
        ),
        "1",
        "1",
    ),
    "DREME": (
        "dreme.txt",
        lambda m: meme(m, "# DREME 5.1.1 (x)\n# command: dreme\nMEME version 5.1.1\n\n" + DNA_LIKE, "ACCG DREME-1"),
        "ACCG",
        "DREME-1",
    ),
    "STREME": (
        "streme.txt",
        lambda m: meme(m, BANNER.format("STREME - Sensitive, Thorough, Rapid") + DNA_LIKE, "1-ACCG STREME-1"),
        "1-ACCG",
        "STREME-1",
    ),
    "XSTREME": (
        "combined.meme",
        lambda m: meme(m, BANNER.format("XSTREME - Motif Discovery") + "ALPHABET= ACGT\n\n", "MEME-1 ACCG"),
        "MEME-1",
        "ACCG",
    ),
    "MEME, a blank line before the matrix": (
        "m.meme",
        lambda m: meme(m).replace("E= 1e-9\n", "E= 1e-9\n\n"),
        "M1",
        "TF1",
    ),
    "JASPAR": ("m.jaspar", lambda m: ">MA1.1\tTF1\n" + bases(m, " ", "{}  [ ").replace("\n", " ]\n"), "MA1.1", "TF1"),
    "JASPAR with bars": ("m.pfm", lambda m: ">MA1.1 TF1\n" + bases(m, " ", "{} | "), "MA1.1", "TF1"),
    "JASPAR without letters": ("m.pfm", lambda m: ">MA1.1 TF1\n" + bases(m, "\t", ""), "MA1.1", "TF1"),
    "JASPAR, one matrix without a header": ("MA1.1.pfm", lambda m: bases(m, " ", ""), "MA1.1", "MA1.1"),
    "TRANSFAC": (
        "m.tf",
        lambda m: (
            "VV  x\nXX\n//\nAC  M1\nXX\nNA  TF1\nXX\nP0      A      C      G      T\n" + numbered(m, " ") + "XX\n//\n"
        ),
        "M1",
        "TF1",
    ),
    "TRANSFAC of JASPAR": (
        "m.transfac",
        lambda m: (
            "AC MA1.1\nXX\nID TF1\nXX\nDE MA1.1 TF1 ; From JASPAR\nPO\tA\tC\tG\tT\n"
            + numbered(m)
            + "XX\nCC tax_group:vertebrates\nXX\n//\n"
        ),
        "MA1.1",
        "TF1",
    ),
    "TRANSFAC of RSAT, small letters": (
        "m.tf",
        lambda m: (
            "AC  c_1\nXX\nID  c_1\nXX\nDE  accgta\nP0           a         c         g         t\n"
            + numbered(m, " ")
            + "XX\nCC  program: x\n//\n"
        ),
        "c_1",
        "c_1",
    ),
    "STAMP": ("m.txt", lambda m: "DE\tTF1\n" + numbered(m, "\t", 0) + "XX\n", "TF1", "TF1"),
    "HOMER": (
        "m.motif",
        lambda m: ">ACCG\tTF-A(bZIP)/Homer\t6.29\t-6.5\t0\tT:100.0(6.99%),B:9.0(0.1%),P:1e-6\n" + body(m / 100),
        "TF-A(bZIP)/Homer",
        "TF-A",
    ),
    "HOMER, little in the header": ("m.motif", lambda m: ">ACCG\tTF-A\t6.29\n" + body(m / 100), "TF-A", "TF-A"),
    "HOCOMOCO counts": ("AHR.pcm", lambda m: ">AHR_HUMAN.H11MO.0.B\n" + body(m), "AHR_HUMAN.H11MO.0.B", "AHR"),
    "HOCOMOCO 12 shares": ("AHR.pfm", lambda m: ">AHR.H12CORE.0.P.B\n" + body(m / 100), "AHR.H12CORE.0.P.B", "AHR"),
    "HOCOMOCO weights": (
        "AHR.pwm",
        lambda m: ">AHR_MOUSE.H11MO.0.B\n" + body(np.log(m / 25)),
        "AHR_MOUSE.H11MO.0.B",
        "AHR",
    ),
    "weights of base 2": ("AHR.pwm", lambda m: ">AHR\n" + body(np.log2(m / 25)), "AHR", "AHR"),
    "Cluster-Buster": ("m.cb", lambda m: ">TF1\n# WEIGHT: 3.5\n" + body(m), "TF1", "TF1"),
    "CIS-BP, one matrix": ("M1_2.00.txt", lambda m: "Pos\tA\tC\tG\tT\n" + numbered(m / 100), "M1_2.00", "M1_2.00"),
    "CIS-BP, RNA": ("M1_0.6.txt", lambda m: "Pos\tA\tC\tG\tU\n" + numbered(m / 100), "M1_0.6", "M1_0.6"),
    "CIS-BP, all matrices": (
        "PWM.txt",
        lambda m: (
            "TF\tT1_2.00\nTF Name\tAhr\nGene\tENSG1\nMotif\tM1_2.00\nFamily\tbHLH\nSpecies\tHomo_sapiens\nPos\tA\tC\tG\tT\n"
            + numbered(m / 100)
            + "\n\n"
        ),
        "M1_2.00",
        "Ahr",
    ),
    "UniPROBE": (
        "u.pwm",
        lambda m: "Gata3_primary\n\n" + bases(m / 100, "\t", "{}:\t"),
        "Gata3_primary",
        "Gata3_primary",
    ),
    "UniPROBE with a score": (
        "u.txt",
        lambda m: "Protein: Arid3a\tSeed k-mer: TTAATTAA\tEnrichment Score: 0.49\n" + bases(m / 100, "\t", "{}:\t"),
        "Arid3a",
        "Arid3a",
    ),
    "UniPROBE, full": (
        "u_full.txt",
        lambda m: (
            "# Motif: GTAATAAA	Enrichment Score: 0.49\n1	GTAATAAA	0.49\n\nEnrichment score matrix\n\n"
            + bases(m / 100 - 0.5, "\t", "{}:\t")
            + "\nEnergy matrix for enoLOGOS\n\nPO\t1\t2\n"
            + bases(m / 50 - 1, "\t", "{}:\t")
            + "\nProbability matrix\n\n"
            + bases(m / 100, "\t", "{}:\t")
        ),
        "GTAATAAA",
        "GTAATAAA",
    ),
    "ENCODE": (
        "motifs.txt",
        lambda m: (
            ">SIX5_disc1 SIX5_GM12878#1\n"
            + "".join("ACGTRYSW"[k] + " " + " ".join(f"{v / 100:f}" for v in row) + "\n" for k, row in enumerate(m))
        ),
        "SIX5_disc1",
        "SIX5_GM12878#1",
    ),
    "gimmemotifs, a threshold after the name": (
        "m.pfm",
        lambda m: ">AHR_1.motif\t0.18\n" + body(m / 100),
        "AHR_1.motif",
        "AHR_1.motif",
    ),
    "universalmotif": (
        "m.yaml",
        lambda m: (
            "# universalmotif version 1.2.0\n\n---\nname: TF1\nalphabet: DNA\ntype: PPM\nnsites: 232.0\nbkg:\n"
            "  A: 0.24\n  C: 0.26\n  G: 0.26\n  T: 0.24\nmotif:\n"
            + "".join("- " + " ".join(f"{v / 100:.3e}" for v in row) + "\n" for row in m)
        ),
        "TF1",
        "TF1",
    ),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("rows", [WIDE, FOUR], ids=["six wide", "four wide"])
@pytest.mark.parametrize("name", FILES)
def test_every_format(tmp_path, name, rows, packed):
    file, make, ident, called = FILES[name]
    path = tmp_path / (file + ".gz" * packed)
    path.write_bytes(gzip.compress(make(rows).encode()) if packed else make(rows).encode())
    (motif,) = read_motifs(path)
    assert (motif.id, motif.name) == (ident, called)
    np.testing.assert_allclose(motif.counts / motif.counts.sum(axis=0), rows.T / 100, atol=1e-4)


def test_motifs_of_universalmotif(tmp_path):
    path = tmp_path / "m.txt"
    head = "# universalmotif version 1.2.0\n---\nname: A\nalphabet: {}\ntype: {}\nnsites: {}\nmotif:\n- 1 2 3 4\n"
    path.write_text(head.format("DNA", "PCM", 10) + "---\nname: B\naltname: b\ntype: PPM\nmotif:\n- 0.1 0.2 0.3 0.4\n")
    first, second = read_motifs(path)
    assert (second.id, second.name) == ("B", "b")
    np.testing.assert_allclose(first.counts.T, [[1, 2, 3, 4]])
    np.testing.assert_allclose(second.counts.T, [[2, 4, 6, 8]])  # 20 sites, where none are given
    for alphabet, kind, said in [
        ("AA", "PCM", "the alphabet is 'AA'"),
        ("DNA", "PWM", "is of type 'PWM'; write it as"),
    ]:
        path.write_text(head.format(alphabet, kind, 10))
        with pytest.raises(ValueError, match=said):
            read_motifs(path)


@pytest.mark.parametrize("name", ["HOMER", "JASPAR", "MEME 4", "TRANSFAC", "CIS-BP, one matrix", "UniPROBE"])
def test_formats_that_say_what_a_row_is_read_every_square(tmp_path, name):
    path = tmp_path / FILES[name][0]
    path.write_text(FILES[name][1](MAGIC))
    np.testing.assert_allclose(read_motifs(path)[0].counts.sum(axis=0), read_motifs(path)[0].counts.sum(axis=0)[0])
    np.testing.assert_allclose(np.argmax(read_motifs(path)[0].counts, axis=0), [0, 1, 3, 2])


def test_a_square_that_nothing_tells_is_asked_about(tmp_path):
    path = tmp_path / "m.txt"
    path.write_text(">TF1\n" + body(MAGIC + np.arange(4)[:, None] * 7 + np.arange(4) * 9))
    with pytest.raises(
        ValueError, match=r"m\.txt, line 1: .*4 × 4, may be positions or bases; say so: format='hocomoco'"
    ):
        read_motifs(path)
    by_position, by_base = (read_motifs(path, format=f)[0].counts for f in ("hocomoco", "jaspar"))
    np.testing.assert_array_equal(by_position, by_base.T)


@pytest.mark.parametrize(("ending", "turned"), [(".pcm", True), (".cb.gz", True), (".jaspar", False)])
def test_the_ending_tells_where_the_sums_do_not(tmp_path, ending, turned):
    path = tmp_path / f"m{ending}"
    rows = MAGIC + np.triu(np.ones((4, 4)))
    path.write_bytes(gzip.compress((">TF1\n" + body(rows)).encode()))
    np.testing.assert_array_equal(read_motifs(path)[0].counts, rows.T if turned else rows)


def test_the_other_matrices_of_a_file_tell(tmp_path):
    path = tmp_path / "m.txt"
    path.write_text(">A\n" + body(MAGIC) + ">B\n" + body(WIDE))
    np.testing.assert_array_equal(read_motifs(path)[0].counts, MAGIC.T)
    path.write_text(">A\n" + body(MAGIC) + ">B\n" + bases(WIDE, " ", ""))
    np.testing.assert_array_equal(read_motifs(path)[0].counts, MAGIC)
    path.write_text(">A\n" + body(WIDE) + ">B\n" + bases(WIDE, " ", ""))
    with pytest.raises(ValueError, match=r"positions in one matrix and bases in another \(lines 1 and 8\)"):
        read_motifs(path)


def test_several_motifs_of_a_table(tmp_path):
    path = tmp_path / "PWM.txt"
    part = FILES["CIS-BP, all matrices"][1]
    empty = "TF\tT2\nTF Name\tB\nMotif\tM2_2.00\nPos\tA\tC\tG\tT\n\n"
    path.write_text(part(WIDE) + empty + part(FOUR).replace("M1_", "M3_").replace("Ahr", "C"))
    assert [(m.id, m.name, len(m)) for m in read_motifs(path)] == [("M1_2.00", "Ahr", 6), ("M3_2.00", "C", 4)]
    path.write_text(empty)
    with pytest.raises(ValueError, match="a matrix without positions"):
        read_motifs(path)
    path = tmp_path / "u.pwm"
    path.write_text(FILES["UniPROBE"][1](WIDE) + "\n" + FILES["UniPROBE"][1](FOUR).replace("Gata3", "Gata4"))
    assert [(m.id, len(m)) for m in read_motifs(path)] == [("Gata3_primary", 6), ("Gata4_primary", 4)]


def test_meme_without_a_width_ends_where_the_next_motif_begins(tmp_path):
    path = tmp_path / "m.meme"
    path.write_text(
        meme(WIDE).replace("w= 6", "")
        + "MOTIF M2\nletter-probability matrix:\n"
        + body(FOUR / 100, " ")
        + "MOTIF M3\nletter-probability matrix:\n"
        + body(FOUR / 100, " ")
    )
    assert [(m.id, len(m)) for m in read_motifs(path)] == [("M1", 6), ("M2", 4), ("M3", 4)]


def test_ids_are_unique(tmp_path):
    path = tmp_path / "m.cb"
    path.write_text(">A\n" + body(WIDE) + ">A\n" + body(WIDE) + ">A\n" + body(FOUR))
    with (
        pytest.warns(UserWarning, match="1 matrices occur again under the same id and are left out, such as 'A'"),
        pytest.warns(UserWarning, match="1 ids occur again with another matrix, such as 'A'; they get a number"),
    ):
        assert [m.id for m in read_motifs(path)] == ["A", "A-2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (">MA1 TF1 1\nacgtACGTacg\n", "line 2: sequences .FASTA., not matrices"),
        ("<?xml version='1.0'?>\n<MEME></MEME>\n", "no motif found in MEME's XML"),
        (">A\n1 2 3\n4 5 6\n", "line 1: motif 'A' has 2 rows of 3 numbers; 4 is needed"),
        (">A\n1 2 3 4\n1 2 3\n", r"line 1: motif 'A': rows of different lengths \[3, 4\]"),
        (">A\n" + body(np.full((5, 4), -3.0)), "line 1: motif 'A' holds weights .* not log ratios"),
        ("A:\t1\nC:\t1\nG:\t1\nT:\t1\t2\n", "line 4: .*rows of different lengths"),
        (
            "MEME version 4\nALPHABET= ACGTMH\nMOTIF A\nletter-probability matrix: alength= 6 w= 1\n1 0 0 0 0 0\n",
            "line 5: .*4 probabilities, got 6",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, said):
    path = tmp_path / "bad.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        read_motifs(path)


@pytest.mark.parametrize("written", ["jaspar", "pfm", "transfac", "clusterbuster"])
def test_all_of_jaspar_as_biopython_writes_it(tmp_path, written):
    """Biopython 1.85 reads pyjaspar's database and writes it; what we read back is what we read there."""
    pytest.importorskip("pyjaspar", reason="pyjaspar (extra genomics) is not installed")
    motifs = pytest.importorskip("Bio.motifs", reason="Biopython comes with pyjaspar")
    known = jaspar_motifs(release="JASPAR2024")[:300]
    handles = []
    for motif in known:
        made = motifs.Motif(alphabet="ACGT", counts={b: list(motif.counts[k]) for k, b in enumerate("ACGT")})
        made.name = motif.id
        made.__dict__["matrix_id"] = made.__dict__["ID"] = motif.id
        handles.append(made)
    text = _written(motifs, handles, written)
    path = tmp_path / "all.txt"
    path.write_text(text)
    found = read_motifs(path)
    assert [len(m) for m in found] == [len(m) for m in known]
    for ours, theirs in zip(found, known, strict=True):
        np.testing.assert_allclose(
            ours.counts,
            theirs.counts,
            atol=0.5 if written == "clusterbuster" else 0.011,  # written as whole numbers
        )


def _written(motifs, handles, written):
    if written == "pfm":  # rows are the bases, without letters
        return "".join(
            f">{m.name}\n" + "".join(" ".join(map(str, m.counts[b])) + "\n" for b in "ACGT") for m in handles
        )
    if written == "transfac":
        lines = [
            f"ID {m.name}\nP0 A C G T\n"
            + "".join(
                f"{k:02d} " + " ".join(str(m.counts[b][k - 1]) for b in "ACGT") + "\n" for k in range(1, m.length + 1)
            )
            + "XX\n//\n"
            for m in handles
        ]
        return "".join(lines)
    if written == "jaspar":
        from Bio.motifs import jaspar

        return jaspar.write([jaspar.Motif(m.name, m.name, counts=m.counts) for m in handles], "jaspar")
    return motifs.write(handles, "clusterbuster")


def test_meme_against_biopython(tmp_path):
    minimal = pytest.importorskip("Bio.motifs.minimal", reason="Biopython is not installed")
    text = "MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\nBackground letter frequencies\nA 0.25 C 0.25 G 0.25 T 0.25\n\n"
    text += meme(WIDE, "") + "\n" + meme(FOUR, "", "M2 TF2", 40)
    path = tmp_path / "m.meme"
    path.write_text(text)
    theirs = minimal.read(io.StringIO(text))
    for ours, other in zip(read_motifs(path), theirs, strict=True):
        np.testing.assert_allclose(ours.counts, [other.counts[b] for b in "ACGT"], atol=0.5)  # Biopython rounds

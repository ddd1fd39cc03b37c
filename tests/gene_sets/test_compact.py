"""The compact file of gene sets: what goes in comes out, damage is found."""

import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sccase_kit.gene_sets.compact import is_compact, read_compact, write_compact
from sccase_kit.gene_sets.sets import GeneSets, combine, read_gmt, renamed

ABOUT = {"source": "somewhere", "release": "2020-01-01", "license": "CC0", "changes": "none", "species": "yeti"}
NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\t\r\n,\x00", exclude_categories=("Cc", "Cs", "Zl", "Zp")),
    min_size=1,
)


@settings(max_examples=40, deadline=None)
@given(sets=st.dictionaries(NAMES, st.lists(NAMES, min_size=1, max_size=5), min_size=1, max_size=6))
def test_what_goes_in_comes_out(tmp_path_factory, sets):
    path = tmp_path_factory.mktemp("sets") / "x.tsv.gz"
    write_compact(GeneSets.from_mapping(sets, ontology="O"), path, ABOUT)
    again = read_compact(path)
    assert {t: set(g) for t, g in again.to_dict().items()} == {t: set(g) for t, g in sets.items()}
    assert again.source == "O: somewhere; 2020-01-01; CC0; none"


def test_ids_symbols_and_ontologies(tmp_path):
    terms = pd.DataFrame({"id": ["T1", "T2"], "name": ["one", "two"], "ontology": ["A", "B"]})
    names = pd.DataFrame(
        {
            "gene": [0, 0, 0, 2, 1],
            "name": ["E1", "E9", "S1", "S3", "S2"],
            "kind": ["id", "id", "symbol", "symbol", "symbol"],
        }
    )
    sets = GeneSets(terms, names, 3, np.array([0, 0, 1]), np.array([2, 0, 0]))  # gene 1 is in no term
    path = tmp_path / "a.tsv.gz"
    write_compact(sets, path, ABOUT)
    text = gzip.decompress(path.read_bytes()).decode().splitlines()
    assert text[-5:] == ["E1,E9\tS1", "\tS3", "@terms", "T1\tone\tA\t0 1", "T2\ttwo\tB\t0"]
    again = read_compact(path)
    assert again.n_genes == 2
    pd.testing.assert_frame_equal(again.terms, terms)
    assert sorted(again.names.itertuples(index=False, name=None)) == [
        (0, "E1", "id"), (0, "E9", "id"), (0, "S1", "symbol"), (1, "S3", "symbol")
    ]  # fmt: skip
    first = path.read_bytes()
    write_compact(sets, path, ABOUT)
    assert path.read_bytes() == first


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["T1\tx\tA"], "must start with"),
        (["# sccase_kit gene sets 1", "# source: x", "G1"], "line 3"),
        (["# sccase_kit gene sets 1", "@genes", "a\tb\tc"], "line 3"),
        (["# sccase_kit gene sets 1", "@genes", "a\tb", "@terms", "T\tn\tO\t0 1"], "has gene 1, but there are 1"),
    ],
)
def test_damaged_files(tmp_path, lines, words):
    path = tmp_path / "x.tsv"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(ValueError, match=words):
        read_compact(path)
    assert is_compact(path) == lines[0].startswith("#")


def test_names_that_the_file_cannot_hold(tmp_path):
    with pytest.raises(ValueError, match="tab or a line break"):
        write_compact(GeneSets.from_mapping({"T\n1": ["A"]}), tmp_path / "x.gz", ABOUT)
    assert not (tmp_path / "x.gz").exists()


def test_where_sets_come_from_goes_with_them(tmp_path):
    (tmp_path / "mine.gmt").write_text("T1\t\tA\nT2\t\tB\n")
    mine = read_gmt(tmp_path / "mine.gmt")
    other = GeneSets.from_mapping({"T": ["C"]}, ontology="other")
    assert mine.source == "mine: file mine.gmt"
    both = combine(mine, other, renamed(mine, "again"))
    assert both.source == "mine, again: file mine.gmt"
    assert both.only(["other"]).source == ""
    part = both.take(np.array([3, 0]))
    assert part.terms["id"].tolist() == ["T1", "T1"]
    assert part.to_dict() == {"T1": ["A"]}
    assert part.terms["ontology"].tolist() == ["again", "mine"]

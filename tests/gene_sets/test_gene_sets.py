"""Gene sets: GMT, dicts, GO from OrgDb and from GAF + OBO, matching of genes."""

import sqlite3
from contextlib import closing

import pandas as pd
import pytest

from sccase_kit.gene_sets.go import read_gaf, read_obo
from sccase_kit.gene_sets.resolve import as_gene_sets
from sccase_kit.regions import GeneSets, go_from_gaf, go_from_orgdb, read_gmt

TSS = pd.DataFrame(
    {
        "chrom": "chr1",
        "tss": range(5),
        "strand": "+",
        "gene_id": ["ENSG1", "ENSG2.4", "ENSG3,ENSG4", "ENSG5", "ENSG6"],
        "symbol": ["A", "B", "C", "D", "D"],
    }
)


def members(sets, tss=TSS):
    """Term → rows of the table, by a loop."""
    matrix, _ = sets.match(tss)
    return {t: sorted(matrix[:, i].nonzero()[0].tolist()) for i, t in enumerate(sets.terms["id"])}


def test_genes_are_found_by_id_then_by_symbol():
    sets = GeneSets.from_mapping({"ids": ["ENSG2", "ENSG4", "ENSG1"], "mixed": ["A", "D", "ENSG5", "nobody"]})
    assert members(sets) == {"ids": [0, 1, 2], "mixed": [0, 3, 4]}
    assert sets.match(TSS)[1] == pytest.approx(1 / 7)


def test_an_id_that_is_also_a_symbol_means_the_id():
    table = TSS.assign(symbol=["ENSG5", "B", "C", "D", "E"])
    assert members(GeneSets.from_mapping({"t": ["ENSG5"]}), table) == {"t": [3]}


def test_gmt(tmp_path):
    path = tmp_path / "my.sets.gmt"
    path.write_text("T1\tfirst\tA\tB\tA\t\n\n#c\nT2\t\tC\n")
    sets = read_gmt(path)
    assert sets.to_dict() == {"T1": ["A", "B"], "T2": ["C"]}
    assert sets.terms["name"].tolist() == ["first", "T2"]
    assert set(sets.terms["ontology"]) == {"my.sets"}
    assert "2 terms" in repr(sets)


@pytest.mark.parametrize(
    ("text", "match"),
    [("T1\tx\tA\nT2\tx\n", "line 2"), ("T1\tx\tA\nT1\tx\tB\n", "line 2.*second time"), ("\n", "no gene set")],
)
def test_gmt_errors(tmp_path, text, match):
    path = tmp_path / "bad.gmt"
    path.write_text(text)
    with pytest.raises(ValueError, match=match):
        read_gmt(path)


def test_several_ontologies(tmp_path):
    path = tmp_path / "x.gmt"
    path.write_text("T1\t\tA\n")
    sets = as_gene_sets({"first": path, "second": {"T1": ["B"], "T2": ["C", "A"]}})
    assert sets.terms[["ontology", "id"]].values.tolist() == [["first", "T1"], ["second", "T1"], ["second", "T2"]]
    matrix, _ = sets.match(TSS)
    assert [sorted(matrix[:, i].nonzero()[0].tolist()) for i in range(3)] == [[0], [1], [0, 2]]


def test_bad_gene_sets():
    with pytest.raises(TypeError, match="list of genes"):
        GeneSets.from_mapping({"T": "ABC"})
    with pytest.raises(FileNotFoundError, match="genes are a list"):
        as_gene_sets({"T": "ABC"})
    with pytest.raises(FileNotFoundError, match="no GMT file"):
        as_gene_sets("nowhere.gmt")
    with pytest.raises(TypeError, match="got int"):
        as_gene_sets(3)
    with pytest.raises(ValueError, match="not a single term"):
        as_gene_sets({})


@pytest.fixture
def orgdb(tmp_path):
    path = tmp_path / "org.Xx.eg.sqlite"
    with closing(sqlite3.connect(path)) as db, db:
        for ontology in ("bp", "mf", "cc"):
            db.execute(f"CREATE TABLE go_{ontology}_all (_id, go_id, evidence)")
        db.execute("CREATE TABLE ensembl (_id, ensembl_id)")
        db.execute("CREATE TABLE gene_info (_id, symbol, gene_name)")
        db.executemany(
            "INSERT INTO go_bp_all VALUES (?,?,?)",
            [(1, "GO:1", "IEA"), (1, "GO:1", "IDA"), (2, "GO:1", "ND"), (3, "GO:2", "IEA"), (4, "GO:2", "IEA")],
        )
        db.execute("INSERT INTO go_cc_all VALUES (1, 'GO:9', 'IEA')")
        db.executemany("INSERT INTO ensembl VALUES (?,?)", [(1, "ENSG1"), (1, "ENSG5"), (2, "ENSG2"), (3, "OLD")])
        db.executemany("INSERT INTO gene_info VALUES (?,?,'')", [(1, "B"), (2, "B"), (3, "C"), (4, "ZZ")])
    return path


def test_orgdb(orgdb, tmp_path):
    names = tmp_path / "GO.sqlite"
    with closing(sqlite3.connect(names)) as db, db:
        db.execute("CREATE TABLE go_term (go_id, term)")
        db.execute("INSERT INTO go_term VALUES ('GO:1', 'one')")
    sets = go_from_orgdb(orgdb, go_db=names)
    assert members(sets) == {
        "GO:1": [0, 3],
        "GO:2": [2],
        "GO:9": [0, 3],
    }  # gene 3 by its symbol: its Ensembl id is gone
    assert sets.terms["name"].tolist() == ["one", "GO:2", "GO:9"]
    assert sets.terms["ontology"].iloc[-1] == "GO Cellular Component"
    assert sets.match(TSS)[1] == pytest.approx(1 / 3)
    assert members(go_from_orgdb(orgdb, ontologies=["BP"], exclude_evidence=(), go_db=names))["GO:1"] == [0, 1, 3]


def test_orgdb_errors(orgdb, tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="no file"):
        go_from_orgdb(tmp_path / "none.sqlite")
    (tmp_path / "text.sqlite").write_text("nothing like a database " * 100)
    with pytest.raises(ValueError, match="not an OrgDb"):
        go_from_orgdb(tmp_path / "text.sqlite")
    with pytest.raises(ValueError, match="must be one of"):
        go_from_orgdb(orgdb, ontologies=["XX"])
    monkeypatch.setattr("sccase_kit.gene_sets.go._libraries", lambda: [])
    with pytest.raises(FileNotFoundError, match="r-bioc-org"):
        go_from_orgdb()


OBO = """format-version: 1.2

[Term]
id: GO:1
name: root
namespace: biological_process

[Term]
id: GO:2
name: child
namespace: biological_process
is_a: GO:1 ! root

[Term]
id: GO:3
alt_id: GO:33
name: grandchild
namespace: biological_process
relationship: part_of GO:2 ! child
relationship: regulates GO:5 ! other

[Term]
id: GO:4
name: function
namespace: molecular_function
relationship: part_of GO:3 ! crosses into another ontology

[Term]
id: GO:5
name: other
namespace: biological_process

[Term]
id: GO:6
name: gone
namespace: biological_process
is_obsolete: true

[Typedef]
id: part_of
name: part of
"""


def gaf_line(gene, symbol, term, *, qualifier="involved_in", evidence="IDA", aspect="P", synonyms=""):
    cells = ["DB", gene, symbol, qualifier, term, "REF:1", evidence, "", aspect, "", synonyms, "protein", "taxon:9606"]
    return "\t".join([*cells, "20240101", "SRC", "", ""])


def test_gmt_descriptions_that_name_nothing(tmp_path):
    path = tmp_path / "sets.gmt"
    lines = [
        ("T1", "http://www.gsea-msigdb.org/gsea/msigdb/cards/T1"),
        ("T2", "simulated"),
        ("T3", "simulated"),
        ("T4", ""),
        ("T5", "cell cycle"),
        ("B cell activation", "GO:0042113"),
        ("GO:0042110", "T cell activation"),
    ]
    path.write_text("".join(f"{term}\t{text}\tA\tB\n" for term, text in lines))
    assert read_gmt(path).terms["name"].tolist() == [
        *["T1", "T2", "T3", "T4", "cell cycle", "B cell activation", "T cell activation"]
    ]


@pytest.fixture
def annotation(tmp_path):
    obo, gaf = tmp_path / "go.obo", tmp_path / "x.gaf"
    obo.write_text(OBO)
    lines = [
        gaf_line("P1", "x", "GO:33", synonyms="foo|ENSG1"),
        gaf_line("P2", "B", "GO:2"),
        gaf_line("P3", "C", "GO:2", qualifier="NOT|involved_in"),
        gaf_line("ENSG5", "y", "GO:4", qualifier="enables", aspect="F"),
        gaf_line("P4", "D", "GO:1", evidence="ND"),
        gaf_line("P2", "B", "GO:6"),
    ]
    gaf.write_text("!gaf-version: 2.2\n" + "\n".join(lines) + "\n")
    return gaf, obo


def test_gaf(annotation):
    sets = go_from_gaf(*annotation)
    assert members(sets) == {"GO:1": [0, 1], "GO:2": [0, 1], "GO:3": [0], "GO:4": [3]}
    assert dict(zip(sets.terms["id"], sets.terms["name"], strict=True))["GO:3"] == "grandchild"
    with_regulates = go_from_gaf(*annotation, ontologies="BP", relations=("is_a", "part_of", "regulates"))
    assert members(with_regulates) == {"GO:1": [0, 1], "GO:2": [0, 1], "GO:3": [0], "GO:5": [0]}


def test_gaf_errors(annotation, tmp_path):
    gaf, obo = annotation
    bad = tmp_path / "bad.gaf"
    bad.write_text("!x\nDB\tP1\n")
    with pytest.raises(ValueError, match=r"bad\.gaf, line 2"):
        read_gaf(bad)
    with pytest.raises(ValueError, match="no \\[Term\\]"):
        read_obo(gaf)
    bad.write_text("[Term]\nname: x\n\n[Term]\nid: GO:1\n")
    with pytest.raises(ValueError, match=r"bad\.gaf, line 4.*no id"):
        read_obo(bad)
    bad.write_text(gaf_line("P1", "x", "GO:77") + "\n")
    with pytest.raises(ValueError, match="none of their terms"):
        go_from_gaf(bad, obo)

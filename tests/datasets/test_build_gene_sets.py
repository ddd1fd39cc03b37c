"""Gene sets of a species from its annotations and the ontology, by path and by download, in Python and in the shell."""

import gzip

import pytest

import sccase_kit as sk
from sccase_kit.cli import main
from sccase_kit.gene_sets.build import ANNOTATIONS, addresses
from sccase_kit.gene_sets.resolve import as_gene_sets

OBO = """format-version: 1.2
data-version: releases/2024-01-17

[Term]
id: GO:0000001
name: erythropoiesis
namespace: biological_process
is_a: GO:0000003

[Term]
id: GO:0000002
name: regulation of erythropoiesis
namespace: biological_process
relationship: regulates GO:0000001

[Term]
id: GO:0000003
name: blood
namespace: biological_process
"""


def gaf_line(gene, symbol, term, evidence="IDA", qualifier="involved_in"):
    cells = ["MGI", gene, symbol, qualifier, term, "PMID:1", evidence, "", "P", "", "", "protein", "taxon:10090"]
    return "\t".join([*cells, "20240101", "MGI"]) + "\n"


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Return a GAF and an OBO file; what is built goes to a folder of its own."""
    monkeypatch.setenv("SCCASE_KIT_GENE_SETS", str(tmp_path / "built"))
    rows = [gaf_line("MGI:1", "Gata1", "GO:0000001"), gaf_line("MGI:2", "Klf1", "GO:0000001")]
    rows += [
        gaf_line("MGI:3", "Tal1", "GO:0000002"),
        gaf_line("MGI:4", "Zap70", "GO:0000001", qualifier="NOT|involved_in"),
    ]
    rows += [gaf_line("MGI:5", "Xkr4", "GO:0000003", "ND"), gaf_line("MGI:6", "Spi1", "GO:0000003")]
    gaf, obo = tmp_path / "mgi.gaf.gz", tmp_path / "go-basic.obo"
    gaf.write_bytes(gzip.compress(("!gaf-version: 2.2\n!date-generated: 2024-01-10\n" + "".join(rows)).encode()))
    obo.write_text(OBO)
    return gaf, obo


def test_files_of_another_species_are_refused_and_single_rows_of_others_left_out(files, tmp_path, caplog):
    gaf, obo = files
    with pytest.raises(ValueError, match=r"another species: none of its 6 annotations is of taxon 9606.*10090"):
        sk.datasets.build_gene_sets("human", gaf=gaf, obo=obo, min_genes=1)
    mixed = tmp_path / "mixed.gaf"
    virus = gaf_line("V1", "viral", "GO:0000001").replace("10090", "11801")
    both = gaf_line("MGI:7", "Both", "GO:0000001").replace("taxon:10090", "taxon:10090|taxon:562")
    mixed.write_text(virus + both + gaf_line("MGI:8", "", "GO:0000001"))
    with caplog.at_level("INFO", logger="sccase_kit"):
        path = sk.datasets.build_gene_sets("mouse", gaf=mixed, obo=obo, min_genes=1, path=tmp_path / "x.tsv.gz")
    assert "1 of 3 annotations are of other taxa" in caplog.text
    sets = as_gene_sets(path)
    names = set().union(*sets.to_dict().values())
    assert "Both" in names
    assert not names & {"", "viral"}


def test_from_files(files, tmp_path):
    gaf, obo = files
    path = sk.datasets.build_gene_sets("mouse", gaf=gaf, obo=obo, min_genes=1)
    assert path == tmp_path / "built" / "go_mouse.tsv.gz"
    sets = as_gene_sets("GO:BP", species="mouse")
    assert sets.to_dict() == {
        "GO:0000001": ["Gata1", "Klf1"],
        "GO:0000003": ["Gata1", "Klf1", "Spi1"],
        "GO:0000002": ["Tal1"],
    }
    assert sets.terms["name"].tolist()[0] == "erythropoiesis"
    for word in ("ontology 2024-01-17, annotations 2024-01-10", "CC-BY-4.0", "mgi.gaf.gz", "1 to 500 genes"):
        assert word in sets.source


def test_great_on_mouse_then_works_as_printed(files):
    gaf, obo = files
    sk.datasets.build_gene_sets("mouse", gaf=gaf, obo=obo, min_genes=2)
    genes = sk.regions.tss_table("mm10").set_index("symbol").loc[["Gata1", "Klf1"]]
    regions = genes.assign(start=genes["tss"], end=genes["tss"] + 9)[["chrom", "start", "end"]].reset_index(drop=True)
    table = sk.tl.great(regions, "mm10", "GO:BP")
    assert table["name"].tolist()[0] == "erythropoiesis"
    assert "MGI" not in table["Genes"].iloc[0]


def test_the_command(files, capsys, tmp_path):
    gaf, obo = files
    command = [
        "gene-sets",
        "build",
        "--species",
        "mouse",
        "--gaf",
        str(gaf),
        "--obo",
        str(obo),
        "--min-genes",
        "1",
        "-q",
    ]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "GO Biological Process" in out
    assert str(tmp_path / "built" / "go_mouse.tsv.gz") in out
    assert main(["gene-sets", "list", "-q"]) == 0
    listed = capsys.readouterr().out
    assert "GO:BP\tmouse\tGene Ontology, annotations propagated to ancestors\t3 sets, built here" in listed
    assert main([*command[:-2], "5", "-q"]) == 1
    assert "no term of mgi.gaf.gz has 5 to 500 genes" in capsys.readouterr().err


def test_without_a_network_the_way_out_is_said(files, monkeypatch):
    def fail(url, output, file):
        msg = "no network"
        raise OSError(msg)

    monkeypatch.setattr("sccase_kit.datasets._gene_sets.download_to", fail)
    with pytest.raises(ConnectionError, match=r"annotations/mgi.gaf.gz could not be downloaded.*gaf= and obo="):
        sk.datasets.build_gene_sets("mouse")


def test_downloads_what_is_not_given(files, monkeypatch):
    gaf, obo = files
    asked = []

    def copy(url, output, file):
        asked.append(url)
        output.write_bytes(gaf.read_bytes())

    monkeypatch.setattr("sccase_kit.datasets._gene_sets.download_to", copy)
    sk.datasets.build_gene_sets("mouse", obo=obo, min_genes=1, release="2024-01-17")
    assert asked == ["http://release.geneontology.org/2024-01-17/annotations/mgi.gaf.gz"]


@pytest.mark.parametrize("species", ANNOTATIONS)
def test_addresses(species):
    gaf, obo = addresses(species)
    assert gaf.endswith(ANNOTATIONS[species])
    assert obo == "http://current.geneontology.org/ontology/go-basic.obo"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"species": "yeti"}, "species must be one of"),
        ({"release": "latest"}, "'current' or a date"),
        ({"orgdb": "x", "gaf": "y"}, "not both"),
        ({"gaf": "none.gaf", "obo": "none.obo"}, "no such file"),
        ({"orgdb": "none.sqlite"}, "there is no file"),
    ],
)
def test_bad_input(options, words, tmp_path, monkeypatch):
    monkeypatch.setenv("SCCASE_KIT_GENE_SETS", str(tmp_path))
    with pytest.raises((ValueError, OSError), match=words):
        sk.datasets.build_gene_sets(**options)
    assert not list(tmp_path.iterdir())

"""A new source of gene sets is one file: names, species, lists, and the sets that are shipped."""

import pytest

import sccase_kit as sk
from sccase_kit.gene_sets.compact import write_compact
from sccase_kit.gene_sets.folder import built_file
from sccase_kit.gene_sets.resolve import as_gene_sets
from sccase_kit.gene_sets.sets import GeneSets
from sccase_kit.gene_sets.sources import Source, labels, register, source_of, sources, unregister

# ---- a whole new source, as the one file of it would be -------------------------------------------------------------
PATHWAYS = {"heme": ["ALAS2", "FECH", "UROS"], "globin": ["HBB", "HBA1"]}


def load(label, species):
    if species == "mouse":
        msg = "there are no pathways of mouse; run\nget-pathways mouse"
        raise FileNotFoundError(msg)
    return GeneSets.from_mapping(PATHWAYS, ontology="Pathways")


SOURCE = Source("pathways", "a few pathways", ("PATHWAYS",), load, lambda label, species: f"{len(PATHWAYS)} sets")
# ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def pathways():
    register(SOURCE)
    yield
    unregister("pathways")


def test_a_new_source_is_known_everywhere(pathways, capsys):
    from sccase_kit.cli import main

    assert as_gene_sets("PATHWAYS").to_dict() == PATHWAYS
    both = as_gene_sets(["PATHWAYS", {"mine": ["TAL1"]}])
    assert both.terms["ontology"].tolist() == ["Pathways", "Pathways", "collection 2"]
    with pytest.raises(FileNotFoundError, match="get-pathways mouse"):
        as_gene_sets("PATHWAYS", species="mouse")
    with pytest.raises(FileNotFoundError, match="PATHWAYS"):
        as_gene_sets("PATHWAYZ")
    assert main(["gene-sets", "list", "-q"]) == 0
    assert "PATHWAYS\thuman\ta few pathways\t2 sets" in capsys.readouterr().out
    near = sk.regions.tss_table("hg38").set_index("symbol").loc[["FECH", "UROS"]]
    regions = near.assign(start=near["tss"], end=near["tss"] + 100)[["chrom", "start", "end"]].reset_index(drop=True)
    assert sk.tl.great(regions, "hg38", "PATHWAYS").iloc[0][["ontology", "ID"]].tolist() == ["Pathways", "heme"]


def test_registering_checks_names(pathways):
    with pytest.raises(ValueError, match=r"labels \['PATHWAYS'\].* belong to the source 'pathways'"):
        register(SOURCE)
    taken = Source("other", "", ("GO:BP",), load, lambda label, species: "")
    with pytest.raises(ValueError, match="belong to the source 'gene ontology'"):
        register(taken)
    with pytest.raises(KeyError, match="no source 'other' was registered"):
        unregister("other")


def test_every_file_of_the_folder_is_a_source():
    assert "gene ontology" in sources()
    assert all(source_of(label) is not None for label in labels())
    assert source_of("nothing") is None
    assert source_of(3) is None


def test_human_gene_ontology_is_shipped(monkeypatch, tmp_path):
    monkeypatch.setenv("SCCASE_KIT_GENE_SETS", str(tmp_path))
    sets = as_gene_sets("GO", species="human")
    counts = sets.terms["ontology"].value_counts()
    assert counts.to_dict() == {
        "GO Biological Process": 6169, "GO Molecular Function": 1246, "GO Cellular Component": 794
    }  # fmt: skip
    assert as_gene_sets("GO:MF").terms["ontology"].unique().tolist() == ["GO Molecular Function"]
    assert sets.source.startswith("GO Biological Process, GO Molecular Function, GO Cellular Component: Gene Ontology")
    for word in ("2022-07-01", "CC-BY-4.0", "is_a and part_of", "10 to 500 genes"):
        assert word in sets.source
    heme = sets.terms.index[sets.terms["id"] == "GO:0006783"][0]
    assert sets.terms.loc[heme, "name"] == "heme biosynthetic process"
    genes = set(sets.take([heme]).to_dict()["GO:0006783"])
    assert {"ALAS2", "HMBS", "FECH"} <= genes
    matrix, unknown = sets.match(sk.regions.tss_table("hg38"))
    assert unknown < 0.1
    assert abs(matrix[:, heme].sum() - len(genes)) <= 3


def test_sets_built_here_stand_in_for_the_name(monkeypatch, tmp_path):
    monkeypatch.setenv("SCCASE_KIT_GENE_SETS", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"\nsccase-kit gene-sets build --species mouse$"):
        as_gene_sets("GO:BP", species="mouse")
    mine = GeneSets.from_mapping({"GO:1": ["Gata1", "Tal1"]}, ontology="GO Biological Process")
    write_compact(mine, built_file("go", "mouse"), {"source": "here"})
    assert as_gene_sets("GO:BP", species="mouse").to_dict() == {"GO:1": ["Gata1", "Tal1"]}
    assert sources()["gene ontology"].status("GO:BP", "mouse").startswith("1 sets, built here; here")
    assert "gene-sets build --species mouse" not in sources()["gene ontology"].status("GO", "human")


@pytest.mark.parametrize(("given", "words"), [([], "not a single collection"), ([{}], "not a single term")])
def test_empty_lists(given, words):
    with pytest.raises(ValueError, match=words):
        as_gene_sets(given)

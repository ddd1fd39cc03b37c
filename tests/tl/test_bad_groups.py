"""Groups that are hard: every front of the way from clusters to meaning names them, or says clearly why not."""

import shutil

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk

ODD = "a/b ..\\ '\"α"
NO_LABEL = "has no label for 1 of 80 cells; drop or label them first"
ONE = r"has 1 group\(s\), at least 2 are needed"
PLACES = "coordinates, e.g. \\['p0', 'p1', 'p2'\\]"
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*groups with few marker peaks.*", "ignore:.* genes have a peak in reach"
)


@pytest.fixture(scope="module")
def study():
    study = sk.datasets.toy_study(n_cells=80, n_peaks=400)
    sk.pp.filter_peaks(study.adata)
    sk.tl.enhance(study.adata, 5, method="sccase")
    sk.tl.match_motifs(study.adata, study.motifs, sequences=study.sequences)
    sk.tl.chromvar(study.adata, method="analytic")
    return study


@pytest.fixture(scope="module")
def given(study):
    planted = study.genes[study.genes["specific_to"] != ""]
    peaks = study.adata.var[study.adata.var["specific_to"].astype(str) == "type_2"].iloc[:30]
    bed = pd.DataFrame({"chrom": peaks["chrom"], "start": peaks["start"] + 5, "end": peaks["start"] + 6, "pip": 0.9})
    return {"markers": planted.groupby("specific_to")["symbol"].agg(list).to_dict(), "variants": {"t": bed}}


def hard(study, kind):
    """Return data whose column g is of one kind."""
    adata = study.adata.copy()
    labels = adata.obs["cell_type"].astype(str).to_numpy(object)
    if kind == "one cell":
        labels[0] = "alone"
    elif kind == "one group":
        labels[:] = "all"
    elif kind == "NaN":
        labels[3] = np.nan
    elif kind == "odd names":
        labels[labels == "type_1"] = ODD
        labels[labels == "type_4"] = "1.0"
    elif kind == "no reads":
        counts = adata.X.tolil()
        counts[np.flatnonzero(labels == "type_3")] = 0
        adata.X = counts.tocsr()
    else:
        adata.var = adata.var.drop(columns=["chrom", "start", "end"])
        adata.var_names = [f"p{k}" for k in range(adata.n_vars)]
    adata.obs["g"] = pd.Series(labels, index=adata.obs_names)
    return adata


def peaks(adata, study, given):
    sk.tl.specific_peaks(adata, "g", n_top=20, genome=study.genes)
    return adata.uns["specific_peaks"]["groups"]


def names(adata, study, given):
    sk.tl.annotate(adata, "g", given["markers"], genome=study.genes)
    return adata.uns["annotation"]["table"]


def traits(adata, study, given):
    sk.tl.trait_scores(adata, given["variants"], "g", bias=None, n_permutations=9)
    return adata.uns["traits"]["groups"]


def motifs(adata, study, given):
    return sk.tl.differential_deviations(adata, "g")


def cell_tests(adata, study, given):
    sk.tl.scabc(adata, "g", n_top=10)
    return adata.uns["scabc"]["top"]


def terms(adata, study, given):
    sk.tl.specific_peaks(adata, "g", n_top=30)
    return sk.tl.great(adata, "hg38", study.gene_sets, tss=study.genes)


FRONTS = {"peaks": peaks, "names": names, "traits": traits, "motifs": motifs, "scabc": cell_tests, "terms": terms}
#: Kind → front → what is said; fronts that are not listed have a row for every group.
SAID = {
    "one cell": {},
    "odd names": {},
    "one group": {name: ONE for name in FRONTS if name != "traits"},
    "NaN": dict.fromkeys(FRONTS, NO_LABEL),
    "no reads": {
        "traits": r"peaks have no reads in any cell: .*filter_peaks\(adata, min_fraction=0\) drops them",
        "scabc": r"no cell with depth > 0 in cluster\(s\) \['type_3'\]; drop those cells",
    },
    "no coordinates": {"peaks": PLACES, "names": PLACES, "traits": PLACES, "terms": "columns chrom, start, end"},
}


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("kind", SAID)
@pytest.mark.filterwarnings("ignore:groups without a single marker peak have no terms. type_3")
def test_every_group_has_a_row_or_the_reason_is_said(study, given, kind, front):
    adata = hard(study, kind)
    said = SAID[kind].get(front)
    if said is not None:
        with pytest.raises((ValueError, KeyError), match=said):
            FRONTS[front](adata, study, given)
        return
    table = FRONTS[front](adata, study, given)
    missing = set(adata.obs["g"]) - set(table["group"].astype(str))
    assert missing == ({"type_3"} if (kind, front) == ("no reads", "terms") else set())


def test_groups_without_peaks_are_named_before_their_terms_are_missing(study, given):
    adata = hard(study, "no reads")
    groups = peaks(adata, study, given).set_index("group")
    assert groups.loc["type_3", "n_peaks"] == 0
    assert groups.loc["type_3", "reason"]
    sk.tl.specific_peaks(adata, "g", n_top=30)
    with pytest.warns(UserWarning, match="groups without a single marker peak have no terms: type_3"):
        sk.tl.great(adata, "hg38", study.gene_sets, tss=study.genes)


@pytest.mark.skipif(shutil.which("bedtools") is None, reason="the program bedtools is not installed")
@pytest.mark.parametrize("kind", ["one cell", "odd names"])
@pytest.mark.filterwarnings("ignore:no factor of the motifs has a gene", "ignore:.*have no deviations")
def test_interpretation_and_page_have_every_group(study, given, kind, tmp_path):
    adata = hard(study, kind)
    options = {"gene_sets": study.gene_sets, "tss": study.genes}
    found = sk.tl.interpret(
        adata, "g", tmp_path, genome="hg38", n_top=20, great=options, motifs={},
        traits={"variants": given["variants"], "n_permutations": 9},
    )  # fmt: skip
    groups = set(adata.obs["g"])
    for name, table in found.items():
        assert groups <= set(table["group"]), name
    listed = pd.read_csv(tmp_path / "peaks" / "groups.tsv", sep="\t", dtype={"group": str})
    assert set(listed["group"]) == groups


@pytest.mark.skipif(shutil.which("bedtools") is None, reason="the program bedtools is not installed")
@pytest.mark.filterwarnings("ignore:no factor of the motifs has a gene", "ignore:groups without a single")
def test_peaks_that_lost_their_reads_are_counted(study, given, tmp_path):
    adata = hard(study, "no reads")
    with pytest.warns(UserWarning, match=r"peaks have no reads; motifs and traits are tested on the others"):
        found = sk.tl.interpret(
            adata, "g", tmp_path, genome="hg38", n_top=20, traits={"variants": given["variants"], "n_permutations": 9}
        )
    assert set(found["traits"]["group"]) == set(adata.obs["g"])


def test_markers_that_are_not_there(study):
    adata = study.adata.copy()
    with pytest.raises(ValueError, match="species"):
        sk.tl.annotate(adata, "cell_type", {"x": ["CG1234", "dpp", "wg"], "y": ["hh", "en"]}, genome="hg38")
    known = study.genes.loc[study.genes["specific_to"] == "type_1", "symbol"].tolist()
    with pytest.warns(UserWarning, match="NOT_A_GENE"):
        sk.tl.annotate(adata, "cell_type", {"a": [*known, "NOT_A_GENE"], "b": known[:4]}, genome=study.genes)
    table = adata.uns["annotation"]["table"]
    assert set(table["group"]) == set(adata.obs["cell_type"].astype(str))

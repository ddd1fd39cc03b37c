"""The whole page: what it shows, hostile names, large data, and what it leaves alone."""

from __future__ import annotations

import re

import anndata as ad
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.pages.blocks import Figure
from sccase_kit.report._sections import data_section, tissue_section

SECTIONS = ["What was found", "Maps", "Tracks", "Peaks", "Motifs", "Functions of nearby genes"]
SECTIONS += ["Clusters", "Batches", "Enhancement", "Data", "Other tables", "Parameters", "Reproduce"]


@pytest.fixture(scope="module")
def page(full, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    sk.report.write_report(full, path, title="A study", source="toy.h5ad", tables={"Mine": pd.DataFrame({"u": [1, 2]})})
    return path


def titles(text):
    return re.findall(r"<h2>(.*?)</h2>", text)


def test_sections_figures_and_tables(page):
    text = page.read_text(encoding="utf-8")
    assert titles(text) == SECTIONS
    assert "Not drawn" not in text
    assert text.count("data:image/png;base64,") >= 13
    assert "<h1>A study</h1>" in text
    assert "Mine" in text
    assert "sk.tl.enhance(adata, batch_key=&#x27;batch&#x27;, method=&#x27;robust&#x27;)" in text


def test_nothing_changes(full, tmp_path):
    before = full.copy()
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    figures = plt.get_fignums()
    sk.report.write_report(full, tmp_path / "a.html")
    for slot in ("obs", "var", "obsm", "varm", "uns", "layers"):
        assert list(getattr(full, slot)) == list(getattr(before, slot))
    pd.testing.assert_frame_equal(full.obs, before.obs)
    assert (full.X != before.X).nnz == 0
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert plt.get_fignums() == figures
    assert [p.name for p in tmp_path.iterdir()] == ["a.html"]


@pytest.fixture(scope="module")
def small():
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=300).adata
    sk.tl.enhance(adata, 4)
    adata.obsm["X_umap_raw"] = adata.obsm["X_umap_sccase"] = adata.obsm["X_sccase"][:, :2]
    return adata


HOSTILE = [
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    r"$\frac{1}{$ and $$ % {0} #",
    "line\nbreak\tand \u202e right to left " + "long " * 30,
]


def test_hostile_names_are_shown_not_run(small, tmp_path, browser):
    adata = small.copy()
    label = HOSTILE[0] + "column"
    adata.obs[label] = pd.Categorical.from_codes(np.arange(60) % 4, HOSTILE)
    adata.obs_names = [f"{HOSTILE[1]}{i}" for i in range(60)]
    adata.var_names = [f"{HOSTILE[0]}{i}" for i in range(adata.n_vars)]
    sk.tl.specific_peaks(adata, label, n_top=5, min_specificity=0, alpha=1)
    sk.tl.cluster(adata)
    adata.uns["<b>key</b>"] = pd.DataFrame({"<i>": HOSTILE, "n": range(4)})
    path = sk.report.write_report(adata, tmp_path / "a.html", label, title=HOSTILE[1], source=HOSTILE[0])
    text = path.read_text(encoding="utf-8")
    assert "Not drawn" not in text
    assert "<script>document" not in text
    assert "<img src=x" not in text
    browser.get_log("browser")
    browser.get(path.as_uri())
    assert browser.title.startswith('"><img src=x')
    assert browser.get_log("browser") == []
    after = browser.page_source
    assert "<b>key</b>" not in after


def test_snpsea_has_its_section(small, tmp_path):
    names = ["liver", "brain", "skin"]
    table = pd.DataFrame({"group": ["a"] * 3 + ["b"] * 3, "condition": names * 2, "pvalue": np.linspace(0.001, 1, 6)})
    table["nulls_observed"], table["nulls_tested"], table["n_snps"] = 100, 1000, 7
    stored = table.copy()
    table.attrs["correlation"] = pd.DataFrame(np.eye(3), index=names, columns=names).to_dict("split")
    text = sk.report.write_report(small, tmp_path / "a.html", tables={"Traits": table, "Read back": stored}).read_text()
    assert "Tissues" in titles(text)
    assert "Other tables" not in titles(text)
    assert text.count("Conditions in which the genes") == 2  # the caption and the text of one figure


def test_snpsea_draws_few_groups_side_by_side():
    names = [f"tissue {i}" for i in range(6)]
    rows = [(group, name, 0.1) for group in "abcde" for name in names]
    table = pd.DataFrame(rows, columns=["group", "condition", "pvalue"])
    table.attrs["correlation"] = pd.DataFrame(np.eye(6), index=names, columns=names).to_dict("split")
    figures = [block for block in tissue_section({"Traits": table}).blocks if isinstance(block, Figure)]
    assert [figure.caption.split(" are ")[0].split("peaks of ")[1] for figure in figures] == ["a and b", "c and d", "e"]
    assert max(figure.size[0] for figure in figures) < 1050  # the width of the page in pixels


def test_heritability_has_its_section(small, tmp_path):
    table = pd.DataFrame({"trait": ["height", "height", "bmi", "bmi"], "group": ["a", "b"] * 2})
    table["Enrichment"], table["Enrichment_std_error"], table["Enrichment_p"] = [4.0, 1.0, 0.5, 1.2], 0.3, 0.01
    text = sk.report.write_report(small, tmp_path / "a.html", tables={"Traits": table}).read_text()
    assert "Heritability" in titles(text)
    assert "Other tables" not in titles(text)
    assert "Not drawn" not in text
    assert "height: enrichment of heritability" in text


def test_the_estimate_of_the_number_of_types(tmp_path):
    adata = sk.datasets.toy_study(n_cells=80, n_peaks=400).adata
    sk.pp.filter_peaks(adata)
    number = sk.tl.estimate_k(adata, k_values=range(3, 7))
    sk.tl.enhance(adata, number)
    adata.write_h5ad(tmp_path / "a.h5ad")
    text = sk.report.write_report(sk.read(tmp_path / "a.h5ad"), tmp_path / "a.html").read_text(encoding="utf-8")
    assert f"Estimated number of cell types: {number} (estimate_k)" in text
    assert "Not drawn" not in text
    assert "Other tables" not in titles(text)
    assert "sk.tl.estimate_k(adata, k_values=[3, 4, 5, 6])" in text


def test_data_with_nothing_but_the_model(small, tmp_path):
    adata = small.copy()
    adata.obs = adata.obs[[]]
    text = sk.report.write_report(adata, tmp_path / "a.html").read_text(encoding="utf-8")
    assert titles(text) == ["What was found", "Maps", "Enhancement", "Data", "Parameters", "Reproduce"]
    assert "no column of the cells is called like one" in text
    assert "Not drawn" not in text


def test_groups_are_chosen(small):
    from sccase_kit.report._sections import choose_groups

    adata = small.copy()
    assert choose_groups(adata) == "cell_type"
    adata.obs = adata.obs.rename(columns={"cell_type": "kind"})
    assert choose_groups(adata) == "kind"
    sk.tl.cluster(adata, key_added="mine")
    assert choose_groups(adata) == "mine"
    adata.obs = adata.obs[[]]
    assert choose_groups(adata) is None


def test_many_cells_are_drawn_as_a_subset(small, tmp_path):
    text = sk.report.write_report(small, tmp_path / "a.html", max_cells=30).read_text(encoding="utf-8")
    assert "Not drawn" not in text
    assert "<dd>60</dd>" in text


def test_what_cannot_be_drawn_says_why(small, tmp_path):
    adata = small.copy()
    sk.tl.specific_peaks(adata, "cell_type", n_top=5, ranking="contrast", min_specificity=0, alpha=1)
    part = adata[:, 50:].copy()
    text = sk.report.write_report(part, tmp_path / "a.html").read_text(encoding="utf-8")
    assert "Not drawn: The first 30 peaks of each group" in text


def test_backed_data_and_the_published_solver(small, tmp_path):
    import anndata as ad

    adata = small.copy()
    sk.tl.enhance(adata, 4, solver="published", key_added="dense")
    adata.write_h5ad(tmp_path / "a.h5ad")
    backed = ad.read_h5ad(tmp_path / "a.h5ad", backed="r")
    text = sk.report.write_report(backed, tmp_path / "a.html").read_text(encoding="utf-8")
    assert "Not drawn" not in text
    dense = sk.report.write_report(backed, tmp_path / "b.html", key="dense").read_text(encoding="utf-8")
    assert "<dd>published</dd>" in dense
    backed.file.close()


def test_counts_in_a_layer_and_lazy_counts(small, tmp_path):
    da = pytest.importorskip("dask.array")
    adata = small.copy()
    adata.layers["counts"] = da.from_array(adata.X.toarray(), chunks=(17, -1)).map_blocks(sparse.csr_matrix)
    del adata.X
    sk.tl.specific_peaks(adata, "cell_type", n_top=5, ranking="contrast", min_specificity=0, alpha=1)
    for cells in (1000, 40):
        path = sk.report.write_report(adata, tmp_path / "a.html", layer="counts", max_cells=cells)
        assert "Not drawn" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"path": "a.pdf"}, ValueError, "path must end in .html, got"),
        ({"path": "none/a.html"}, FileNotFoundError, "does not exist; create it before writing 'a.html'"),
        ({"groupby": "donor"}, KeyError, "groupby='donor' is not in adata.obs; available:"),
        ({"key": "other"}, KeyError, "other"),
        ({"layer": "raw"}, KeyError, "layer='raw' is not in adata.layers"),
        ({"max_cells": 1}, ValueError, "max_cells must be at least 10"),
        ({"tables": {"x": [1]}}, TypeError, r"tables\['x'\] must be a DataFrame, got list"),
        ({"adata": "a.h5ad"}, TypeError, "adata must be an AnnData"),
    ],
)
def test_errors_leave_nothing_behind(small, tmp_path, arguments, error, message):
    given = {"adata": small, "path": "a.html"} | arguments
    with pytest.raises(error, match=message):
        sk.report.write_report(given.pop("adata"), tmp_path / given.pop("path"), **given)
    assert list(tmp_path.iterdir()) == []


def test_entries_stored_twice_are_one_count():
    twice = sparse.csr_matrix((np.ones(4), np.array([1, 1, 0, 2]), np.array([0, 2, 3, 4])), shape=(3, 3))
    tiles = data_section(ad.AnnData(twice), None, None).blocks[0].values
    assert (tiles["cell–peak pairs that are open"], tiles["median cells per peak"]) == (f"{3 / 9:.2%}", 1)


def test_names_and_groups_are_on_the_page(small, tmp_path):
    adata = small.copy()
    sk.tl.annotate(adata, "cell_type", reference=sk.pp.pseudobulk(adata, "cell_type"))
    label = adata.obs["cell_type"].astype(str).to_numpy(dtype=object)
    label[0] = "alone"
    adata.obs["label"] = label
    sk.tl.specific_peaks(adata, "label", n_top=5)
    text = sk.report.write_report(adata, tmp_path / "a.html", "cell_type").read_text(encoding="utf-8")
    assert "Names for cell_type (annotation)" in text
    assert "What the groups may be" in text
    assert "Every group: its marker peaks" in text
    assert "sk.tl.annotate(" in text
    assert "Not drawn" not in text


def test_the_title_is_the_file_with_its_size(small, tmp_path):
    adata = small.copy()

    def first(**given):
        text = sk.report.write_report(adata, tmp_path / "page.html", "cell_type", max_cells=20, **given).read_text(
            "utf-8"
        )
        return re.search("<h1>(.*?)</h1>", text)[1]

    assert first() == "page: 60 cells in 5 groups"
    assert first(source="some/counts.h5ad") == "counts: 60 cells in 5 groups"

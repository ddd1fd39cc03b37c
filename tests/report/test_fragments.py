"""The section on the quality of the fragments: figures instead of tables of a thousand rows."""

from __future__ import annotations

import pytest

import sccase_kit as sk
from sccase_kit.pages.blocks import Figure
from sccase_kit.pages.table import Table
from sccase_kit.report._fragments import fragment_section
from sccase_kit.report._headers import FILES


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    study = sk.datasets.toy_study(n_cells=60, n_peaks=400, n_types=3)
    path = sk.datasets.write_toy_fragments(study, tmp_path_factory.mktemp("f") / "fragments.tsv.gz", background=0.1)
    return sk.read_fragments({"one": path, "<two>": path}, study.adata, tss=study.genes, min_fragments=10)


def flat(blocks):
    for block in blocks:
        yield from flat(block.blocks) if hasattr(block, "blocks") else (block,)


def test_curves_are_figures_and_files_a_table(counted):
    found = list(flat(fragment_section(counted).blocks))
    assert [type(block) for block in found] == [Figure] * 5 + [Table]
    assert found[-1].frame["sample"].tolist() == ["one", "<two>"]
    assert (found[-1].frame["fragments"] > 0).all()
    assert ' (in the file: not_in_cells)">not of a cell</button>' in found[-1].html()
    assert set(FILES) <= set(found[-1].frame.columns)


def test_what_is_not_there_is_left_out(counted):
    """Without transcription starts, and with barcodes given, there are fewer curves and no note of a failure."""
    part = counted.copy()
    del part.uns["fragments"]["tss_profile"], part.uns["fragments"]["barcode_rank"], part.obs["tss_enrichment"]
    found = list(flat(fragment_section(part).blocks))
    assert [type(block) for block in found] == [Figure] * 2 + [Table]
    del part.uns["fragments"]
    assert fragment_section(part) is None


def test_the_page_shows_no_table_of_curves(counted, tmp_path):
    adata = counted.copy()
    sk.pp.filter_peaks(adata)
    sk.tl.enhance(adata, 3)
    adata.obsm["X_umap_raw"] = adata.obsm["X_umap_sccase"] = adata.obsm["X_sccase"][:, :2]
    text = sk.report.write_report(adata, tmp_path / "a.html").read_text(encoding="utf-8")
    assert "<h2>Quality of the fragments</h2>" in text
    assert "Not drawn" not in text
    assert "Other tables" not in text

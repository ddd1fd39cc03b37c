"""What `info` says, against plain counting."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import sccase_kit as sk


def test_info_counts_what_is_there(call_json, study, counts_file):
    dense = study.adata.X.toarray()
    result = call_json("info", counts_file)
    assert (result["cells"], result["peaks"]) == dense.shape
    assert result["nonzeros"] == (dense > 0).sum()
    assert result["density"] == pytest.approx((dense > 0).mean(), abs=1e-5)
    assert result["median depth"] == np.median(dense.sum(axis=1))
    assert result["empty cells"] == (dense.sum(axis=1) == 0).sum()
    assert result["peaks open in 1 % of cells"] == ((dense > 0).sum(axis=0) >= 1.2).sum()
    assert result["peaks with coordinates"] == 600
    assert result["labels (categories)"] == {"cell_type": study.adata.obs["cell_type"].nunique(), "batch": 2}
    assert result["layers"] == ["truth"]
    assert result["enhanced under"] == []


def test_info_names_a_limit_where_most_peaks_would_be_dropped(call_json, tmp_path):
    rng = np.random.default_rng(0)
    dense = np.zeros((1000, 50), dtype=np.int32)
    dense[:, :10] = rng.random((1000, 10)) < 0.2
    for peak in range(10, 45):
        dense[rng.choice(1000, 3, replace=False), peak] = 1
    names = [f"chr1:{1000 * i}-{1000 * i + 500}" for i in range(50)]
    ad.AnnData(sparse.csr_matrix(dense), var=pd.DataFrame(index=names)).write_h5ad(tmp_path / "rare.h5ad")
    result = call_json("info", tmp_path / "rare.h5ad")
    assert result["peaks open in 1 % of cells"] == 10
    assert result["to keep more peaks"] == "enhance --min-fraction 0.001 keeps 45"
    ad.AnnData(sparse.csr_matrix(dense[:, :15]), var=pd.DataFrame(index=names[:15])).write_h5ad(tmp_path / "few.h5ad")
    assert "to keep more peaks" not in call_json("info", tmp_path / "few.h5ad")


def test_info_finds_earlier_results(call_json, enhanced_file):
    result = call_json("info", enhanced_file)
    assert result["enhanced under"] == ["sccase"]
    assert "X_sccase" in result["embeddings"]


def test_info_of_empty_data(call_json, tmp_path):
    empty = ad.AnnData(
        sparse.csr_matrix((0, 3), dtype=np.int32), var=pd.DataFrame(index=["chr1:1-2", "chr1:3-4", "chr2:1-9"])
    )
    empty.write_h5ad(tmp_path / "empty.h5ad")
    result = call_json("info", tmp_path / "empty.h5ad")
    assert (result["cells"], result["peaks"], result["density"]) == (0, 3, 0)


def test_info_text(call, enhanced_file):
    code, out, _ = call("info", enhanced_file)
    assert code == 0
    assert "\nenhanced under              sccase\n" in out


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cut.h5ad", b"\x89HDF\r\n\x1a\n" + b"0" * 50, "not a readable .h5ad"),
        ("text.h5ad", b"hello", "not a readable .h5ad"),
        ("a.bam", b"", "unknown format of 'a.bam'; supported: "),
    ],
)
def test_damaged_files_are_named(call, tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    code, out, err = call("info", tmp_path / name)
    assert (code, out) == (1, "")
    assert message in err
    assert name in err


def test_bad_counts_are_named(call, tmp_path):
    adata = ad.AnnData(np.array([[1.0, -2.0], [0.0, 3.0]]), var=pd.DataFrame(index=["chr1:1-2", "chr1:3-4"]))
    adata.write_h5ad(tmp_path / "negative.h5ad")
    code, _, err = call("info", tmp_path / "negative.h5ad")
    assert code == 1
    assert "1 negative value" in err


def test_info_reads_what_read_reads(call_json, counts_file, tmp_path):
    pytest.importorskip("zarr")
    sk.io.convert(counts_file, tmp_path / "a.zarr")
    a, b = call_json("info", tmp_path / "a.zarr"), call_json("info", counts_file)
    a.pop("file"), b.pop("file"), a.pop("format"), b.pop("format")
    assert a == b


def test_info_counts_entries_stored_twice_once(call_json, tmp_path):
    twice = sparse.csr_matrix((np.ones(4, np.int32), [1, 1, 0, 2], [0, 2, 3, 4]), shape=(3, 3))
    ad.AnnData(twice, var=pd.DataFrame(index=["chr1:1-2", "chr1:3-4", "chr2:1-9"])).write_h5ad(tmp_path / "a.h5ad")
    result = call_json("info", tmp_path / "a.h5ad")
    assert (result["nonzeros"], result["median depth"]) == (3, 1)


def test_info_says_which_genome_the_peaks_fit(call_json, tmp_path):
    sites = sk.regions.tss_table("mm10").drop_duplicates(["chrom", "tss"]).sample(120, random_state=0)
    names = [f"{c}:{t - 200}-{t + 200}" for c, t in zip(sites["chrom"], sites["tss"], strict=True)]
    adata = ad.AnnData(sparse.csr_matrix(np.ones((3, 120), dtype=np.int32)), var=pd.DataFrame(index=names))
    adata.uns["genome"] = "hg19"
    adata.write_h5ad(tmp_path / "mouse.h5ad")
    said = call_json("info", tmp_path / "mouse.h5ad")["genome"]
    assert said.startswith("fits mm10, not hg19, hg38, mm9 (genes that start at a peak: mm10 1")
    assert said.endswith("the file says hg19")


@pytest.mark.filterwarnings("ignore:2 of 2 peak names have no coordinates")
def test_info_says_where_the_genome_is_not_told(call_json, counts_file, tmp_path):
    assert call_json("info", counts_file)["genome"].startswith("not told by these peaks (genes")
    nameless = ad.AnnData(sparse.csr_matrix((2, 2), dtype=np.int32), var=pd.DataFrame(index=["a", "b"]))
    nameless.write_h5ad(tmp_path / "nameless.h5ad")
    assert call_json("info", tmp_path / "nameless.h5ad")["genome"] == "not told: the peaks have no coordinates"

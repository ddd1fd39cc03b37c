"""The experiments on a toy study: what they find in it, and that the page shows it."""

from __future__ import annotations

import numpy as np
import pytest

import sccase_kit as sk
from sccase_kit.paper.cohorts import Candidate, make_cohort
from sccase_kit.paper.experiments import clustering, depth, reference, significance
from sccase_kit.paper.study import DEFAULT, OURS, RAW, Study, standard_methods


@pytest.fixture(scope="module")
def study():
    adata = sk.datasets.toy_study(n_cells=150, n_peaks=600, n_types=3).adata
    return Study(make_cohort(Candidate("toy", "memory", adata.copy)), standard_methods(150), {"seeds": 1})


@pytest.fixture(scope="module")
def clustered(study):
    return {"toy": clustering.run(study)}


def test_clustering(study, clustered):
    table = clustered["toy"]
    assert list(table["method"]) == [RAW, "kNN", OURS, DEFAULT, "scCASE program"]
    means = table.set_index("method")["silhouette"]
    assert means[OURS] > means[RAW]
    found = clustering.find(clustered)
    best = max(means[RAW], means["kNN"])
    assert found["silhouette over second best"].ours == pytest.approx(100 * (means[OURS] - best) / abs(best))
    again = sk.metrics.evaluate(_fitted(study, sk.enhance.Sccase(study.n_components)), "cell_type")
    assert again["ari"] == pytest.approx(table.set_index("method").loc[OURS, "ari"])


def _fitted(study, method):
    adata = study.adata.copy()
    sk.tl.enhance(adata, method=method)
    return adata


def test_fits_are_shared(study):
    assert study.fit(OURS) is study.with_settings({}).fit(OURS)
    assert study.fit(OURS) is not study.fit(OURS, seed=1)


def test_significance_says_when_it_cannot(clustered):
    tables = dict.fromkeys("abc", clustered["toy"])
    found = significance.find(tables)["better than raw"]
    assert found.holds is None
    assert "no p can be below 0.125" in found.note
    five = clustered["toy"].assign(silhouette=[0, 0, 1, 1, 1], ari=[0, 0, 1, 1, 1], ami=[0, 0, 1, 1, 1])
    five["fmi"] = five["ari"]
    found = significance.find({str(i): five for i in range(5)})["better than raw"]
    assert found.ours == pytest.approx(1 / 2**5)
    assert found.holds is True


def test_depth(study):
    table = depth.run(study)
    counts = study.adata.X.toarray()
    total = counts.sum(axis=1)
    tfidf = np.log1p(counts / total[:, None] * 1e4) * np.log1p(len(counts) / (counts > 0).sum(axis=0))
    u = np.linalg.svd(tfidf, full_matrices=False)[0][:, 0]
    expected = abs(np.corrcoef(u, np.log(total))[0, 1])
    assert abs(table["correlation"][0]) == pytest.approx(expected, rel=1e-6)
    found = depth.find({"toy": table})
    firsts = table[table["component"] == 1].set_index("method")["correlation"].abs()
    assert found["pc1 reduced blood"].ours == pytest.approx(100 * (firsts[OURS] / firsts[RAW] - 1))
    assert set(firsts.index) == {RAW, OURS, DEFAULT, f"{OURS}, depth=True", f"{DEFAULT}, depth=True"}


def test_reference(study):
    table = reference.run(study)
    assert set(table["reference"]) == {"self"}
    assert list(table["method"]) == [OURS, "scCASER", DEFAULT, "default, reference"]
    found = reference.find({"toy": table})
    rows = table.set_index("method")["silhouette"]
    assert found["reference silhouette"].ours == pytest.approx(100 * (rows["scCASER"] / rows[OURS] - 1))


def test_a_bulk_reference_next_to_the_data_is_taken(study, tmp_path, monkeypatch):
    monkeypatch.delenv("SCCASE_KIT_DATA", raising=False)
    found, kind = reference.find_reference(study.data)
    assert kind == "self"
    assert found.n_vars == study.adata.n_vars


def test_the_page_of_a_toy_study(counts_file, tmp_path):
    names = ["clustering", "significance", "depth", "settings", "places"]
    found = sk.reproduce(counts_file, out=tmp_path, quick=True, only=names, max_cells=60, max_peaks=300)
    text = found.page.read_text(encoding="utf-8")
    assert text.count("<img ") == 4
    assert "Not drawn" not in text
    for claim in found.claims["says"]:
        assert claim.replace("'", "&#x27;").replace("<", "&lt;") in text
    assert (found.claims["state"] == "needs no data").sum() == 12

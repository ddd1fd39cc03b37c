"""Tools that no data set had files for run on the study with planted answers; ties on the page."""

from __future__ import annotations

import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit.paper import claims, planted
from sccase_kit.paper.experiments import clustering, motifs, reference_subsets, robustness
from sccase_kit.paper.run import findings


def test_the_planted_study_stands_in(tmp_path):
    found = sk.reproduce(out=tmp_path, quick=True, only=["functions"])
    table = found.tables["functions"]["planted"]
    assert list(found.tables["functions"]) == ["planted"]
    first = table[(table["peaks"] == "default") & (table["rank"] == 1)]
    assert set(zip(first["group"], first["term"], strict=True)) == {(f"type_{i}", f"TERM_{i}") for i in (1, 2, 3)}
    rows = found.claims.set_index("claim")
    assert set(rows.loc[rows["ours"].notna(), "data"]) == {"planted"}
    assert set(rows.loc[rows["ours"].notna(), "state"]) == {"run on other data"}
    assert "simulated with planted peaks" in found.page.read_text(encoding="utf-8")
    record = tmp_path / "results" / "functions" / "planted" / "step.json"
    before = record.stat().st_mtime_ns
    sk.reproduce(out=tmp_path, quick=True, only=["functions"])
    assert record.stat().st_mtime_ns == before  # the files of the tools lie elsewhere each time


def test_it_does_not_where_a_data_set_ran(counts_file, tmp_path):
    adata = sk.read(counts_file)
    adata.uns["genome"] = "hg38"
    adata.write_h5ad(tmp_path / "own.h5ad")
    found = sk.reproduce(tmp_path / "own.h5ad", out=tmp_path / "out", quick=True, only=["functions"])
    assert list(found.tables["functions"]) == ["own"]


@pytest.mark.slow  # a panel with LD scores, permutations of SNPsea, motifs: some ten seconds
def test_every_tool_on_the_planted_study(tmp_path):
    pytest.importorskip("pybedtools")
    found = sk.reproduce(out=tmp_path, quick=True, only=list(planted.STANDS_IN))
    assert all(list(found.tables[name]) == ["planted"] for name in planted.STANDS_IN)
    rows = found.claims.set_index("claim")
    for claim in ("functions", "tissues", "heritability", "motifs"):
        assert rows.loc[f"{claim} against EpiScanpy", "holds"] in ("yes", "no", "equal")
    assert rows.loc["heritability against background", "ours"] > 1


def test_between_types_is_the_share_of_variance():
    labels = pd.Series(["a", "a", "b", "b"]).to_numpy()
    values = pd.DataFrame({"x": [0.0, 0.0, 1.0, 1.0], "y": [0.0, 1.0, 0.0, 1.0], "z": [2.0, 2.0, 2.0, 2.0]}).to_numpy()
    shares = motifs.between_types(values, labels)
    assert shares[:2] == pytest.approx([1.0, 0.0])
    assert pd.isna(shares[2])


def test_a_tie_at_the_ceiling_is_said():
    means = {0: 1.0, 4: 1.0, 6: 0.999, 11: 1.0}
    table = pd.DataFrame([{"clusters": n, "of": 11, "ari": ari} for n, ari in means.items()])
    found = reference_subsets.find({"easy": table})
    for finding in found.values():
        assert (finding.holds, finding.tie) == (None, "at the ceiling")
        assert "easy" in finding.note
    hard = table.assign(ari=[0.5, 0.6, 0.7, 0.8])
    both = reference_subsets.find({"easy": table, "hard": hard})
    assert both["incomplete better than none"].holds is True
    assert both["incomplete below complete"].holds is True
    rows = claims.claim_table([reference_subsets.EXPERIMENT], found, {}, {"reference_subsets": {"easy": table}})
    assert set(rows["holds"]) == {"at the ceiling"}

    kinds = {"dropout": 0.0, "imbalance": 0.0, "size": 1.0}
    equal = pd.DataFrame(
        [{"kind": k, "level": v, "method": m, "ari": 1.0} for k, v in kinds.items() for m in ("raw", "scCASE")]
    )
    for finding in robustness.find({"easy": equal}).values():
        assert (finding.holds, finding.tie) == (None, "at the ceiling")
    worse = equal.assign(ari=[0.9, 0.8] * 3)
    assert [f.holds for f in robustness.find({"easy": equal, "hard": worse}).values()] == [False] * 3

    scores = {"ari": 1.0, "ami": 1.0, "fmi": 1.0, "silhouette": 0.5, "embedding_ari": 1.0}
    table = pd.DataFrame([{"method": name, "seed": 0, **scores} for name in ("raw", "scCASE")])
    found = clustering.find({"easy": table})
    assert found["ari over second best"].tie == "at the ceiling"
    assert found["silhouette over second best"].tie == ""


def test_a_claim_that_needs_five_sets_is_judged_on_all_there_are():
    experiment = sk.paper.list_experiments()["significance"]
    rng = iter(range(1, 7))
    tables = {}
    for name in ("bm0828", "b", "c", "d", "e"):
        better = 0.01 * next(rng)
        scores = {method: dict.fromkeys(clustering.SCORES, value) for method, value in (("raw", 0.5), ("kNN", 0.4))}
        scores["scCASE"] = dict.fromkeys(clustering.SCORES, 0.5 + better)
        tables[name] = pd.DataFrame([{"method": method, **row} for method, row in scores.items()])
    found = findings(experiment, tables)
    assert found["better than raw"].data == tuple(tables)
    assert found["better than raw"].ours == pytest.approx(1 / 2**5)
    assert found["better than raw"].holds
    few = findings(experiment, dict(list(tables.items())[:3]))
    assert few["better than raw"].holds is None

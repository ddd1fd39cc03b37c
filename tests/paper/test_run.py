"""The runner: a registered experiment, resuming, failures, what is missing."""

from __future__ import annotations

import json
import subprocess
import sys

import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit.paper import Claim, Experiment, Finding


def counting(calls, *, name="depths", fail=lambda: False, needs=lambda study: ""):
    def run(study):
        calls.append(study.data.name)
        if fail():
            raise KeyboardInterrupt
        counts = study.adata.X.sum(axis=1)
        return pd.DataFrame({"mean": [float(counts.mean())], "factor": [study.settings["factor"]]})

    def find(tables):
        mean = float(pd.concat(tables.values())["mean"].mean())
        return {"deep": Finding(mean, None, mean > 1, tuple(tables), "mean of the means")}

    return Experiment(
        name=name,
        title="Depths",
        shows="Fig. 0",
        about="The mean depth.",
        place=0,
        claims=(Claim("deep", "cells are deep", "nowhere", 10.0, "counts", on=("mine",)),),
        run=run,
        find=find,
        needs=needs,
        settings=lambda quick: {"factor": 1 if quick else 2},
    )


def reproduce(path, folder, **options):
    return sk.reproduce(path, out=folder, **({"quick": True, "only": ["depths"]} | options))


def test_a_registered_experiment_is_run_kept_and_written(counts_file, registered, tmp_path):
    calls = []
    registered(counting(calls))
    found = reproduce(counts_file, tmp_path)
    assert calls == ["simulated", "mine"]  # the paper's sets first
    row = found.claims.set_index("claim").loc["deep"]
    own = found.tables["depths"]["mine"]["mean"][0]
    assert row["ours"] == pytest.approx(own)  # of the set that the claim is about, not of all
    assert row["difference"] == pytest.approx(own - 10)
    assert (row["holds"], row["state"], row["data"]) == ("yes", "run on the paper's data", "mine")
    assert pd.read_csv(tmp_path / "paper.csv")["ours"][0] == pytest.approx(own)
    text = found.page.read_text(encoding="utf-8")
    assert "cells are deep" in text
    assert "data set blood" in text
    assert "GSE96772" in text  # what to get, and from where
    assert {"data set blood", "data set muto"} <= set(found.missing["what"])

    many = sk.paper.claims.claim_table([sk.paper.list_experiments()["clustering"]], {}, {}, {})
    assert set(many["state"]) == {"not run"}
    again = reproduce(counts_file, tmp_path)
    assert calls == ["simulated", "mine"]
    pd.testing.assert_frame_equal(again.claims, found.claims)
    reproduce(counts_file, tmp_path, max_cells=60)
    assert calls[2:] == ["simulated", "mine"]  # the key holds what the data were cut to
    reproduce(counts_file, tmp_path, max_cells=60, quick=False, max_peaks=2500)
    assert len(calls) == 6  # and the settings
    reproduce(counts_file, tmp_path, max_cells=60, quick=False, max_peaks=2500, overwrite=True)
    assert len(calls) == 8


def test_an_interrupted_run_goes_on_where_it_was(counts_file, registered, tmp_path):
    calls = []
    registered(counting(calls, fail=lambda: len(calls) == 2))
    with pytest.raises(KeyboardInterrupt):
        reproduce(counts_file, tmp_path)
    assert not (tmp_path / "paper.html").exists()
    assert [p.name for p in (tmp_path / "results" / "depths").iterdir()] == ["simulated"]
    reproduce(counts_file, tmp_path)
    assert calls == ["simulated", "mine", "mine"]


def test_a_killed_run_leaves_whole_results_only(counts_file, tmp_path):
    """The process is killed while the second experiment of the first data set runs."""
    code = """
import os, signal, sys
import pandas as pd
import sccase_kit as sk
sk.paper.cohorts.load = lambda name, **kwargs: sk.datasets.simulate(100, 400, n_types=3, library_size=80, rng=0)
ends = {"first": lambda study: pd.DataFrame({"a": [1]}), "second": lambda study: os.kill(os.getpid(), signal.SIGKILL)}
for i, (name, run) in enumerate(ends.items()):
    sk.paper.register(sk.paper.Experiment(name, name, "", "", i, run=run))
sk.reproduce(sys.argv[1], out=sys.argv[2], quick=True, only=[*ends])
"""
    done = subprocess.run([sys.executable, "-c", code, str(counts_file), str(tmp_path)], check=False, timeout=100)
    assert done.returncode == -9
    record = tmp_path / "results" / "first" / "simulated" / "step.json"
    assert json.loads(record.read_text())["fingerprint"]
    assert not (tmp_path / "results" / "second" / "simulated").exists()
    assert not (tmp_path / "paper.html").exists()


def test_one_that_fails_does_not_take_the_others_with_it(counts_file, registered, tmp_path):
    calls = []
    registered(counting(calls))

    def broken(study):
        msg = "no such thing"
        raise ValueError(msg)

    registered(Experiment("broken", "Broken", "", "", 1, (Claim("b", "it works", "nowhere"),), run=broken))
    with pytest.warns(UserWarning, match="broken on (mine|simulated) failed: ValueError: no such thing"):
        found = reproduce(counts_file, tmp_path, only=["broken", "depths"])
    assert len(calls) == 2
    row = found.claims.set_index("claim").loc["b"]
    assert row["state"] == "not run"
    assert "no such thing" in row["note"]
    assert not (tmp_path / "results" / "broken" / "mine").exists()


def test_one_that_cannot_run_says_why(counts_file, registered, tmp_path):
    registered(counting([], needs=lambda study: "" if study.data.name == "mine" else "it is not mine"))
    found = reproduce(counts_file, tmp_path)
    missing = found.missing.set_index("what")["why"]
    assert missing["depths on simulated"] == "it is not mine"
    assert list(found.tables["depths"]) == ["mine"]


def test_wrong_arguments_are_refused(counts_file, tmp_path):
    with pytest.raises(KeyError, match=r"only='nope'.*clustering"):
        sk.reproduce(out=tmp_path, only=["nope"])
    with pytest.raises(FileNotFoundError, match="nothing_here"):
        sk.reproduce("nothing_here", out=tmp_path, only=["depth"])
    with pytest.raises(TypeError, match=r"methods: \['x'\]"):
        sk.reproduce(out=tmp_path, methods={"x": 3})
    with pytest.raises(ValueError, match="max_cells"):
        sk.reproduce(out=tmp_path, max_cells=1)
    with pytest.raises(ValueError, match="experiments belong to the source 'depth'"):
        sk.paper.register(sk.paper.list_experiments()["depth"])


def test_every_experiment_says_what_it_is():
    found = sk.paper.list_experiments()
    claims = [claim.name for experiment in found.values() for claim in experiment.claims]
    assert len(claims) == len(set(claims))
    for name, experiment in found.items():
        assert (experiment.run is None) == bool(experiment.of), name
        assert experiment.about.endswith("."), name
        assert experiment.shows, name
        for claim in experiment.claims:
            assert claim.where.startswith(("Results", "Methods", "Discussion")), claim

"""Programs of others: used when they can be imported, named when they cannot."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import sccase_kit as sk
from sccase_kit.paper import baselines
from sccase_kit.paper.baselines import Baseline, find_adapters, find_baselines
from sccase_kit.paper.experiments import resources
from sccase_kit.paper.study import Study


def doubled(adata, *, rng):
    return 2 * adata.X.toarray() + rng


def test_what_is_installed_is_used_and_the_rest_is_named(counts_file, monkeypatch, tmp_path):
    there, gone = Baseline("There", "json", "there", doubled), Baseline("Gone", "no_such_module", "gone-kit", doubled)
    monkeypatch.setattr(baselines, "BASELINES", (there, gone))
    assert find_baselines() == ({"There": doubled}, {"Gone": "not installed: pip install gone-kit"})
    options = {"quick": True, "only": ["clustering"], "max_cells": 60, "max_peaks": 300}
    found = sk.reproduce(counts_file, out=tmp_path, **options)
    assert "There" in set(found.tables["clustering"]["mine"]["method"])
    assert found.missing.set_index("what").loc["method Gone", "why"] == "not installed: pip install gone-kit"
    assert "gone-kit" in found.page.read_text(encoding="utf-8")


RUNNER = """
import subprocess
import sys
from dataclasses import dataclass


@dataclass
class Adapter:
    name: str
    interpreter: str | None

    def why_not(self):
        return f"install {self.name}"

    def run(self, adata, *, n_components, seed, prefix=()):
        assert n_components == (8 if prefix else 30)
        if prefix:
            subprocess.run([*prefix, sys.executable, "-c", "held = bytearray(b'1') * 60_000_000"], check=True)
        result = adata.copy()
        result.X = result.X * 2
        result.obsm["embedding"] = result.X[:, :5].toarray()
        return result


def adapters():
    return {n: Adapter(n, p) for n, p in {"scopen": "python", "scale": None, "sccase_published": "python"}.items()}
"""


def test_programs_in_environments_of_their_own(counts_file, tmp_path):
    folder = tmp_path / "adapters"
    folder.mkdir()
    with pytest.raises(FileNotFoundError, match=r"holds no runner\.py; give the folder benchmarks/adapters"):
        find_adapters(folder)
    (folder / "runner.py").write_text(RUNNER)
    methods, missing = find_adapters(folder)
    assert list(methods) == ["scopen"]
    assert missing == {"scale": "install scale"}
    options = {"quick": True, "only": ["clustering"], "max_cells": 60, "max_peaks": 300}
    found = sk.reproduce(counts_file, out=tmp_path / "out", adapters=folder, **options)
    scores = found.tables["clustering"]["mine"].set_index("method")["embedding_ari"]
    assert np.isfinite(scores["scopen"])  # what it embeds the cells in is scored
    row = found.claims.set_index("claim").loc["baselines of the paper"]
    assert 0 <= row["ours"] <= 100
    assert "mine scopen" in row["note"]
    assert found.missing.set_index("what").loc["method scale", "why"] == "install scale"
    without = sk.reproduce(counts_file, out=tmp_path / "out", **options)
    assert "adapters=" in without.claims.set_index("claim").loc["baselines of the paper", "note"]


@pytest.mark.skipif(sys.platform == "win32", reason="wait4 is of POSIX")
def test_programs_are_measured_in_their_own_process(counts_file, tmp_path, monkeypatch):
    (tmp_path / "runner.py").write_text(RUNNER)
    program = find_adapters(tmp_path)[0]["scopen"]
    assert repr(program) == "adapter scopen"
    held = bytearray(b"1") * 200_000_000  # of this process, and not counted
    seconds, peak = program.measured(sk.read(counts_file), 8)
    assert seconds > 0
    assert 60e6 < peak < 60e6 + 40e6 < len(held)
    monkeypatch.setattr(resources, "_measure", lambda *_, where: [2.0, 3e8, 1e8])
    table = resources.run(Study(None, {"scopen": program}, {"cells": 100, "peaks": 500, "dense": 50}))
    row = table[table["method"] == "scopen"].iloc[0]
    assert (row["cells"], np.isnan(row["added_mb"])) == (50, True)
    assert row["peak_mb"] * 1e6 == pytest.approx(peak, rel=0.2)
    assert "scopen" in resources.find({"once": table})["time"].note


def test_the_adapters_of_the_repository_say_what_they_need():
    folder = Path(__file__).parents[2] / "benchmarks" / "adapters"
    methods, missing = find_adapters(folder)
    assert {"scopen", "scale", "scbfa", "scbasset", "magic", "lda", "peakvi", "poissonvi", "snapatac2"} == {
        *methods,
        *missing,
    }


def test_a_program_that_is_broken_is_named(monkeypatch, tmp_path):
    (tmp_path / "broken_program.py").write_text("import no_such_module")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(baselines, "BASELINES", (Baseline("Broken", "broken_program", "x", doubled),))
    methods, missing = find_baselines()
    assert methods == {}
    assert "its import fails: ModuleNotFoundError: No module named 'no_such_module'" in missing["Broken"]


def test_magic_gets_square_roots_of_equal_totals(monkeypatch):
    """A module in its place notes what it is called with."""
    calls = []

    class Operator:
        def __init__(self, **options):
            calls.append(options)

        def fit_transform(self, values):
            calls.append(values)
            return values

    program = ModuleType("magic")
    program.MAGIC = Operator
    monkeypatch.setitem(sys.modules, "magic", program)
    adata = sk.datasets.toy_study(n_cells=30, n_peaks=200, n_types=3).adata
    out = baselines.magic(adata, rng=4)
    totals = np.asarray(adata.X.sum(axis=1)).ravel()
    expected = np.sqrt(adata.X.toarray() * (np.median(totals) / totals)[:, None])
    np.testing.assert_allclose(out, expected, rtol=1e-6)
    assert calls[0]["random_state"] == 4
    assert isinstance(calls[1], np.ndarray)


def test_magic_itself_fills_in_zeros():
    pytest.importorskip("magic", reason="magic-impute is not installed")
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=300, n_types=3).adata
    out = baselines.magic(adata, rng=0)
    assert out.shape == adata.shape
    assert (out > 1e-6).mean() > 2 * (adata.X > 0).mean()
    np.testing.assert_array_equal(out, baselines.magic(adata, rng=0))


DOUBLE = """
# packages: numpy
# exchange: npz
import shutil
import sys
import numpy as np
found = np.load(sys.argv[1])
counts = np.zeros(found["shape"])
for i, (a, b) in enumerate(zip(found["indptr"], found["indptr"][1:])):
    counts[i, found["indices"][a:b]] = found["data"][a:b]
if counts.sum() > 1000:
    sys.exit("too many counts")
np.savez(sys.argv[2], cells=2 * counts, peaks=np.eye(counts.shape[1]))
"""


def test_an_adapter_gets_and_gives_plain_arrays(monkeypatch, tmp_path):
    folder = Path(__file__).parents[2] / "benchmarks" / "adapters"
    shutil.copy(folder / "runner.py", tmp_path)
    (tmp_path / "double.py").write_text(DOUBLE)
    monkeypatch.setenv("SCCASE_KIT_PEER_DOUBLE", sys.executable)
    methods, _ = find_adapters(tmp_path)
    adata = sk.datasets.simulate(20, 60, n_types=2, library_size=8, rng=0)
    result = methods["double"](adata, rng=0)
    enhanced = result.obsm["sccase_cell_factors"] @ result.varm["sccase_peak_factors"].T
    np.testing.assert_array_equal(enhanced, 2 * adata.X.toarray())
    assert result.obs_names.equals(adata.obs_names)
    many = adata.copy()
    many.X = many.X * 100
    with pytest.raises(RuntimeError, match=r"double failed \(exit status 1\): too many counts"):
        methods["double"](many, rng=0)

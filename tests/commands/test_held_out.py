"""The command that judges enhancement by hidden fragments."""

from __future__ import annotations

import pandas as pd
import pytest

import sccase_kit as sk


@pytest.mark.filterwarnings("ignore:left out of the held-out scores")
def test_table_figure_and_sentence(counts_file, call_json, tmp_path):
    table, figure = tmp_path / "scores.tsv", tmp_path / "scores.png"
    options = [
        "--methods",
        "robust",
        "sccase:4",
        "--splits",
        1,
        "--min-fraction",
        0.08,
        "-o",
        table,
        "--figure",
        figure,
    ]
    result = call_json("held-out", counts_file, *options)
    assert "hidden fragments" in result["verdict"]
    scores = pd.read_csv(table, sep="\t")
    assert list(scores["method"]) == ["robust", "sccase:4"]
    assert scores["gain"][0] == pytest.approx(result["gain"], rel=1e-4)
    assert figure.stat().st_size > 5000


@pytest.mark.filterwarnings("ignore:left out of the held-out scores")
def test_data_keep_their_peaks_and_hold_the_result(counts_file, call_json, tmp_path):
    given, kept = sk.read(counts_file), tmp_path / "kept.h5ad"
    options = ["--methods", "sccase:3", "--splits", 1, "--min-fraction", 0.08]
    said = call_json("held-out", counts_file, *options, "-o", kept)
    assert said["stored in"] == "uns['held_out']"
    adata = sk.read(kept)
    assert adata.shape == given.shape
    result = sk.metrics.stored_held_out(adata)
    assert result.table.index.tolist() == ["sccase:3"]
    assert result.n_peaks == said["peaks"] < adata.n_vars


def test_unknown_methods_are_refused(counts_file, call, capsys):
    with pytest.raises(SystemExit):
        call("held-out", counts_file, "--methods", "magic")
    assert "sccase:8, is expected, got 'magic'" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:left out of the held-out scores")
def test_the_fit_in_the_file_is_judged_at_its_own_peaks(counts_file, call_json, tmp_path, monkeypatch):
    """Peaks that were kept below the filter's default are judged too; counts alone are filtered as `enhance` would."""
    fitted, filtered = tmp_path / "fitted.h5ad", []
    monkeypatch.setattr(sk.pp, "filter_peaks", lambda adata, **given: filtered.append(given["min_fraction"]))
    adata = sk.read(counts_file)
    sk.tl.enhance(adata, 3, method="sccase")
    adata.write_h5ad(fitted)
    options = ["--splits", 1, "-o", tmp_path / "table.tsv"]
    call_json("held-out", fitted, *options)
    assert filtered == []
    call_json("held-out", fitted, *options, "--min-fraction", 0.08)
    call_json("held-out", counts_file, *options, "--methods", "sccase:3")
    assert filtered == [0.08, 0.01]

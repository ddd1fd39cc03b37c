"""The command that judges enhancement by hidden fragments."""

from __future__ import annotations

import pandas as pd
import pytest


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


def test_unknown_methods_are_refused(counts_file, call, capsys):
    with pytest.raises(SystemExit):
        call("held-out", counts_file, "--methods", "magic")
    assert "sccase:8, is expected, got 'magic'" in capsys.readouterr().err

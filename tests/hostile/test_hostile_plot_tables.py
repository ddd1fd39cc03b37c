"""Hostile tables in the plots of tables: a figure that can be drawn, or a clear error that leaves no figure."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from small_tables import WILD

import sccase_kit as sk
from sccase_kit import pl


@functools.cache
def great() -> Any:
    toy = sk.datasets.toy_study(n_cells=30, n_peaks=120, n_types=3, rng=0)
    peaks = toy.adata.var.assign(group=np.resize(["type_1", "type_2"], 120))[["chrom", "start", "end", "group"]]
    return sk.tl.great(peaks, "hg38", toy.gene_sets, tss=toy.genes, return_result=True)


# a table first
TABLE: dict[str, Callable[..., Any]] = {
    "accuracy_boxplot": lambda t, **k: pl.accuracy_boxplot({"a": t, "b": t}, reference="a", **k),
    "differential_volcano": lambda t, **k: pl.differential_volcano(t, "B", **k),
    "great_bar": lambda t, **k: pl.great_bar(t, max_fdr=1, min_fold=0, **k),
    "great_distances": lambda t, **k: pl.great_distances(t, **k),
    "great_dot": lambda t, **k: pl.great_dot(t, max_fdr=1, min_fold=0, **k),
    "ldsc": lambda t, **k: pl.ldsc(t, "height", **k),
    "robustness": lambda t, **k: pl.robustness(t, **k),
    "score_bars": lambda t, **k: pl.score_bars(t, ("ari", "silhouette"), reference="raw", **k),
    "snpsea": lambda t, **k: pl.snpsea(t, correlation=CORRELATION, **k),
}
CONDITIONS = ["liver", "lung", "brain", "skin"]
CORRELATION = pd.DataFrame(np.corrcoef(np.random.default_rng(0).normal(size=(4, 9))), CONDITIONS, CONDITIONS)


def table_for(name: str) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    if name == "accuracy_boxplot":
        return pd.DataFrame({"auprc": rng.random(20)}, [f"c{i}" for i in range(20)])
    if name == "differential_volcano":
        out = pd.DataFrame({"group": ["B"] * 6, "set": [f"TF_{i}" for i in range(6)], "difference": rng.normal(size=6)})
        return out.assign(p_value=[1e-9, 1e-5, 0.01, 0.2, 0.5, 1], p_value_adj=[1e-8, 1e-4, 0.02, 0.3, 0.6, 1])
    if name in ("great_bar", "great_dot"):
        return great().table.copy()
    if name == "great_distances":
        return great().associations.copy()
    if name == "ldsc":
        out = pd.DataFrame({"trait": "height", "group": ["B", "T", "background"], "Enrichment": [6.0, 2, 0.9]})
        return out.assign(**{"Enrichment_std_error": 0.5, "Enrichment_p": [1e-4, 0.03, 0.4]})
    if name == "snpsea":
        out = pd.DataFrame({"group": np.repeat(["mono", "background"], 4), "condition": CONDITIONS * 2})
        return out.assign(pvalue=[1e-4, 0.2, 0.03, 1, 0.5, 0.6, 0.7, 0.8])
    rows = [(rate, seed, m) for rate in (0.0, 0.5) for seed in range(3) for m in ("raw", "ours")]
    out = pd.DataFrame(rows, columns=["rate", "seed", "method"])
    return out.assign(ari=rng.random(12), silhouette=rng.random(12))


@pytest.mark.parametrize("name", TABLE)
def test_what_is_sound_is_drawn(attempt_plot, name):
    given = table_for(name)
    axes = attempt_plot(lambda: TABLE[name](given), given, inside=True)
    assert not isinstance(axes, str), axes


@pytest.mark.parametrize("value", [None, "table.csv", 3, [1, 2], np.ones((3, 3)), pd.Series([1.0])], ids=str)
@pytest.mark.parametrize("name", TABLE)
def test_not_a_table(attempt_plot, name, value):
    message = attempt_plot(lambda: TABLE[name](value))
    assert "DataFrame" in message


def with_numbers(value: Any, *, rows: Any = slice(None)) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        for column in table.select_dtypes("number"):
            if column not in ("start", "end", "region", "gene", "seed", "rate"):
                table[column] = table[column].astype(float)
                table.iloc[rows, table.columns.get_loc(column)] = value
        return table

    return change


def renamed(names: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(**{c: np.resize(np.asarray(names, object), len(table)) for c in TEXTS if c in table})

    return change


TEXTS = ["group", "name", "set", "method"]
CHANGES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "empty": lambda t: t.iloc[:0],
    "no column": lambda t: t.iloc[:, :0],
    "one row": lambda t: t.iloc[:1],
    "repeated rows": lambda t: pd.concat([t, t]),
    "repeated columns": lambda t: pd.concat([t, t], axis=1),
    "one index for all": lambda t: t.set_axis([0] * len(t)),
    "levels of the index": lambda t: t.set_axis(pd.MultiIndex.from_product([["a"], range(len(t))])),
    "one NaN": with_numbers(np.nan, rows=[0]),
    "all NaN": with_numbers(np.nan),
    "one inf": with_numbers(np.inf, rows=[0]),
    "all inf": with_numbers(np.inf),
    "all -inf": with_numbers(-np.inf),
    "all 0": with_numbers(0.0),
    "all 1e300": with_numbers(1e300),
    "all negative": with_numbers(-1.0),
    "numbers as text": lambda t: t.astype(str),
    "nullable": lambda t: t.convert_dtypes(),
    "names are missing": renamed([np.nan]),
    "some names are missing": renamed(["B", np.nan, "raw"]),
    "names are numbers": renamed([1, 2, 3]),
    "names of mixed types": renamed([1, "B", None, "raw", 2.5]),
    "categories not used": lambda t: t.assign(
        **{c: pd.Categorical(t[c], [*dict.fromkeys(t[c]), "nobody"]) for c in TEXTS if c in t}
    ),
    "60 names": renamed([f"n{i}" for i in range(60)]),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", TABLE)
def test_tables(attempt_plot, name, change):
    given = CHANGES[change](table_for(name))
    attempt_plot(lambda: TABLE[name](given))


#: What every plot needs; the tables of GREAT hold two tests, of which one is enough.
NEEDED = {
    "accuracy_boxplot": ["auprc"],
    "differential_volcano": ["group", "set", "difference", "p_value", "p_value_adj"],
    "great_bar": ["ID", "name", "Hyper_Adjp_BH"],
    "great_distances": ["distance"],
    "great_dot": ["ID", "name"],
    "ldsc": ["trait", "group", "Enrichment", "Enrichment_std_error", "Enrichment_p"],
    "robustness": ["rate", "method", "ari", "silhouette"],
    "score_bars": ["ari", "silhouette"],
    "snpsea": ["group", "condition", "pvalue"],
}


@pytest.mark.parametrize("name", TABLE)
def test_missing_columns(attempt_plot, name):
    for column in NEEDED[name]:
        message = attempt_plot(lambda c=column: TABLE[name](table_for(name).drop(columns=c).assign(other=1)))
        assert isinstance(message, str), f"drawn without {column}"
        assert column in message or "not the result of an experiment" in message


SPECIAL: dict[str, Callable[[], Any]] = {
    "accuracy_boxplot, none": lambda: pl.accuracy_boxplot({}),
    "accuracy_boxplot, a table": lambda: pl.accuracy_boxplot(table_for("accuracy_boxplot")),
    "accuracy_boxplot, score": lambda: pl.accuracy_boxplot({"a": table_for("accuracy_boxplot")}, "nobody"),
    "accuracy_boxplot, wild": lambda: pl.accuracy_boxplot({n: table_for("accuracy_boxplot") for n in WILD}),
    "great_bar, groups": lambda: pl.great_bar(table_for("great_bar"), groups=["$^{"]),
    "great_bar, no group": lambda: pl.great_bar(table_for("great_bar"), groups=[]),
    "great_bar, colours": lambda: pl.great_bar(table_for("great_bar"), max_fdr=1, colors={"x": "red"}),
    "great_distances, colours": lambda: pl.great_distances(great(), colors={}),
    "great_dot, ontology": lambda: pl.great_dot(table_for("great_dot"), ontology="$"),
    "ldsc, trait": lambda: pl.ldsc(table_for("ldsc"), "nobody"),
    "ldsc, no group": lambda: pl.ldsc(table_for("ldsc"), groups=[]),
    "robustness, no score": lambda: pl.robustness(table_for("robustness"), []),
    "robustness, text": lambda: pl.robustness(table_for("robustness"), "method"),
    "score_bars, no score": lambda: pl.score_bars(table_for("score_bars"), []),
    "score_bars, reference": lambda: pl.score_bars(table_for("score_bars"), ["ari"], reference="nobody"),
    "snpsea, no correlation": lambda: pl.snpsea(table_for("snpsea")),
    "snpsea, NaN": lambda: pl.snpsea(table_for("snpsea"), correlation=CORRELATION * np.nan),
    "snpsea, no group": lambda: pl.snpsea(table_for("snpsea"), [], correlation=CORRELATION),
    "differential_volcano, group": lambda: pl.differential_volcano(table_for("differential_volcano"), "nobody"),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_arguments(attempt_plot, name):
    attempt_plot(SPECIAL[name], inside="wild" in name)


@pytest.mark.parametrize("name", TABLE)
def test_axes(attempt_plot, name):
    given = table_for(name)
    n = len(np.ravel(np.asarray(TABLE[name](given), dtype=object)))
    for wrong in ("axes", 3, [], [None] * n, ["axes"] * n, {"a": 1}):
        message = attempt_plot(lambda w=wrong: TABLE[name](given, ax=w), given)
        assert "ax must" in message, f"ax={wrong!r} was taken"
    figure, panels = plt.subplots(1, n, squeeze=False)
    for wrong in (figure, [*panels[0], panels[0][0]]):
        with pytest.raises((TypeError, ValueError), match="ax must"):
            TABLE[name](given, ax=wrong)
    result = TABLE[name](given, ax=panels[0][0] if n == 1 else list(panels[0]))
    assert [id(ax) for ax in np.ravel(np.asarray(result, dtype=object))] == [id(ax) for ax in panels[0]]
    figure.canvas.draw()
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize("name", TABLE)
def test_wild_names(attempt_plot, name):
    given = renamed(WILD)(table_for(name))
    if name == "score_bars":
        axes = attempt_plot(lambda: pl.score_bars(given, ["ari"]), inside=True)
    elif name == "differential_volcano":
        axes = attempt_plot(lambda: pl.differential_volcano(given.assign(group=WILD[0])), inside=True)
    else:
        axes = attempt_plot(lambda: TABLE[name](given), inside=True)
    assert not isinstance(axes, str), axes

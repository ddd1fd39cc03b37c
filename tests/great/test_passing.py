"""Which terms pass: one rule for every kind of table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sccase_kit.great.passing import KINDS, kind_of, passing, remedy_for_share


def table_of(kind, *, raw=-9.0, adjusted=0.05, effect=2.0):
    columns = {"ID": ["x"], kind.raw: [raw], kind.effect: [effect], **{name: [adjusted] for name in kind.adjusted}}
    return pd.DataFrame(columns)


def test_every_kind_is_told_and_its_limits_are_inside():
    for kind in KINDS:
        assert kind_of(table_of(kind)) == kind
        cases = {(0.05, kind.min_fold): True, (0.051, 99.0): False, (0.0, kind.min_fold - 0.01): False}
        cases |= {(0.0, np.nan): True, (np.nan, 9.0): False, (0.0, np.inf): True}
        for (adjusted, effect), expected in cases.items():
            assert passing(table_of(kind, adjusted=adjusted, effect=effect), kind).tolist() == [expected]
        assert kind_of(table_of(kind).drop(columns=kind.effect)) != kind


def test_both_tests_against_the_genome_must_pass():
    genome = KINDS[0]
    table = table_of(genome, adjusted=0.01)
    for name in genome.adjusted:
        assert not passing(table.assign(**{name: 0.06}), genome).any()


def test_other_tables_are_of_no_kind():
    assert kind_of(pd.DataFrame({"ID": ["x"], "P-value": [0.1]})) is None


def test_what_helps_depends_on_the_share():
    assert "a fifth of all peaks" in remedy_for_share(0.3)
    assert "fewer peaks per group do not help, more peaks in the data" in remedy_for_share(0.11)
    assert "--min-fraction 0.001" in remedy_for_share(0.11, least=0.01)
    for least in (0.001, 0.0005):
        text = remedy_for_share(0.11, least=least)
        assert "--min-fraction" not in text  # it was done
        assert f"those open in {least:g} of the cells are there" in text

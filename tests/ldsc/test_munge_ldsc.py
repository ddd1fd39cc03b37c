"""Munging against munge_sumstats.py of ldsc 1.0.1 itself, on its corner cases.

What ldsc wrote is in ``munge_ldsc_1.0.1.json`` (bulik/ldsc at aa33296, Python 2.7.18, numpy 1.16.6, pandas 0.20.3,
scipy 0.19.1), made by ``python benchmarks/same_numbers.py --ldsc CHECKOUT --python2 python2.7``.
"""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sccase_kit.regions import munge_sumstats

HERE = Path(__file__).parent
spec = importlib.util.spec_from_file_location("munge_cases", HERE / "munge_cases.py")
munge_cases = importlib.util.module_from_spec(spec)
sys.modules["munge_cases"] = munge_cases
spec.loader.exec_module(munge_cases)
CASES = munge_cases.cases()
WRITTEN = json.loads((HERE / "munge_ldsc_1.0.1.json").read_text(encoding="utf-8"))


def of_ldsc(name):
    """Return the table that ldsc wrote, three decimals."""
    table = pd.DataFrame(WRITTEN[name]["rows"], columns=WRITTEN[name]["header"]).replace("", np.nan)
    return table.astype({"N": float, "Z": float})


def test_the_cases_are_those_that_ldsc_ran():
    assert list(CASES) == list(WRITTEN)


@pytest.mark.parametrize("as_frame", [False, True])
@pytest.mark.parametrize("name", [name for name in WRITTEN if "error" not in WRITTEN[name]])
def test_the_numbers_of_ldsc(tmp_path, name, as_frame):
    case, wanted = CASES[name], of_ldsc(name)
    path, options = tmp_path / "in.txt", dict(case.options)
    path.write_text(case.text)
    if case.alleles is not None:
        options["merge_alleles"] = tmp_path / "alleles.txt"
        options["merge_alleles"].write_text(case.alleles)
    source = pd.read_csv(path, sep=r"\s+", na_values=["."]) if as_frame else path
    table = munge_sumstats(source, **options).table
    assert table["SNP"].tolist() == wanted["SNP"].tolist()
    for column in ("A1", "A2"):
        assert table[column].astype(object).where(table[column].notna(), None).tolist() == [
            a if isinstance(a, str) else None for a in wanted[column]
        ]
    for column in ("N", "Z"):
        np.testing.assert_allclose(table[column], wanted[column], atol=5.01e-4, rtol=0)


@pytest.mark.parametrize("name", [name for name in WRITTEN if "error" in WRITTEN[name]])
def test_what_ldsc_refuses_is_refused(tmp_path, name):
    case, options = CASES[name], dict(CASES[name].options)
    (tmp_path / "in.txt").write_text(case.text)
    if case.alleles is not None:
        options["merge_alleles"] = tmp_path / "alleles.txt"
        options["merge_alleles"].write_text(case.alleles)
    with pytest.raises((KeyError, ValueError)) as caught:
        munge_sumstats(tmp_path / "in.txt", **options)
    assert not isinstance(caught.value, pd.errors.ParserError)

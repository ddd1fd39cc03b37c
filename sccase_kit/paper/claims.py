"""The claims of the paper as a table: the paper's number, ours, the difference, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from .cohorts import PAPER_SETS
from .registry import Claim, Experiment, Finding, Tables
from .unrun import UNRUN

COLUMNS = (
    *("claim", "says", "where", "paper", "ours", "default", "difference", "unit", "holds", "state", "data", "note"),
    "experiment",
)
SAME, OTHER, NO_DATA, NOT_RUN = "run on the paper's data", "run on other data", "needs no data", "not run"
#: Name of the data set of experiments that have none.
ONCE = "once"


def claim_table(
    wanted: Sequence[Experiment],
    found: Mapping[str, Finding],
    missing: Mapping[str, str],
    tables: Mapping[str, Tables],
) -> pd.DataFrame:
    """Return every claim with its finding.

    Parameters
    ----------
    wanted
        Experiments of the run.
    found
        Claim → finding.
    missing
        What did not run → why.
    tables
        Experiment → tables, to tell which ran.

    Returns
    -------
    DataFrame with the columns of :data:`COLUMNS`; `difference` is ours − the paper's; `state` says whether the number
    is of the paper's own data, of other data, of none, or missing; `holds` is "yes", "no", the kind of a tie ("at the
    ceiling", "equal"), or "" where it is open.
    """
    rows = []
    for experiment in wanted:
        for claim in experiment.claims:
            finding = found.get(claim.name)
            row = _row(claim, finding) | {"experiment": experiment.name}
            if finding is None or (finding.ours is None and finding.holds is None and finding.default is None):
                said = "" if finding is None else finding.note
                row |= {"state": NOT_RUN, "note": said or claim.reason or _why(experiment, missing)}
            rows.append(row)
    if len(wanted) > 1:
        rows += [_row(claim, None) | {"experiment": "", "note": claim.reason} for claim in UNRUN]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(claim: Claim, finding: Finding | None) -> dict[str, object]:
    ours = None if finding is None else finding.ours
    difference = None if ours is None or claim.paper is None else ours - claim.paper
    data = () if finding is None else finding.data
    same = bool(data) and set(data) <= set(claim.on or PAPER_SETS)
    state = NOT_RUN if finding is None else NO_DATA if data == (ONCE,) else SAME if same else OTHER
    holds = {True: "yes", False: "no", None: ""}[None if finding is None else finding.holds]
    if finding is not None and finding.tie:
        holds = finding.tie
    return {
        "claim": claim.name,
        "says": claim.says,
        "where": claim.where,
        "paper": claim.paper,
        "ours": ours,
        "default": None if finding is None else finding.default,
        "difference": difference,
        "unit": claim.unit,
        "holds": holds,
        "state": state,
        "data": _named(data, claim),
        "note": "" if finding is None else finding.note,
    }


def _named(data: tuple[str, ...], claim: Claim) -> str:
    """Return the names of data sets; of a claim on several, how many of them they are."""
    if data == (ONCE,):
        return ""
    names = ", ".join(data)
    of = len(set(claim.on))
    return f"{names} ({len(data)} of {of})" if of > 1 and data and set(data) <= set(claim.on) else names


def _why(experiment: Experiment, missing: Mapping[str, str]) -> str:
    own = [why for what, why in missing.items() if what.split(" on ")[0] in (experiment.name, experiment.of)]
    return "; ".join(dict.fromkeys(own)) or "no data set that it could run on"

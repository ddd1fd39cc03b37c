"""Find the columns of summary statistics: by ldsc's rules, by the program that wrote them, or as the caller says."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from .._tables import MISSING, plain_name
from .._validate import check_choice
from .formats import LDSC, MORE, RATIOS, Format, recognise

ROLES = (*LDSC, "LOG10P")
TEXT = ("SNP", "A1", "A2", "TEST", "REF", "ALT")
_DANER = re.compile(r"FRQ_([AU])_(\d+)")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column is which.

    Attributes
    ----------
    source
        Whose names they are.
    at
        Role → number of the column.
    null
        Value of the signed statistic without effect; None where it is to be told from the values.
    n_cas, n_con
        Numbers of cases and controls that the header tells (daner).
    """

    source: str
    at: dict[str, int]
    null: float | None = 0.0
    n_cas: float | None = None
    n_con: float | None = None


def find_columns(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]] = (),
    *,
    named: Mapping[str, str] | None = None,
    signed: tuple[str, float] | None = None,
    ignore: Collection[str] = (),
    a1_inc: bool = False,
    n_given: bool = False,
) -> Columns:
    """Return which column is which.

    ldsc's names come first. If they leave something open, the names of the program that wrote the table are tried, then
    further usual names. SAIGE's come before ldsc's, which takes its other allele for the effect allele.

    Parameters
    ----------
    columns
        Names of the columns.
    rows
        Cells of some rows: a signed statistic without any value stands back, and rows of other tests are looked for.
    named
        Role → column, before everything else.
    signed
        Signed statistic and its value without effect.
    ignore
        Columns to leave alone.
    a1_inc
        A1 is the increasing allele; no signed statistic is needed.
    n_given
        The sample size is known; it is not looked for under other names than ldsc's.

    Raises
    ------
    KeyError
        If a column is missing.
    ValueError
        If several columns have one role, or the table is one that cannot be munged.
    """
    plain = [plain_name(c) for c in columns]
    shown = ", ".join(str(c) for c in columns)[:300]
    for name in ignore:
        if plain_name(name) not in plain:
            msg = f"ignore={list(ignore)!r}: there is no column {name!r}; the columns are {shown}"
            raise KeyError(msg)
    plain = ["" if p in {plain_name(i) for i in ignore} else p for p in plain]
    fixed = _named(plain, named or {}, signed, shown)
    fmt = recognise(plain)
    if fmt is not None and fmt.refuse:
        msg = f"sumstats are those of {fmt.name}, which {fmt.refuse}"
        raise ValueError(msg)
    people = _daner(plain)
    own = {role: names for role, names in LDSC.items() if role not in fixed}
    if signed is not None or a1_inc:
        own.pop("SIGNED", None)
    n_cas = n_con = None
    if people:
        fixed.setdefault("FRQ", people["U"][0])
        own.pop("FRQ", None)
        counted = {"N_CAS": "NCA", "N_CON": "NCO"}
        if set(counted.values()) <= set(plain):
            fixed = {role: plain.index(name) for role, name in counted.items()} | fixed
            own = {role: names for role, names in own.items() if role not in counted}
        else:
            n_cas, n_con = people["A"][1], people["U"][1]
    empty = _empty(rows, len(plain))
    needed = [r for r in ("SNP", "P", "A1", "A2", "SIGNED") if not (r == "SIGNED" and (signed or a1_inc))]
    at, source = None, "ldsc" if not people else "daner"
    if fmt is None or not fmt.first:
        try:
            at = _by_ldsc(plain, own, empty, columns, n_given=n_given) | fixed
        except ValueError:
            if fmt is None:
                raise
    if fmt is not None and (at is None or not _complete(at, needed)):
        names = {role: options for role, options in fmt.columns.items() if role not in fixed}
        at, source = _first(plain, names, empty) | fixed, fmt.name
    at = at or {}
    wanted = [
        r for r in (*needed, "LOG10P") if r not in at and not ({"P", "LOG10P"} & set(at) and r in {"P", "LOG10P"})
    ]
    if not n_given and n_cas is None and "N" not in at:
        wanted += ["N", "N_CAS", "N_CON"]
    extra = _first(
        [p if k not in at.values() else "" for k, p in enumerate(plain)], {r: MORE[r] for r in wanted}, empty
    )
    at = extra | at
    null: float | None = float(signed[1]) if signed is not None else 0.0
    if signed is None and "SIGNED" in at:
        null = 1.0 if plain[at["SIGNED"]] in RATIOS else 0.0
    elif "SIGNED" in needed and "SIGNED_SUMSTAT" in plain:
        at, null = at | {"SIGNED": plain.index("SIGNED_SUMSTAT")}, None
    _check(at, needed, columns, fmt, shown)
    if not _any_test(plain, rows, at):
        at.pop("TEST", None)
    return Columns(source, at, null, n_cas, n_con)


def _named(plain: list[str], named: Mapping[str, str], signed: tuple[str, float] | None, shown: str) -> dict[str, int]:
    fixed = {}
    for role, column in named.items():
        check_choice(role, ROLES, name="columns")
        if plain_name(column) not in plain:
            msg = f"columns={dict(named)!r}: there is no column {column!r}; the columns are {shown}"
            raise KeyError(msg)
        fixed[role] = plain.index(plain_name(column))
    if signed is not None:
        if plain_name(signed[0]) not in plain:
            msg = f"signed={signed!r}: there is no column {signed[0]!r}; the columns are {shown}"
            raise KeyError(msg)
        fixed["SIGNED"] = plain.index(plain_name(signed[0]))
    return fixed


def _by_ldsc(
    plain: list[str],
    options: Mapping[str, Sequence[str]],
    empty: Collection[int],
    columns: Sequence[str],
    *,
    n_given: bool,
) -> dict[str, int]:
    found = {}
    for role, names in options.items():
        match = [k for k, name in enumerate(plain) if name in names]
        if role == "SIGNED":
            filled = [k for k in match if k not in empty]
            if len(filled) > 1:
                labels = [columns[k] for k in filled]
                msg = f"one signed statistic (Z, OR, BETA, LOG_ODDS) is needed, found {labels}; name it: "
                msg += "signed=('BETA', 0), or leave one out: ignore=['OR']"
                raise ValueError(msg)
            match = filled
        elif len(match) > 1:
            labels = [columns[k] for k in match]
            msg = f"columns {labels} could all be {role}; drop or rename all but one, or pass ignore=[{labels[0]!r}]"
            raise ValueError(msg)
        if match:
            found[role] = match[0]
    if "N" in found or {"N_CAS", "N_CON"} <= set(found):
        found.pop("NSTUDY", None)
    return found


def _first(plain: list[str], options: Mapping[str, Sequence[str]], empty: Collection[int]) -> dict[str, int]:
    """Return role → column, by the first of the names that is there and not empty."""
    found = {}
    for role, names in options.items():
        match = [plain.index(name) for name in names if name in plain]
        filled = [k for k in match if k not in empty]
        if filled or match:
            found[role] = (filled or match)[0]
    return found


def _complete(at: Mapping[str, int], needed: Collection[str]) -> bool:
    return all(role in at for role in needed)


def _check(
    at: Mapping[str, int], needed: Sequence[str], columns: Sequence[str], fmt: Format | None, shown: str
) -> None:
    missing = [r for r in needed if r not in at and not (r == "P" and "LOG10P" in at)]
    if "A2" in missing and {"REF", "ALT"} <= set(at):
        missing.remove("A2")
    if not missing:
        return
    if missing == ["P"] and {plain_name(c) for c in columns} >= {"SNP", "N", "Z"}:
        msg = "sumstats has no column for ['P'], but SNP, N and Z: it is munged already; use it as it is"
        raise KeyError(msg)
    if missing == ["SIGNED"]:
        msg = "one signed statistic (Z, OR, BETA, LOG_ODDS) is needed, found []; name it: signed=('BETA', 0). "
        msg += f"The columns are {shown}"
        raise ValueError(msg)
    hint = f". {fmt.hint}" if fmt is not None and fmt.hint else "; name them: columns={'SNP': 'my_id'}"
    msg = f"sumstats has no column for {missing}; its columns are {shown}{hint}"
    raise KeyError(msg)


def _empty(rows: Sequence[Sequence[object]], n_columns: int) -> set[int]:
    """Return the columns without any value in the rows looked at."""
    if not rows:
        return set()
    return {k for k in range(n_columns) if all(k >= len(row) or str(row[k]).strip() in MISSING for row in rows)}


def _any_test(plain: list[str], rows: Sequence[Sequence[object]], at: dict[str, int]) -> bool:
    """Let the column TEST of PLINK and REGENIE be read if rows of the additive test are among those looked at."""
    if "TEST" not in plain:
        return False
    k = plain.index("TEST")
    if not any(k < len(row) and str(row[k]) == "ADD" for row in rows):
        return False
    at["TEST"] = k
    return True


def _daner(plain: Sequence[str]) -> dict[str, tuple[int, float]]:
    """Return "A" and "U" → column and number of people of FRQ_A_123 and FRQ_U_456, if both are there."""
    found = {m[1]: (k, float(m[2])) for k, name in enumerate(plain) if (m := _DANER.fullmatch(name))}
    return found if len(found) == 2 else {}

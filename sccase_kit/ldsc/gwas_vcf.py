"""Summary statistics in VCF (GWAS-VCF, as OpenGWAS gives them), block by block in the columns that munging takes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from .._tables import Layout, read_columns
from .._validate import check_choice

_FIELDS = {"SIGNED": "ES", "LOG10P": "LP", "N": "SS", "FRQ": "AF", "INFO": "SI"}
_PEOPLE = re.compile(r"Total(Controls|Cases)=(\d+)")


def is_vcf(layout: Layout) -> bool:
    """Return whether a file says that it is VCF; the consortium's tables that only borrow its head are not."""
    head = layout.comments[0].lower() if layout.comments else ""
    return head.startswith("##fileformat=vcf")


def read_gwas_vcf(layout: Layout, *, sample: str | None = None, rows_at_once: int = 200_000) -> Iterator[pd.DataFrame]:
    """Yield SNP, A1 (ALT), A2 (REF), SIGNED (ES), LOG10P (LP) and, where there are any, N (SS), FRQ (AF), INFO (SI).

    Rows that a filter of the file names are left out. Where the file gives no SS, N is the number of people that its
    header tells.

    Parameters
    ----------
    layout
        How the file is written.
    sample
        The study, in a file of several.
    rows_at_once
        Largest number of rows of a DataFrame.

    Raises
    ------
    ValueError
        If the file holds genotypes or sites instead of statistics, or several studies and `sample` names none.
    """
    names = list(layout.names)
    if names[:5] != ["CHROM", "POS", "ID", "REF", "ALT"]:
        msg = f"{layout.path} is a VCF whose line #CHROM has not as many cells as the lines below it, or is missing"
        raise ValueError(msg)
    studies = names[9:]
    fields = set(layout.rows[0][8].split(":")) if layout.rows and len(layout.rows[0]) > 9 else set()
    if not {"ES", "LP"} <= fields:
        holds = f"its FORMAT is {':'.join(sorted(fields))}" if fields else "it has no columns of studies"
        msg = (
            f"{layout.path} is a VCF, but not of summary statistics ({holds}): GWAS-VCF has ES and LP. Give the table "
            "of statistics of the study"
        )
        raise ValueError(msg)
    if sample is None and len(studies) > 1:
        msg = f"{layout.path} is a VCF of {len(studies)} studies; choose one: sample={studies[0]!r}"
        raise ValueError(msg)
    column = studies[0] if sample is None else check_choice(sample, studies, name="sample")
    wanted = {"SNP": 2, "A2": 3, "A1": 4, "FILTER": 6, "FORMAT": 8, "values": names.index(column)}
    people = sum(float(n) for _, n in _PEOPLE.findall(" ".join(layout.comments))) if len(studies) == 1 else 0.0
    roles = {role: key for role, key in _FIELDS.items() if key in fields}
    for block in read_columns(layout, wanted, text=list(wanted), rows_at_once=rows_at_once):
        kept = block[block["FILTER"].isin(["PASS", ".", ""])]
        parts = [_values(part, str(order), roles) for order, part in kept.groupby("FORMAT", sort=False)]
        table = pd.concat(parts).sort_index() if parts else _values(kept, "ES:LP", roles)
        if "N" not in roles and people:
            table["N"] = people
        table.attrs["filtered"] = len(block) - len(kept)
        yield table.reset_index(drop=True)


def _values(block: pd.DataFrame, order: str, roles: dict[str, str]) -> pd.DataFrame:
    """Return the fields of rows of one FORMAT as numbers."""
    keys = order.split(":")
    cells = block["values"].str.split(":", expand=True) if len(block) else pd.DataFrame(index=block.index)
    table = block[["SNP", "A1", "A2"]].copy()
    for role, key in roles.items():
        k = keys.index(key) if key in keys else None
        known = k is not None and k in cells.columns
        values = cells[k] if known else pd.Series(np.nan, index=block.index, dtype=object)
        table[role] = pd.to_numeric(values, errors="coerce").astype(np.float64)  # several ALT: no SNP, left out later
    if "ID" in keys and keys.index("ID") in cells.columns:
        own = cells[keys.index("ID")]
        table["SNP"] = table["SNP"].where(~table["SNP"].isin([".", ""]), own)
    return table

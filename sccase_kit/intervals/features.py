"""What kind of feature each row is: peaks, genes, motifs; and which axis of a matrix holds the peaks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from .names import share_of_places, texts_of

_COLUMNS = ("feature_types", "feature_type", "modality", "featuretype", "featuretypes")
_PEAKS = {*"peaks peak atac chromatinaccessibility accessibility tiles tile bins bin regions region cre".split()}
_OF_PEAKS, _OF_OTHERS = "peak|atac|accessib|chromatin", "gene|activit|motif|expression"
_MOTIFS = {"motifs", "motif", "tf", "tfs", "transcriptionfactors", "transcriptionfactor"}
_MOTIF_NAME = re.compile(
    r"(?:^|[_:. ])(?:MA|UN)\d{4}\.\d(?:$|[_:. ])|^M\d{4,5}_\d\.\d{2}|_HUMAN\.H\d+MO\.|\.H1[123][A-Z]*\.\d\."
)
_BARCODE = re.compile(r"(?:^|[_#:.-])[ACGTN]{8,}(?:$|[_#:.+-])")
_GENE_NAME = re.compile(r"ENS[A-Z]{0,4}[GT]\d{9,}(?:\.\d+)?(?:_.+)?")
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class PeakChoice:
    """Which features are peaks.

    Attributes
    ----------
    keep
        Bool of shape (n_features,), or None where all stay.
    left_out
        Kind of feature → how many leave, for messages.
    """

    keep: np.ndarray | None
    left_out: dict[str, int]


def _plain(text: object) -> str:
    return re.sub(r"[^a-z]", "", str(text).lower())


def choose_peaks(var: pd.DataFrame, *, source: str, kinds: Sequence[str] | None = None) -> PeakChoice:
    """Return which rows of `var` are peaks, by their feature types.

    Parameters
    ----------
    var
        Table of the features; its index holds their names.
    source
        What it is called in messages.
    kinds
        Types of the features; by default those of a column such as ``feature_types``.

    Returns
    -------
    :class:`PeakChoice`. Where no type says peaks but the names are coordinates, all that are named so stay.

    Raises
    ------
    ValueError
        If the features are motifs or genes, or types are given and nothing is a peak.
    """
    names = texts_of(var.index)
    text = "\n".join(names)  # searched at once: hardly a file has names with dots, or of genes
    if "." in text:
        _refuse_motifs(names, source)
    if "ENS" in text:
        _refuse_genes(names, source)
    if kinds is None:
        column = next((c for c in var.columns if str(c).lower() in _COLUMNS), None)
        if column is None:
            return PeakChoice(None, {})
        kinds = var[column].astype(object).where(var[column].notna(), "").astype(str).tolist()
    plain = pd.Series([_plain(kind) for kind in kinds], dtype=object)
    told = plain.str.contains(_OF_PEAKS) & ~plain.str.contains(_OF_OTHERS)
    is_peak = (plain.isin(_PEAKS) | told).to_numpy(bool)
    if not len(plain) or is_peak.all() or (plain == "").all():
        return PeakChoice(None, {})
    if not is_peak.any():
        if plain.isin(_MOTIFS).all():
            msg = f"{source} holds motifs ({names[:_SHOWN]}), not counts of peaks: give the matrix of peaks"
            raise ValueError(msg)
        if share_of_places(names) > 0.5:
            return PeakChoice(None, {})
        found = sorted(set(kinds))[:_SHOWN]
        msg = f"{source} holds no peaks: the features are {found}, such as {names[:_SHOWN]}"
        raise ValueError(msg)
    counts = pd.Series(list(kinds), dtype=object)[~is_peak].value_counts()
    return PeakChoice(is_peak, {str(kind): int(n) for kind, n in counts.items()})


def _refuse_motifs(names: Sequence[str], source: str) -> None:
    hits = [name for name in names if "." in name and _MOTIF_NAME.search(name)]  # all forms have a dot
    if len(hits) > 0.5 * len(names):
        msg = f"{source}: the features are named like motifs ({hits[:_SHOWN]}): these are no counts of peaks"
        raise ValueError(msg)


def _refuse_genes(names: Sequence[str], source: str) -> None:
    """Raise ValueError for identifiers of genes or transcripts, which may have coordinates as peaks have."""
    hits = [name for name in names if name.startswith("ENS") and _GENE_NAME.fullmatch(name)]
    if len(hits) > 0.5 * len(names):
        msg = f"{source}: the features are genes ({hits[:_SHOWN]}), not peaks: give the matrix of peaks"
        raise ValueError(msg)


def peaks_axis(rows: Sequence[str], columns: Sequence[str]) -> Literal["rows", "columns"] | None:
    """Return which axis of a matrix holds the peaks, by all names of both; None where the names do not tell.

    Looked at are names that are places on chromosomes; then places of any kind; then names that are barcodes of cells,
    which mean peaks on the other axis.

    Examples
    --------
    >>> from sccase_kit.intervals.features import peaks_axis
    >>> peaks_axis(["AAACGAAAGCTT-1", "s1_2_3"], ["1:100-600", "KI270713.1:5-9"])
    'columns'
    """
    for share in (
        lambda names: share_of_places(names),
        lambda names: share_of_places(names, on_chromosomes=False),
        lambda names: -_share_of_barcodes(names),
    ):
        a, b = share(rows), share(columns)
        if a != b:
            return "rows" if a > b else "columns"
    return None


def _share_of_barcodes(names: Sequence[str]) -> float:
    return sum(bool(_BARCODE.search(str(name))) for name in names) / len(names) if len(names) else 0.0

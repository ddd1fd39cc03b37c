"""The peaks that the paper names, and the genes it finds them in or near."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from ...regions import tss_table
from ..registry import Claim, Experiment, Finding, Tables
from ..study import Study

_WHERE = "Results, 'scCASE intuitively reveals cell type-specific biological insights'"
_NEAR = 10_000


@dataclass(frozen=True)
class _Place:
    chrom: str
    start: int
    end: int
    genome: str
    gene: str
    inside: bool

    @property
    def name(self) -> str:
        return f"{self.chrom}:{self.start}-{self.end} {self.gene}"

    @property
    def says(self) -> str:
        where = "lies within" if self.inside else "lies near"
        return f"the peak {self.chrom}:{self.start:,}-{self.end:,} ({self.genome}) {where} {self.gene}"


PLACES = (
    _Place("chr2", 219_246_758, 219_247_258, "hg19", "SLC11A1", inside=True),
    _Place("chr6", 41_239_630, 41_240_130, "hg19", "TREM1", inside=False),
    _Place("chr12", 114_092_788, 114_093_703, "mm9", "Gpr132", inside=True),
    _Place("chr11", 46_201_573, 46_203_658, "mm9", "Itk", inside=True),
    _Place("chr11", 46_157_147, 46_158_328, "mm9", "Itk", inside=True),
)


def run(_: Study) -> pd.DataFrame:
    """Return the distance of every peak to the body of its gene, in bp; 0 where they overlap."""
    rows = []
    for place in PLACES:
        genes = tss_table(place.genome)
        own = genes[(genes["symbol"].str.upper() == place.gene.upper()) & (genes["chrom"] == place.chrom)]
        for gene in own.itertuples():
            body = (int(gene.start), int(gene.end))
            distance = max(0, body[0] - place.end + 1, place.start - body[1] + 1)
            rows.append(
                {"peak": place.name, "genome": place.genome, "gene": gene.symbol, "gene_start": body[0]}
                | {"gene_end": body[1], "distance": distance}
            )
    return pd.DataFrame(rows)


def find(tables: Tables) -> Mapping[str, Finding]:
    """Return the distances; a peak is near a gene within 10,000 bp."""
    table = next(iter(tables.values()))
    found = {}
    for place in PLACES:
        rows = table[table["peak"] == place.name]
        if len(rows):
            distance = float(rows["distance"].min())
            holds = distance <= (0 if place.inside else _NEAR)
            found[place.name] = Finding(distance, None, holds, ("once",), "distance to the body of the gene")
    return found


EXPERIMENT = Experiment(
    name="places",
    title="Peaks and genes that are named",
    shows="Results (text)",
    about="Where the peaks that the paper names lie, by the genes that this package ships.",
    place=4.9,
    per="once",
    run=run,
    find=find,
    claims=tuple(Claim(place.name, place.says, _WHERE, 0.0 if place.inside else None, "bp") for place in PLACES),
)

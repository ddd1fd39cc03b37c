"""The section of the report on cells that were read from fragment files: depth, lengths, transcription starts."""

from __future__ import annotations

from functools import partial

from anndata import AnnData

from .. import pl
from .._record import records
from ..pages.blocks import Block, Grid, Text
from ..pages.page import Section
from ._figures import draw
from ._headers import FILES, described_table

#: Parts of the entry that are curves: they are drawn, not listed.
CURVES = ("lengths", "tss_profile", "barcode_rank")


def fragment_section(adata: AnnData) -> Section | None:
    """Return the section on the quality of the fragments, or None if the cells were not read from fragment files."""
    blocks: list[Block] = []
    for name, made in records(adata.uns).items():
        if made.function != "io.read_fragments":
            continue
        if name != "fragments":
            blocks.append(Text(name, kind="heading"))
        blocks.append(Grid(_curves(adata, name, tuple(made.results))))
        if "sample" in adata.obs and "n_fragments" in adata.obs:
            text = (
                "Quality of the cells in these data by sample; bar: quartiles, dot: median. The documentation of "
                "read_fragments says what each measure is."
            )
            blocks.append(draw(partial(pl.fragment_quality, adata), text))
        if "files" in made.results:
            text = "What was read from every file, and what was left out (numbers of lines and fragments)"
            blocks.append(described_table(made.results["files"].rename_axis("sample").reset_index(), text, FILES))
    return Section("Quality of the fragments", blocks, "Fragments") if blocks else None


def _curves(adata: AnnData, key: str, there: tuple[str, ...]) -> list[Block]:
    """Return the figures of the curves that were stored, and of the cells where their measures are."""
    figures: list[Block] = []
    if "barcode_rank" in there:
        text = "Fragments of the barcodes by rank; coloured: taken for cells, dotted: the least of them."
        figures.append(draw(partial(pl.barcode_rank, adata, key=key), text))
    if {"n_fragments", "tss_enrichment"} <= set(adata.obs.columns):
        text = "TSS enrichment of every cell against its fragments, coloured by the density of cells."
        figures.append(draw(partial(pl.tss_by_depth, adata), text))
    if "lengths" in there:
        text = "Lengths of the fragments; lines: one and two nucleosomes (147 and 294 bp)."
        figures.append(draw(partial(pl.fragment_lengths, adata, key=key), text))
    if "tss_profile" in there:
        text = "Insertions around transcription start sites, over those 1,901 to 2,000 bp away; 1 is no enrichment."
        figures.append(draw(partial(pl.tss_profile, adata, key=key), text))
    return figures

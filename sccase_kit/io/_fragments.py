"""Read fragment files into a matrix of counts, cells × peaks, with the measures of quality of every cell."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._logging import logger, warn
from .._progress import progress
from .._record import record
from .._text_files import stand_in
from .._threads import available_threads
from .._validate import check_choice, check_int
from ..fragments.barcodes import BarcodeTable
from ..fragments.calling import FLOOR, cell_threshold, rank_curve
from ..fragments.first_base import is_one_based
from ..fragments.inflate import fast_zlib, kind_of, lacks_end
from ..fragments.layout import Layout, lay_out
from ..fragments.pairs import PairStore
from ..fragments.quality import cell_quality, normalised_profile, profile_score
from ..fragments.recognise import check_header
from ..fragments.scan import Plan, Tally, count_barcodes_of, scan_fragments
from ..fragments.spelling import ByAnyName
from ..intervals.genomes import GENOMES, chrom_sizes, tss_table
from ..intervals.likely import likely_genome
from ..pp.samples import JOINT, cells_of_samples, name_samples
from ._fragment_checks import check_assembly, check_counted
from ._fragment_peaks import peak_table

#: Counting rules, in the order of their numbers.
COUNTING = ("fragments", "insertions", "paired")


@checked()
def read_fragments(
    fragments: str | os.PathLike[str] | Sequence[Any] | Mapping[str, Any],
    peaks: Any | None = None,
    cells: Any | None = None,
    *,
    tiles: int | None = None,
    genome: str | os.PathLike[str] | Mapping[str, int] | None = None,
    counting: Literal["fragments", "insertions", "paired"] = "fragments",
    tss: str | os.PathLike[str] | pd.DataFrame | None = None,
    min_fragments: int = FLOOR,
    one_based: bool | None = None,
) -> AnnData:
    """Count the fragments of every cell in peaks, in one pass over each file and in little memory.

    Reads the files of Cell Ranger (ATAC, ARC), SnapATAC2, sinto, chromap, and others with the columns chrom, start
    (0-based), end, barcode and, where there is one, the number of read pairs; bgzip, gzip, zstd or plain, with or
    without an index, sorted or not. Decompression and counting share the threads of `settings.n_threads`; with the
    package isal (extra ``fragments``) decompression is two to three times as fast.

    Parameters
    ----------
    fragments
        A file; a list of files, which are named after themselves or their folders; or a dict sample → file.
    peaks
        A BED or narrowPeak file, a table with chrom, start and end, an AnnData, or names such as ``chr1:100-600``.
        Peaks may overlap; a fragment then counts in each.
    cells
        The barcodes that are cells: a list, a file (one a line, or Cell Ranger's ``singlecell.csv``), an AnnData or a
        DataFrame; for several samples a dict sample → these, names such as ``sample#barcode``, or one list for all.
        A number takes the barcodes with at least so many fragments. None calls cells by
        :func:`sccase_kit.fragments.cell_threshold`, which costs a first pass over the file.
    tiles
        Width in bases of tiles of the genome, counted in place of peaks.
    genome
        Name of a shipped genome (hg19, hg38, mm9, mm10), file or mapping of chromosome sizes. Fragments on other
        sequences, or beyond a chromosome's end, are then left out, with their number; and a shipped genome gives the
        transcription start sites.
    counting
        What counts. ``"fragments"``: 1 for each fragment that shares a base with the peak, as Signac's FeatureMatrix
        counts. ``"insertions"``: 1 for each of its two ends (the first and the last base) in the peak, as Cell Ranger
        and ArchR count. ``"paired"``: 1 for each fragment with one end or both in the peak, the paired insertion
        counting of Miao and Kim.
    tss
        Table of transcription start sites in place of the genome's; see :func:`sccase_kit.regions.tss_table`.
    min_fragments
        Smallest number of fragments of a cell that is called.
    one_based
        Whether starts are 1-based, as in tables of R (GRanges), so that 1 is taken from each. None decides for every
        file by its header or by the fragments of a cell that meet at a cut (see
        :mod:`sccase_kit.fragments.first_base`); a warning says so where they are.

    Returns
    -------
    AnnData with counts (CSR, int32), cells × peaks.

    `obs`, indexed by the barcode, or by ``sample#barcode`` where there are several samples (or a dict): sample
    (categorical), barcode, n_fragments and the measures that :func:`sccase_kit.pl.fragment_quality` draws: n_reads and
    duplicate_rate (where the file tells read pairs), fraction_mito, nucleosome_signal, tss_enrichment (where there are
    transcription start sites), n_in_peaks, frip.

    `var`: chrom, start, end (int64, 0-based half-open) and the other columns of `peaks`.

    ``uns["fragments"]``: `files`, a table with a row per sample of what was read and what was left out; `lengths`,
    fragments by length (0 to 1,000, the last for all longer ones) × samples; `tss_profile`, insertions by distance from
    the transcription start sites over those of the flanks × samples; `barcode_rank`, per sample the curve of rank and
    fragments of all barcodes where cells were called.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        If a line is no fragment (file and line are given), a file is damaged or ends early, no barcode of the file is
        among `cells`, no fragment lies on a chromosome of the peaks, or arguments do not fit.
    TypeError
        If an argument is of the wrong kind.
    KeyError
        If `cells` is a dict without one of the samples.

    References
    ----------
    Stuart et al., Nat. Methods 2021 (Signac); Granja et al., Nat. Genet. 2021 (ArchR: TSS enrichment); Miao and Kim,
    Nat. Methods 2024 (paired insertion counting).

    Examples
    --------
    >>> import tempfile
    >>> import sccase_kit as sk
    >>> study = sk.datasets.toy_study(n_cells=100, n_peaks=500)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = sk.datasets.write_toy_fragments(study, f'{folder}/fragments.tsv.gz')
    ...     counts = sk.read_fragments(file, study.adata, study.adata, genome='hg38')
    >>> counts.shape
    (100, 500)
    """
    rule = COUNTING.index(check_choice(counting, COUNTING, name="counting"))
    min_fragments = check_int(min_fragments, name="min_fragments", minimum=1)
    samples, several = name_samples(fragments)
    wanted = cells_of_samples(cells, samples)
    sizes = None if genome is None else chrom_sizes(genome)
    shipped = genome if isinstance(genome, str) and genome in GENOMES else None
    table = peak_table(peaks, tiles, genome=shipped, sizes=sizes)
    layout = lay_out(table["chrom"], table["start"], table["end"])
    plan = _with_sites(
        Plan(
            peaks=replace(layout, chroms=ByAnyName(layout.chroms)),
            rule=rule,
            sizes=None if sizes is None else ByAnyName(sizes),
        ),
        tss if tss is not None else shipped,
    )
    assembly = shipped or (likely_genome(table) if tiles is None and sizes is None and tss is None else None)
    scanned = plan if plan.sites is not None else _with_sites(plan, assembly)
    store, blocks, curves, tallies = PairStore(layout.order), [], {}, {}
    first_row = 0
    for path in samples.values():
        if what := stand_in(path):
            msg = f"{path} is {what}"
            raise ValueError(msg)
        check_header(path)
    for name, path in samples.items():
        barcodes, curve = _cells(path, wanted[name], min_fragments, name=name)
        closed = _one_based(path) if one_based is None else one_based
        tally = _scan(path, barcodes, replace(scanned, one_based=closed), store, first_row, name=name)
        check_counted(tally, path, barcodes, table, called=curve is not None)
        if assembly is not None:
            check_assembly(tally, path, assembly, named=shipped is not None)
        blocks.append(_obs(name, barcodes, tally, plan, several=several))
        tallies[name] = tally
        if curve is not None:
            curves[name] = curve
        first_row += len(barcodes)
    obs = pd.concat(blocks)
    obs["sample"] = pd.Categorical(obs["sample"], categories=list(samples))
    _say_shared(obs)
    adata = AnnData(store.to_csr(first_row), obs=obs, var=table)
    given = {"fragments": [str(path) for path in samples.values()], "peaks": peaks, "cells": cells, "tiles": tiles}
    given |= {"genome": genome, "counting": counting, "tss": tss, "min_fragments": min_fragments}
    given["one_based"] = one_based
    record(
        adata,
        "fragments",
        "io.read_fragments",
        params=given,
        **_results(samples, tallies, curves, has_tss=plan.sites is not None, counts=adata),
    )
    return adata


def _with_sites(plan: Plan, tss: Any | None) -> Plan:
    """Add the transcription start sites, each place once."""
    if tss is None:
        return plan
    sites = tss_table(tss).drop_duplicates(["chrom", "tss"])
    layout: Layout = lay_out(sites["chrom"], sites["tss"], sites["tss"] + 1)
    forward = (sites["strand"] == "+").to_numpy()[layout.order]
    return replace(plan, sites=replace(layout, chroms=ByAnyName(layout.chroms)), forward=forward)


def _cells(
    path: Path, wanted: list[str] | int | None, min_fragments: int, *, name: str
) -> tuple[list[str], pd.DataFrame | None]:
    """Return the barcodes of a sample's cells and, where they are called, the barcode-rank curve."""
    if isinstance(wanted, list):
        return wanted, None
    with _bar(path, f"{name}: barcodes") as advance:
        found = count_barcodes_of(path, n_threads=available_threads(), advance=advance)
    counts = found.counts[: found.n]
    least = wanted if isinstance(wanted, int) else cell_threshold(counts, floor=min_fragments)
    which = np.flatnonzero(counts >= least)
    if not len(which):
        most = int(counts.max()) if found.n else 0
        msg = f"{path}: no barcode has {least} fragments or more (the deepest of {found.n} has {most}); lower "
        raise ValueError(msg + ("cells=" if isinstance(wanted, int) else "min_fragments="))
    rank, fragments = rank_curve(counts)
    logger.info("%s: %d of %d barcodes have at least %d fragments and are taken for cells",
                name, len(which), found.n, least)  # fmt: skip
    curve = pd.DataFrame({"rank": rank, "fragments": fragments, "cell": fragments >= least})
    return sorted(found.barcodes(which)), curve


def _one_based(path: Path) -> bool:
    """Return whether the starts of a file are 1-based; say so where they are."""
    if not is_one_based(path):
        return False
    warn(f"{path}: starts are 1-based, by the header or by fragments that meet at a cut, so 1 is taken from every "
         "start; one_based=False reads them as they are")  # fmt: skip
    return True


class _bar:
    """A progress bar over the bytes of a file, as a function that is told how far it is read."""

    def __init__(self, path: Path, desc: str) -> None:
        self._shown = progress(desc=desc, total=path.stat().st_size, unit="B", unit_scale=True)

    def __enter__(self) -> Any:
        return lambda position: self._shown.update(position - self._shown.n)

    def __exit__(self, *_: object) -> None:
        self._shown.close()


def _scan(path: Path, barcodes: list[str], plan: Plan, store: PairStore, first_row: int, *, name: str) -> Tally:
    if kind_of(path) == "bgzip" and lacks_end(path):
        warn(f"{path} lacks the block that ends a bgzip file: it may have been cut short; compare its size")
    elif kind_of(path) in {"bgzip", "gzip"} and fast_zlib().__name__ == "zlib":
        logger.info("decompression is two to three times as fast with isal: pip install 'sccase_kit[fragments]'")
    with _bar(path, f"{name}: fragments") as advance:
        return scan_fragments(
            path,
            BarcodeTable(barcodes),
            plan,
            keep=lambda block: store.add(block, first_row=first_row),
            n_threads=available_threads(),
            advance=advance,
        )


def _obs(name: str, barcodes: list[str], tally: Tally, plan: Plan, *, several: bool) -> pd.DataFrame:
    quality = cell_quality(
        tally.sums,
        has_reads=tally.with_reads > 0,
        has_tss=plan.sites is not None,
        has_peaks=plan.peaks is not None,
    )
    index = [f"{name}{JOINT}{barcode}" for barcode in barcodes] if several else barcodes
    return pd.DataFrame({"sample": name, "barcode": barcodes, **quality}, index=pd.Index(index, dtype=object))


def _say_shared(obs: pd.DataFrame) -> None:
    shared = obs["barcode"].duplicated(keep=False)
    if shared.any():
        n = obs.loc[shared, "barcode"].nunique()
        logger.info("%d barcodes are cells in several samples; names of cells are sample%sbarcode", n, JOINT)


def _results(
    samples: Mapping[str, Path],
    tallies: Mapping[str, Tally],
    curves: Mapping[str, pd.DataFrame],
    *,
    has_tss: bool,
    counts: AnnData,
) -> dict[str, Any]:
    """Return what ``uns["fragments"]`` holds besides the call."""
    in_sample = counts.obs.groupby("sample", observed=False)["n_fragments"].agg(["size", "sum"])
    rows = {
        name: {
            "file": str(samples[name]),
            "lines": tally.lines,
            "cells": int(in_sample.loc[name, "size"]),
            "fragments": int(in_sample.loc[name, "sum"]),
            "not_in_cells": tally.unlisted,
            "unknown_sequence": tally.unknown.total(),
            "beyond_the_end": tally.beyond.total(),
            "without_length": tally.empty,
            "repeated": tally.repeated,
            "no_peak_on_chromosome": tally.without_peaks.total(),
            "sorted": tally.is_sorted,
            **({"tss_enrichment": profile_score(tally.profile)} if has_tss else {}),
        }
        for name, tally in tallies.items()
    }
    found: dict[str, Any] = {
        "files": pd.DataFrame.from_dict(rows, orient="index"),
        "lengths": pd.DataFrame({name: tally.lengths for name, tally in tallies.items()}),
    }
    found["lengths"].index = found["lengths"].index.astype(str)
    if has_tss:
        profiles = pd.DataFrame({name: normalised_profile(tally.profile) for name, tally in tallies.items()})
        profiles.index = (np.arange(len(profiles)) - len(profiles) // 2).astype(str)
        found["tss_profile"] = profiles
    if curves:
        found["barcode_rank"] = dict(curves)
    return found

"""Tracks of groups of cells for genome browsers, of the counts and of the enhanced data."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from anndata import AnnData

from .._arguments import checked
from .._atomic import check_place, file_name, replacing
from .._logging import logger
from .._validate import check_adata, check_choice, check_labels
from .._version import __version__
from ..get.group_sums import UNITS, group_enhanced, scaled
from ..get.thin import check_fitted
from ..intervals.columns import natural_key
from ..intervals.frame import check_regions
from ..intervals.genomes import GENOMES, chrom_sizes
from ..intervals.peaks import require_coordinates
from ..intervals.segments import Segments, disjoint_segments
from ..pp import pseudobulk
from ._track_files import PLAIN, Track, write_bedgraph, write_bigwig, write_hub, write_igv


@checked()
def write_tracks(
    adata: AnnData,
    groupby: str,
    folder: str | os.PathLike[str],
    *,
    genome: str | os.PathLike[str] | Mapping[str, int] | None = None,
    source: Literal["both", "counts", "enhanced"] = "both",
    key: str = "sccase",
    layer: str | None = None,
    scaling: Literal["cpm", "cell"] = "cpm",
    format: Literal["auto", "bigwig", "bedgraph"] = "auto",
    email: str = "unknown@example.org",
) -> dict[str, Path]:
    """Write a track for every group of cells, of the counts and of the enhanced data, for UCSC and IGV.

    Values belong to peaks and are not the coverage of single bases: a peak is one bar. Where peaks overlap, the larger
    value is shown.

    Parameters
    ----------
    adata
        Cells × peaks with coordinates; for the enhanced tracks, enhanced by :func:`sccase_kit.tl.enhance`.
    groupby
        Column of `obs` with the groups.
    folder
        Where to; a folder that this function wrote before is replaced when the new one is complete.
    genome
        Name of a shipped genome (hg19, hg38, mm9, mm10), file or mapping of chromosome sizes. Needed for bigWig; peaks
        on other sequences are left out with a warning. The track hub and the sessions of IGV need the name.
    source
        Which tracks.
    key
        Fit whose enhanced data are written.
    layer
        Layer with the counts; `X` by default.
    scaling
        ``"cpm"``: counts per million of the group in all peaks. ``"cell"``: counts per cell. Enhanced data are expected
        counts (``scale="counts"`` of :func:`sccase_kit.get.enhanced`), scaled in the same way, so that both tracks have
        one unit.
    format
        ``"bedgraph"`` writes bedGraph alone; ``"bigwig"`` bigWig besides, which needs pyBigWig (extra ``tracks``) and
        `genome`; ``"auto"`` does so where both are there.
    email
        Address that a UCSC track hub must name.

    Returns
    -------
    Name → path: every track, such as "counts B" (its bedGraph), and "hub", "igv" and "igv_web" where they were written.

    Raises
    ------
    KeyError
        If the column or the fit is missing.
    ValueError
        If peaks have no coordinates or lie beyond the ends of chromosomes, or ``format="bigwig"`` has no `genome`.
    ImportError
        If ``format="bigwig"`` is asked for and pyBigWig is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500, n_types=3).adata
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = sk.io.write_tracks(adata, 'cell_type', f'{folder}/tracks', source='counts', format='bedgraph')
    ...     sorted(files)
    ['counts type_1', 'counts type_2', 'counts type_3']
    """
    check_adata(adata)
    check_choice(source, ["both", "counts", "enhanced"], name="source")
    check_choice(scaling, ["cpm", "cell"], name="scaling")
    check_choice(format, ["auto", "bigwig", "bedgraph"], name="format")
    labels = check_labels(adata, groupby, text=True)
    if source != "counts":
        check_fitted(adata, key)
    sizes = None if genome is None else chrom_sizes(genome)
    with_bigwig = _wants_bigwig(format, has_sizes=sizes is not None)
    peaks = require_coordinates(adata).reset_index(drop=True)
    peaks = check_regions(peaks, name="adata.var", chrom_sizes=sizes, unknown="drop")
    target = check_place(folder, folder=True)
    segments = _in_order(disjoint_segments(peaks.reset_index(drop=True)), sizes)
    parts = {}
    if source != "enhanced":
        bulk = pseudobulk(adata, groupby, layer=layer)[list(labels.cat.categories)].X
        parts["counts"] = np.asarray(bulk.toarray() if hasattr(bulk, "toarray") else bulk, dtype=np.float64)
    if source != "counts":
        parts["enhanced"] = group_enhanced(adata, labels, key)
    n_cells = np.bincount(labels.cat.codes, minlength=len(labels.cat.categories)).astype(np.float64)
    values = {name: scaled(sums, n_cells, scaling)[:, peaks.index.to_numpy()] for name, sums in parts.items()}
    groups = list(labels.cat.categories)
    colors = dict(zip(groups, _colors(adata, groupby, groups), strict=True))
    name = genome if isinstance(genome, str) and genome in GENOMES else None
    found: dict[str, Path] = {}
    with replacing(target, folder=True) as temporary:
        temporary.mkdir()
        tracks = _write(temporary, values, segments, colors, sizes if with_bigwig else None, UNITS[scaling])
        found |= {f"{track.section} {group}": Path(folder) / f"{track.file}.bedGraph" for group, track in tracks}
        made = [track for _, track in tracks]
        if name is not None:
            first = segments.regions.iloc[0]
            locus = f"{first['chrom']}:{max(1, first['start'] - 20_000)}-{first['end'] + 20_000}"
            write_igv(temporary, made, genome=name, ending=".bw" if with_bigwig else ".bedGraph", locus=locus)
            found |= {"igv": Path(folder) / "igv_session.xml", "igv_web": Path(folder) / "igv_session.json"}
            if with_bigwig:
                write_hub(temporary, made, genome=name, label=f"sccase_kit: {groupby}", email=email)
                found["hub"] = Path(folder) / "hub.txt"
        (temporary / "TRACKS.txt").write_text(_readme(groupby, scaling, list(values)), encoding="utf-8")
    if name is None:
        logger.info("no sessions of IGV and no track hub: genome= must be one of %s for them", list(GENOMES))
    return found


def _wants_bigwig(format: str, *, has_sizes: bool) -> bool:
    if format == "bedgraph":
        return False
    if format == "bigwig" and not has_sizes:
        msg = "format='bigwig' needs genome= (hg19, hg38, mm9, mm10, or a file of chromosome sizes)"
        raise ValueError(msg)
    there = importlib.util.find_spec("pyBigWig") is not None
    if format == "auto" and not (there and has_sizes):
        why = "pyBigWig is not installed: pip install 'sccase_kit[tracks]'" if has_sizes else "genome= is not given"
        logger.info("bedGraph alone, no bigWig and no track hub: %s", why)
        return False
    return True


def _in_order(segments: Segments, sizes: Mapping[str, int] | None) -> Segments:
    """Put the chromosomes into the genome's order, which bigWig needs."""
    chroms = segments.regions["chrom"].to_numpy(object)
    known = {chrom: i for i, chrom in enumerate(sizes)} if sizes is not None else {}
    ranked = sorted(dict.fromkeys(chroms), key=lambda chrom: (known.get(chrom, len(known)), natural_key(chrom)))
    rank = {chrom: i for i, chrom in enumerate(ranked)}
    order = np.argsort([rank[chrom] for chrom in chroms], kind="stable")
    lengths = np.diff(np.r_[segments.first, len(segments.owner)])[order]
    first = np.r_[0, np.cumsum(lengths)[:-1]].astype(np.int64)
    owner = np.concatenate([segments.owner[a : a + n] for a, n in zip(segments.first[order], lengths, strict=True)])
    return Segments(segments.regions.iloc[order].reset_index(drop=True), owner, first)


def _colors(adata: AnnData, groupby: str, groups: list[str]) -> list[str]:
    """Return the colours that `uns` keeps for the groups, as scanpy does, or one for all."""
    from matplotlib.colors import is_color_like, to_hex

    every = [str(name) for name in adata.obs[groupby].astype("category").cat.categories]
    stored = [str(color) for color in np.atleast_1d(np.asarray(adata.uns.get(f"{groupby}_colors", []), dtype=object))]
    if len(stored) < len(every) or not all(is_color_like(color) for color in stored):
        return [PLAIN] * len(groups)
    lookup = dict(zip(every, stored, strict=False))
    return [to_hex(lookup[group]) for group in groups]


def _write(
    folder: Path,
    values: Mapping[str, npt.NDArray[np.float64]],
    segments: Segments,
    groups: Mapping[str, str],
    sizes: Mapping[str, int] | None,
    unit: str,
) -> list[tuple[str, Track]]:
    """Write every track (and its bigWig, with `sizes`); return group and track. `groups` holds group → colour."""
    found = []
    for section, sums in values.items():
        rows = [segments.largest(row) for row in sums]
        top = max((float(np.quantile(row[row > 0], 0.99)) for row in rows if (row > 0).any()), default=1.0)
        for file, (group, color), row in zip(_file_names(section, list(groups)), groups.items(), rows, strict=True):
            table = segments.regions.assign(value=row)
            what = f"{group}, {section}: {unit}"
            track = Track(name=f"{group} {section}", what=what, file=file, section=section, color=color, top=top)
            write_bedgraph(folder / f"{file}.bedGraph", table, name=track.name, color=color)
            if sizes is not None:
                write_bigwig(folder / f"{file}.bw", table, sizes=sizes)
            found.append((group, track))
    return found


def _file_names(section: str, groups: list[str]) -> list[str]:
    """Return names of files for the groups: letters, digits and underscores, each once."""
    names: list[str] = []
    for group in groups:
        short = re.sub(r"[^A-Za-z0-9]+", "_", file_name(group)).strip("_")
        plain = f"{section}_{short or 'group'}"
        n = 1
        while (name := plain if n == 1 else f"{plain}_{n}").lower() in {other.lower() for other in names}:
            n += 1
        names.append(name)
    return names


_README = """\
Tracks of the groups of obs[{groupby!r}], written by sccase_kit {version}.

*.bedGraph          text, for any browser
*.bw                bigWig, where pyBigWig and the chromosome sizes were there
hub.txt             UCSC track hub: put this folder on a web server and paste the address of hub.txt
igv_session.xml     IGV desktop: open this file
igv_session.json    igv.js: pass it to igv.createBrowser, with the folder served next to the page

Values are {unit}. They belong to peaks: a peak is one bar, not the coverage of its bases.
{what}"""
_WHAT = {
    "counts": "counts: what was measured.\n",
    "enhanced": "enhanced: expected counts under the fitted model, in the same unit.\n",
}


def _readme(groupby: str, scaling: str, sections: list[str]) -> str:
    what = "".join(_WHAT[section] for section in sections)
    return _README.format(groupby=groupby, version=__version__, unit=UNITS[scaling], what=what)

"""From an enhanced matrix to biology in one call: peaks to GREAT, SNPsea and LDSC, motifs, traits, as a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._atomic import check_folder, file_names
from .._calls import least_fraction, made_by
from .._logging import warn
from .._progress import progress
from .._record import record
from .._remedy import with_remedy
from .._validate import check_adata, check_choice
from ..gene_sets.resolve import there
from ..great.files import write_great
from ..great.passing import LARGE_SHARE, remedy_for_share
from ..interpret.readme import check_readme, readme
from ..interpret.steps import BACKGROUND, CALLED, keep_call, run_step
from ..intervals.assembly import check_unknown
from ..intervals.chains import liftover
from ..intervals.chromosomes import Unknown
from ..intervals.genomes import GENOMES, species_of, tss_table
from ..ldsc.files import write_bed, write_ldsc_annot
from ..snpsea.files import write_snpsea
from ._great import great as run_great
from ._interpret_cells import files_of_sites, motif_step, trait_step
from ._ldsc import ldsc as run_ldsc
from ._nearest_gene import add_nearest_gene
from ._peaks import background_peaks
from ._snpsea import snpsea as run_snpsea
from ._specific_peaks import specific_peaks

_SNPSEA_FILES = ("gene_matrix", "gene_intervals", "snp_intervals", "null_snps")


@checked()
def interpret(
    adata: AnnData,
    groupby: str,
    path: str | os.PathLike[str],
    *,
    genome: str,
    great: Mapping[str, Any] | None = None,
    snpsea: Mapping[str, Any] | None = None,
    ldsc: Mapping[str, Any] | None = None,
    motifs: Mapping[str, Any] | None = None,
    traits: Mapping[str, Any] | None = None,
    n_top: int = 1000,
    ranking: Literal["score", "coefficient", "component", "contrast"] = "score",
    key: str = "sccase",
    data_genome: str = "hg19",
    chain: str | os.PathLike[str] | None = None,
    unknown: Unknown = "drop",
    overwrite: bool = False,
) -> dict[str, pd.DataFrame]:
    """Find the specific and background peaks of every group and what they mean, as a folder of files.

    Peaks are written for GREAT, and for SNPsea and LDSC where `snpsea` and `ldsc` are given; where all data that one
    needs are given, it is run, and its tables and figures lie next to the inputs. With `motifs` and `traits` the cells
    of every group are tested for motifs and for fine-mapped variants. Called again, it keeps the steps that were
    finished from the same input.

    Parameters
    ----------
    adata
        Data enhanced by :func:`sccase_kit.tl.enhance`, with coordinates in `var`.
    groupby
        Column of `adata.obs` with the groups (cell types, clusters).
    path
        Folder to write; made if absent.
    genome
        Genome of the peaks: hg19, hg38, mm9 or mm10.
    great
        Options of :func:`sccase_kit.tl.great`, such as ``{"gene_sets": "GO"}``; without `gene_sets` only the BED files
        for the web tool are written. Collections by name that are not on this machine (mouse GO before it was built)
        are left out with a warning that says how to make them.
    snpsea
        Options of :func:`sccase_kit.tl.snpsea`: `snps` for the inputs; `gene_matrix`, `gene_intervals`,
        `snp_intervals`, `null_snps` for the result. None leaves the step out.
    ldsc
        Options of :func:`sccase_kit.tl.ldsc`: `panel` for the inputs; `sumstats` (and `baseline`, `snps`, …) for the
        result. None leaves the step out.
    motifs
        Options of :func:`sccase_kit.tl.match_motifs`: `genome_fasta` or `sequences`, and `motifs`, ...; or `sites` of
        :func:`sccase_kit.tl.match_sites`, where there is no sequence; ``{}`` takes the matches that are in
        ``adata.varm["motifs"]``. Deviations are those of the closed form
        (:func:`sccase_kit.tl.chromvar`), and the activity of the factor's gene says which member of a family fits
        (:func:`sccase_kit.tl.motif_genes`). Nothing of this is written into `adata`. None leaves the step out.
    traits
        Options of :func:`sccase_kit.tl.trait_scores`: `variants` (trait → file or table), ...; `bias` is the column
        "gc" where all peaks have it, else None. None leaves the step out.
    n_top
        Specific peaks per group, and background peaks.
    ranking
        See :func:`sccase_kit.tl.specific_peaks`; ``"coefficient"`` (or ``"component"``) is the paper's, for
        specific and background peaks.
    key
        The `key_added` of the fit.
    data_genome
        Genome of the files of SNPsea and LDSC; the public ones are hg19.
    chain
        UCSC chain file from `genome` to `data_genome`, needed where they differ. What could not be lifted is listed in
        ``peaks/lost.tsv``, with a warning.
    unknown
        Peaks on sequences that the genome, the chain, the SNPs or the panel do not have (scaffolds): ``"drop"`` leaves
        them out of that step with a warning, ``"error"`` raises.
    overwrite
        Make every step anew.

    Returns
    -------
    Name → table as written: "peaks" (specific peaks, and the background as one more group), and "great", "snpsea",
    "ldsc", "motifs" (:func:`sccase_kit.tl.differential_deviations`, with the gene that fits best), "traits" (groups of
    :func:`sccase_kit.tl.trait_scores`) where these were run. `adata.uns["specific_peaks"]` and `["background_peaks"]`
    are written too, and `["interpret"]`: the call and its steps. Every group is in "peaks" unless it has no marker at
    all; ``peaks/groups.tsv`` lists all of them, with the reason where peaks are few, and a warning names those.

    Raises
    ------
    KeyError
        If `groupby`, the fit, or a needed option is missing.
    MissingProgramError
        If the program ``bedtools`` is not installed.
    FileExistsError
        If `path` holds a ``README.md`` of somebody else's.
    ValueError
        If peaks have no coordinates, a group is called "background", genomes differ and no chain is given, or inputs do
        not fit; the message names the step. Finished steps are kept.

    Notes
    -----
    The analysis of the paper's Fig. 4. ``README.md`` in the folder says what each file is.
    """
    check_adata(adata)
    check_choice(genome, GENOMES, name="genome")
    check_unknown(unknown)
    options = {name: dict(value) for name, value in (("snpsea", snpsea), ("ldsc", ldsc)) if value is not None}
    for name, needed, got in (("snpsea", "snps", snpsea), ("ldsc", "panel", ldsc), ("traits", "variants", traits)):
        if got is not None and needed not in got:
            msg = f"{name} needs the option {needed!r}, got {sorted(got)}"
            raise KeyError(msg)
    if options and genome != data_genome and chain is None:
        msg = (
            f"the peaks are on genome={genome!r} and the files of {sorted(options)} on data_genome={data_genome!r}: "
            f"give chain= (a UCSC chain file from {genome} to {data_genome}), or data_genome={genome!r} if they agree"
        )
        raise with_remedy(ValueError(msg), "chain")
    if chain is not None and not options:
        warn("chain is for snpsea and ldsc, of which none is asked for")
    folder = check_folder(path)
    check_readme(folder)
    great = _with_known_sets(dict(great or {}), genome)
    specific_peaks(adata, groupby, n_top=n_top, ranking=ranking, genome=genome, key=key)
    paper = ranking in ("coefficient", "component")
    background_peaks(adata, n_top=n_top, groupby=None if paper else groupby, key=key)
    table = _joined(adata, genome)
    if (background := great.get("background")) is not None and great.get("gene_sets") is not None:
        n_background = background.n_vars if isinstance(background, AnnData) else len(background)
        _warn_large(table, n_background, least=least_fraction(adata.uns))
    folder.mkdir(parents=True, exist_ok=True)
    lift = chain if options and genome != data_genome else None
    groups = adata.uns["specific_peaks"]["groups"]
    steps = _steps(table, groups, folder, genome=genome, great=great, options=options, chain=lift, unknown=unknown)
    made_from = [table, adata.obs[groupby].astype(str), genome]
    if motifs is not None:
        seek: dict[str, Any] = {"given": motifs, "genome": genome, "key": key, "unknown": unknown}
        steps["motifs"] = (
            [*made_from, motifs, *files_of_sites(motifs)],
            lambda out: motif_step(adata, groupby, out, **seek),
        )
    if traits is not None:
        steps["traits"] = (
            [*made_from, traits],
            lambda out: trait_step(adata, groupby, out, given=traits, key=key),
        )
    found = {}
    for name, (made_from, work) in progress(steps.items(), desc="interpret", total=len(steps)):
        try:
            found[name] = run_step(folder, name, made_from, work, overwrite=overwrite)
        except Exception as error:
            error.add_note(f"This was the step {name!r}. Finished steps are kept in {folder}: mend it and run again.")
            raise
    readme(folder, groupby=groupby, genome=genome, data_genome=data_genome, n_top=n_top, lifted=lift is not None)
    called: dict[str, Any] = {"groupby": groupby, "path": path, "genome": genome, "great": great or None}
    called |= {"snpsea": snpsea, "ldsc": ldsc, "motifs": motifs, "traits": traits, "chain": chain}
    called |= {"n_top": n_top, "ranking": ranking, "key": key, "data_genome": data_genome, "unknown": unknown}
    all_peaks = adata.var[["chrom", "start", "end"]] if "chrom" in adata.var else None
    call = keep_call(folder, called, {"adata": adata, "adata.var[['chrom', 'start', 'end']]": all_peaks})
    tables = {name: result for name, result in found.items() if result is not None}
    for result in tables.values():
        result.attrs[CALLED] = call
    if CALLED not in adata.uns or made_by(adata.uns[CALLED]) == "tl.interpret":
        record(adata, CALLED, "tl.interpret", params={**called, "path": os.fspath(path)}, steps=", ".join(tables))
    return tables


def _warn_large(table: pd.DataFrame, n_peaks: int, *, least: float | None) -> None:
    """Say that the peaks of groups are too large a part of all peaks for terms to be enriched among them."""
    sizes = table.loc[table["group"] != BACKGROUND, "group"].value_counts()
    large = sizes[sizes > LARGE_SHARE * n_peaks]
    if len(large):
        share = f"more than {LARGE_SHARE:.0%} of the {n_peaks:,} of the background"
        msg = f"the peaks of {len(large)} of {len(sizes)} groups are {share} (group {large.index[0]}: "
        msg += f"{large.iloc[0] / n_peaks:.0%}), so that fewer terms can pass; "
        warn(f"{msg}{remedy_for_share(large.min() / n_peaks, least=least)} (measured in docs/great.md)")


def _with_known_sets(great: dict[str, Any], genome: str) -> dict[str, Any]:
    """Return the options of GREAT without the collections that are not on this machine, each named in a warning."""
    if great.get("gene_sets") is None:
        return great
    kept, reasons = there(great["gene_sets"], species=species_of(genome))
    for reason in reasons:
        warn(f"gene sets are left out: {reason}")
    rest = {name: value for name, value in great.items() if name != "gene_sets"}
    return rest if kept is None else {**rest, "gene_sets": kept}


def _joined(adata: AnnData, genome: str) -> pd.DataFrame:
    """Return specific peaks and background in one table, with the groups as text."""
    specific = adata.uns["specific_peaks"]["peaks"]
    specific = specific.assign(group=specific["group"].astype(str))
    if BACKGROUND in set(specific["group"]):
        msg = f"a group is called {BACKGROUND!r}, as the group of the background peaks will be; rename it"
        raise ValueError(msg)
    if unplaced := specific.loc[specific["start"] < 0, "peak"].tolist() if "start" in specific else ["all"]:
        msg = f"{len(unplaced)} specific peaks have no coordinates, such as {unplaced[0]!r}: see pp.parse_peaks"
        raise ValueError(msg)
    background = adata.uns["background_peaks"]["peaks"].assign(group=BACKGROUND)
    return pd.concat([specific, add_nearest_gene(background, tss_table(genome))], ignore_index=True)


def _steps(
    table: pd.DataFrame,
    groups: pd.DataFrame,
    folder: Path,
    *,
    genome: str,
    great: dict[str, Any],
    options: dict[str, dict[str, Any]],
    chain: str | os.PathLike[str] | None,
    unknown: Unknown,
) -> dict[str, tuple[object, Callable[[Path], pd.DataFrame | None]]]:
    """Return step → (what it is made from, what makes it)."""
    steps: dict[str, tuple[object, Callable[[Path], pd.DataFrame | None]]] = {
        "peaks": ([table, groups, genome, chain], lambda out: _write_peaks(table, groups, out, chain, unknown)),
        "great": ([table, genome, great], lambda out: _great(table, out, genome, great, unknown)),
    }

    def placed() -> pd.DataFrame:
        """Return the peaks on the genome of the other files."""
        return table if chain is None else pd.read_csv(folder / "peaks" / "lifted.tsv", sep="\t", dtype={"group": str})

    work = {"snpsea": _snpsea, "ldsc": _ldsc}
    for name, given in options.items():
        made_from = [table, genome, chain, given]
        steps[name] = (made_from, partial(_placed_step, work[name], placed, given, unknown))
    return steps


def _placed_step(work: Any, placed: Any, given: dict[str, Any], unknown: Any, out: Path) -> Any:
    return work(placed(), out, given, unknown)


def _write_peaks(
    table: pd.DataFrame, groups: pd.DataFrame, out: Path, chain: str | os.PathLike[str] | None, unknown: Unknown
) -> pd.DataFrame:
    parts = dict(list(table.groupby("group", sort=False)))
    names = file_names(parts)
    groups = groups.assign(file=[f"{names[g]}.bed" if g in names else "" for g in groups["group"].astype(str)])
    groups.to_csv(out / "groups.tsv", sep="\t", index=False, lineterminator="\n")
    for group, part in parts.items():
        write_bed(part.rename(columns={"peak": "name"}), out / f"{names[group]}.bed")
    if chain is not None:
        lifted = liftover(table, chain, unknown=unknown)
        lifted.regions.to_csv(out / "lifted.tsv", sep="\t", index=False)
        lifted.lost.to_csv(out / "lost.tsv", sep="\t", index=False)
        if len(lifted.lost):
            warn(f"{len(lifted.lost)} of {len(table)} peaks could not be lifted over: {lifted.summary.to_dict()}")
    return table


def _great(table: pd.DataFrame, out: Path, genome: str, given: dict[str, Any], unknown: Unknown) -> pd.DataFrame | None:
    write_great(table, out / "input", genome=genome, groupby="group", unknown=unknown)
    if "gene_sets" not in given:
        return None
    from ..pl import great_dot

    result = run_great(table, genome, **{"unknown": unknown, **given})
    try:
        _save(great_dot(result).figure, out / "great.png")
    except ValueError as error:  # no term passes
        warn(f"GREAT is left without a figure: {error}")
    return result


def _snpsea(table: pd.DataFrame, out: Path, given: dict[str, Any], unknown: Unknown) -> pd.DataFrame | None:
    write_snpsea(table, given["snps"], out / "input", groupby="group", unknown=unknown)
    if missing := [name for name in _SNPSEA_FILES if name not in given]:
        if len(missing) < len(_SNPSEA_FILES):
            msg = f"snpsea lacks the options {missing}; give all of {list(_SNPSEA_FILES)}, or none to write inputs only"
            raise KeyError(msg)
        return None
    from ..pl import snpsea as draw

    rest = {"unknown": unknown, **{k: v for k, v in given.items() if k not in ("snps", "gene_matrix")}}
    result = run_snpsea(table, given["snps"], given["gene_matrix"], groupby="group", **rest)
    if isinstance(result, pd.DataFrame) and "correlation" in result.attrs:
        names = file_names(pd.unique(result["group"]))
        for group in names:
            if group != BACKGROUND:
                _save(draw(result, [str(group), BACKGROUND])[0].figure, out / f"{names[group]}.png")
    return result


def _ldsc(table: pd.DataFrame, out: Path, given: dict[str, Any], unknown: Unknown) -> pd.DataFrame | None:
    specific, background = table[table["group"] != BACKGROUND], table[table["group"] == BACKGROUND]
    annotations = {"panel": given["panel"], "window": given.get("window", 0), "unknown": unknown}
    write_ldsc_annot(specific, out / "input", groupby="group", background=background, **annotations)
    if "sumstats" not in given:
        return None
    from ..pl import ldsc as draw

    rest = {"unknown": unknown, **{k: v for k, v in given.items() if k != "sumstats"}}
    result = run_ldsc(specific, given["sumstats"], groupby="group", background=background, **rest)
    for trait, name in file_names(pd.unique(result["trait"])).items():
        _save(draw(result, str(trait)).figure, out / f"{name}.png")
    return result


def _save(figure: Any, path: Path) -> None:
    import matplotlib.pyplot as plt

    figure.savefig(path, dpi=150, bbox_inches="tight")
    plt.close(figure)

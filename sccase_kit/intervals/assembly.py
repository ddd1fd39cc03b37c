"""Regions on a genome: names as the genome has them, what it does not know, and what lies off its chromosomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from .._left_out import say_left_out
from .._logging import logger, warn
from .._validate import check_choice
from .chromosomes import PLINK, assemblies_of, chromosome_key, is_numbered, species_prefixes, translate
from .columns import check_chrom_style

_SHOWN = 5
_OVERHANG = 1000  # bases over the end of a chromosome that a program that calls peaks may add
_HANGING = 0.01  # share of the rows, above which they are those of another build


def example(frame: pd.DataFrame, bad: np.ndarray) -> str:
    """Return how many rows are meant, and the first of them."""
    row = frame[bad].iloc[0]
    return f"{int(bad.sum())} of {len(bad)} rows, first: {row['chrom']}:{row['start']}-{row['end']}"


def in_names_of(frame: pd.DataFrame, known: Iterable[str], *, name: str, where: str) -> pd.DataFrame:
    """Return a table whose column chrom is written as `known` writes it.

    Chromosomes that `known` does not have are written in its style (with or without ``chr``); other sequences stay.

    Parameters
    ----------
    frame
        Table with a column chrom.
    known
        Names as they should be.
    name, where
        What both are called in the log.

    Raises
    ------
    ValueError
        If the table itself mixes names with and without ``chr``.
    """
    known = list(known)
    names = frame["chrom"].unique()
    check_chrom_style(names, name=name)
    renamed = translate(names, known)
    rest = [n for n in names if n not in renamed and n not in set(known)]
    if any(is_numbered(chromosome_key(n)) for n in known):
        styled = in_style_of(pd.DataFrame({"chrom": rest}), known)["chrom"] if rest else []
        renamed |= {
            old: new for old, new in zip(rest, styled, strict=True) if old != new and new not in renamed.values()
        }
    if not renamed:
        return frame
    shown = dict(list(renamed.items())[:_SHOWN])
    logger.info("%s: %d chromosome names are read as those of %s: %s", name, len(renamed), where, shown)
    chrom = frame["chrom"].astype(object)
    return frame.assign(chrom=chrom.map(renamed).where(chrom.isin(renamed), chrom).to_numpy(object))


def in_style_of(frame: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Return a table with ``chr`` before its chromosomes or not, as most of `names` have it; scaffolds stay."""
    numbered = [name for name in names if is_numbered(chromosome_key(name))]
    prefixed = 2 * sum(name.startswith("chr") for name in numbered) > len(numbered)

    def styled(name: str) -> str:
        key = chromosome_key(name)
        if not is_numbered(key):
            return name
        return f"chr{key}" if prefixed else ("MT" if key == "M" else key)

    return frame.assign(chrom=frame["chrom"].map(styled).to_numpy(object))


def check_one_genome(names: Iterable[str], *, genome: str | None, name: str) -> None:
    """Raise ValueError if names of chromosomes say that they belong to several genomes, or to another than `genome`."""
    names = list(names)
    prefixes = species_prefixes(names)
    if len(prefixes) > 1:
        msg = f"{name} mixes regions of several genomes ({', '.join(sorted(prefixes))}); keep those of one"
        raise ValueError(msg)
    assemblies = assemblies_of(names)
    if len(assemblies) > 1 or (genome is not None and assemblies - {genome}):
        msg = f"{name} has accessions of {' and '.join(sorted(assemblies))}"
        msg += (
            f", but genome={genome!r}" if genome is not None and assemblies - {genome} else "; keep those of one genome"
        )
        raise ValueError(msg + ". Lift the regions over first (sccase_kit.regions.liftover).")


def split_unknown(frame: pd.DataFrame, known: Iterable[str], *, unknown: str, name: str, where: str) -> np.ndarray:
    """Return which rows lie on known sequences; the others are an error, or left out with a counted warning.

    Parameters
    ----------
    frame
        Table with a column chrom, in the names of `known`.
    known
        The sequences that the other side has.
    unknown
        ``"drop"``: leave out, with a warning; ``"error"`` or ``"raise"``: a ValueError; ``"keep"``: all stay.
    name, where
        What both are called in messages.

    Raises
    ------
    ValueError
        If no row at all is known, or some are not and `unknown` asks for an error.
    """
    absent = ~frame["chrom"].isin(set(known)).to_numpy(bool)
    if not absent.any():
        return ~absent
    names = list(frame.loc[absent, "chrom"].unique())
    if unknown in ("raise", "error") or absent.all():
        msg = f"{name}: {int(absent.sum())} of {len(absent)} rows lie on sequences that are not among {where}: "
        msg += f"{names[:_SHOWN]}. Drop them (unknown='drop') or pass the chromosome sizes they belong to."
        raise ValueError(msg)
    if unknown == "drop":
        why = f"lie on sequences that are not among {where}"
        say_left_out("rows", int(absent.sum()), len(absent), why=why, examples=names, source=name)
        return ~absent
    return np.ones(len(frame), dtype=bool)


def without_scaffolds(
    frame: pd.DataFrame, known: Iterable[str], *, unknown: str, name: str, where: str
) -> pd.DataFrame:
    """Return regions on sequences that are known in any spelling, or are assembled chromosomes.

    For data that hold some chromosomes only, such as panels of SNPs: that X, Y or M is not among them is said in the
    log, a scaffold that is not is left out by the rule of :func:`split_unknown`.

    Raises
    ------
    ValueError
        As :func:`split_unknown`, or if no region lies on a sequence that is known at all.
    """
    keys = {chromosome_key(n) for n in known}
    keys |= {PLINK[key] for key in keys if key in PLINK}
    own = frame["chrom"].map({c: chromosome_key(c) for c in frame["chrom"].unique()})
    assembled = own.map(is_numbered).to_numpy(bool)
    off = ~own.isin(keys).to_numpy(bool)
    if not (off & ~assembled).any():
        if off.any():
            names = list(frame.loc[off, "chrom"].unique())[:_SHOWN]
            logger.info(
                "%s: %d of %d rows lie on chromosomes not among %s: %s", name, off.sum(), len(off), where, names
            )
        return frame
    allowed = set(frame.loc[~off | assembled, "chrom"])
    return frame[split_unknown(frame, allowed, unknown=unknown, name=name, where=where)]


def check_unknown(unknown: str) -> None:
    """Raise ValueError unless `unknown` is ``"drop"`` or ``"error"``."""
    check_choice(unknown, ["drop", "error"], name="unknown")


def on_genome(
    frame: pd.DataFrame, sizes: Mapping[str, int], *, genome: str | None, unknown: str, name: str
) -> pd.DataFrame:
    """Return regions in the names of a genome, without those on sequences it does not have.

    Programs that call peaks make some reach a few bases over the end of a chromosome. Where these are few, they are cut
    there, with a warning.

    Raises
    ------
    ValueError
        If no row is on a known sequence, some are not and `unknown` asks for an error, or regions reach beyond the
        ends.
    """
    where = f"the chromosomes of {genome}" if genome else "chrom_sizes"
    frame = in_names_of(frame, sizes, name=name, where=where)
    keep = split_unknown(frame, sizes, unknown=unknown, name=name, where=where)
    length = frame["chrom"].map(dict(sizes))
    beyond = (frame["end"] > length).to_numpy(bool) & length.notna().to_numpy(bool)
    if beyond.any() and _hang_over(frame, beyond, length):
        warn(f"{name}: {example(frame, beyond)} reach over the end of a chromosome ({where}) and are cut there")
        frame = frame.assign(end=np.where(beyond, length, frame["end"]).astype(np.int64))
    elif beyond.any():
        msg = (
            f"{name}: rows reach beyond {where} ({example(frame, beyond)}, "
            f"length {int(length[beyond].iloc[0])}): {_reason(frame, beyond, genome)}"
        )
        raise ValueError(msg)
    return frame[keep]


def _hang_over(frame: pd.DataFrame, beyond: np.ndarray, length: pd.Series) -> bool:
    """Return whether few rows reach a little over the end of a chromosome, rather than belong to another build."""
    if beyond.sum() > _HANGING * len(frame) or any(chromosome_key(c) == "M" for c in frame["chrom"][beyond]):
        return False
    over = frame[beyond]
    inside = over["start"] < length[beyond]
    return bool((inside & (over["end"] - length[beyond] <= _OVERHANG)).all())


def _reason(frame: pd.DataFrame, beyond: np.ndarray, genome: str | None) -> str:
    """Return what may be wrong with regions off the chromosomes."""
    mitochondrial = np.array([chromosome_key(c) == "M" for c in frame["chrom"]], dtype=bool)
    if not (beyond & ~mitochondrial).any():
        return (
            "chrM is a circle, and of another length in other builds (hg19 of UCSC: 16571, GRCh37 and hg38: 16569); "
            "cut the regions at its end, or leave them out"
        )
    from .genomes import fitting_genomes  # noqa: PLC0415  (genomes.py checks its tables by frame.py, which uses this)

    fits = [g for g in fitting_genomes(frame[~mitochondrial]) if g != genome]
    who = "Those of other chromosomes than chrM" if (beyond & mitochondrial).any() else "They"
    return "wrong or mixed genome build?" + (f" {who} would fit {' and '.join(fits)}." if fits else "")

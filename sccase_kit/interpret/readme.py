"""The README of a folder of interpretations."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from .._atomic import replacing
from .._version import __version__
from ..great.passing import kind_of
from .steps import RECORD, TABLE

_TITLE = "# What the peaks mean"
_FILES = {
    "peaks": (
        "Peaks",
        {
            "result.tsv": "specific peaks of every group by rank, and the background peaks as one more group",
            "groups.tsv": "every group: its cells, its peaks, how many are significant, why they are few, and its file",
            "*.bed": "the same peaks, one file per group",
            "lifted.tsv": "the peaks on the genome of the files below",
            "lost.tsv": "peaks that could not be lifted over, with the reason",
        },
    ),
    "great": (
        "GREAT: functions of the genes near the peaks",
        {
            "input": "BED files for http://great.stanford.edu (assembly {genome}, the whole genome as background)",
            "result.tsv": "all terms × groups in the server's columns, computed offline",
            "great.png": "the top terms of the groups that have one, like ones once; dots are terms that pass: {rule}",
        },
    ),
    "snpsea": (
        "SNPsea: tissues in which the genes at the SNPs in the peaks are specific",
        {
            "input": "SNPs inside the peaks, for the program snpsea",
            "result.tsv": "p-value of every tissue and group",
            "*.png": "tissues of a group next to the background; the solid line is Bonferroni's threshold",
        },
    ),
    "ldsc": (
        "LDSC: heritability of traits in the peaks",
        {
            "input": "annotations per chromosome, the .ldcts list and run_ldsc.sh for the program ldsc",
            "result.tsv": "share, enrichment and coefficient of every trait and group",
            "*.png": "enrichment ± standard error of the groups, the background in grey",
        },
    ),
    "motifs": (
        "Motifs that deviate in the groups",
        {
            "result.tsv": "every motif and group against all other cells, with the gene of the factor that fits best",
            "genes.tsv": "correlation of every motif with the activity of its factors' genes; rank 1 leads its family",
            "motifs.png": "deviations of the most variable motifs in the cells",
        },
    ),
    "traits": (
        "Traits: groups in which fine-mapped variants act",
        {
            "result.tsv": "score (1 is chance) and p-value of every trait and group",
            "traits.tsv": "every trait: peaks with a variant, seeds",
            "traits.png": "the scores; a star is an adjusted p of at most 0.05",
        },
    ),
}
#: What a step needs that was not given, in the order of the page.
_ADDED_BY = {
    "motifs": "Motifs: give the sequence of the genome (a FASTA file, or the sequences of the peaks); --fasta",
    "great": "Functions of nearby genes: give gene sets; --gene-sets",
    "traits": "Traits: give fine-mapped variants; --variants",
}


def check_readme(folder: Path) -> None:
    """Raise FileExistsError if the folder holds a README.md that is not of an interpretation; nothing is made."""
    file = folder / "README.md"
    if not file.exists() or any(folder.glob(f"*/{RECORD}")):
        return
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            ours = lines.readline().strip() == _TITLE
    except OSError:  # a folder, or not to be read
        ours = False
    if not ours:
        msg = f"{str(folder)!r} holds another 'README.md', which would be replaced: choose another folder"
        raise FileExistsError(msg)


def readme(folder: Path, *, groupby: str, genome: str, data_genome: str, n_top: int, lifted: bool) -> None:
    """Write README.md: what was done and what each file is."""
    where = f" Those of SNPsea and LDSC were lifted over to {data_genome}." if lifted else ""
    lines = [
        f"{_TITLE}\n",
        f"Specific (marker) peaks of the groups in `{groupby}` on genome {genome}, at most {n_top:,} each, and as many",
        "background peaks, which are tested like one more group; what the peaks mean is in the folders below.",
        f"`peaks/groups.tsv` says how many every group has, and why they are few where they are.{where}",
        f"Written by sccase_kit {__version__}.\n",
        "Beside every `result.tsv`, `attributes.json` holds its parameters. `call.json` holds the call that made this",
        "folder, and `step.json` what a step was made from: called again, a step from the same input is kept.\n",
    ]
    words = {"genome": genome, "rule": _rule(folder)}
    for step, (title, files) in _FILES.items():
        if not (folder / step).is_dir():
            continue
        lines += [f"## {title}\n", "| file | what it is |", "|---|---|"]
        for name, meaning in files.items():
            if any((folder / step).glob(name)):
                lines.append(f"| `{step}/{name}` | {meaning.format_map(words)} |")
        lines.append("")
    if missing := [what for step, what in _ADDED_BY.items() if not _has_result(folder / step)]:
        lines += ["## Not looked at\n", "".join(f"- {text}\n" for text in missing)]
    with replacing(folder / "README.md") as temporary:
        temporary.write_text("\n".join(lines), encoding="utf-8")


def _rule(folder: Path) -> str:
    """Return by which rule terms pass in the table of GREAT, if there is one."""
    if not _has_result(folder / "great"):
        return ""
    kind = kind_of(pd.read_csv(folder / "great" / TABLE, sep="\t", nrows=0))
    return "" if kind is None else kind.rule


def _has_result(step: Path) -> bool:
    return (step / TABLE).is_file()

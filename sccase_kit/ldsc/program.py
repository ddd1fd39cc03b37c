"""LD score regression by the program ``ldsc.py`` on written files."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from .._atomic import file_names
from .._logging import logger
from .._optional import require_program
from .._progress import progress
from ..snpsea.tables import read_ids
from .files import write_ldsc_annot
from .tables import chromosomes_of

_HINT = "Install ldsc 1.0.1 (https://github.com/bulik/ldsc, Python 2.7), or use engine='python'."


def run_ldsc(arguments: list[str]) -> None:
    """Run ``ldsc.py`` with arguments.

    Parameters
    ----------
    arguments
        As on the command line.

    Raises
    ------
    MissingProgramError
        If the program is not on the PATH.
    RuntimeError
        If it fails; the message holds the end of what it printed.
    """
    command = [require_program("ldsc.py", hint=_HINT), *arguments]
    logger.info("running %s", shlex.join(command))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        msg = f"ldsc.py ended with code {done.returncode}: {(done.stdout + done.stderr)[-600:].strip()}"
        raise RuntimeError(msg)


def results_with_program(
    sets: Mapping[str, pd.DataFrame],
    sumstats: Mapping[str, object],
    *,
    panel: str | os.PathLike[str],
    baseline: str | os.PathLike[str] | None,
    weights: str | os.PathLike[str] | None,
    frequencies: str | os.PathLike[str] | None,
    snps: object,
) -> pd.DataFrame:
    """Write annotations, run ``ldsc.py --l2`` and ``--h2`` for every set and trait, and join the ``.results``."""
    require_program("ldsc.py", hint=_HINT)
    for name, value in (("baseline", baseline), ("weights", weights), ("frequencies", frequencies), ("snps", snps)):
        if value is None:
            msg = f"engine='ldsc' needs {name}="
            raise ValueError(msg)
    for trait, value in sumstats.items():
        if not isinstance(value, (str, os.PathLike)):
            msg = f"engine='ldsc' reads sumstats[{trait!r}] from a file, got {type(value).__name__}"
            raise TypeError(msg)
    rows = []
    with tempfile.TemporaryDirectory(prefix="sccase_kit_") as folder:
        listed = Path(folder) / "snps.txt"
        listed.write_text("\n".join(read_ids(snps, name="snps")) + "\n", encoding="utf-8")
        table = pd.concat([part.assign(_group=name) for name, part in sets.items()], ignore_index=True)
        target = Path(folder) / "annotations"
        write_ldsc_annot(table, target, panel=panel, groupby="_group")
        pairs = [(name, chrom) for name in sets for chrom in chromosomes_of(panel, (".bim",))]
        names, traits = file_names(sets), file_names(sumstats)
        for name, chrom in progress(pairs, desc="ldsc.py --l2"):
            prefix = f"{target / names[name]}.{chrom}"
            panel_files = ["--bfile", f"{panel}{chrom}", "--ld-wind-cm", "1"]
            thin = ["--annot", f"{prefix}.annot.gz", "--thin-annot", "--print-snps", str(listed), "--out", prefix]
            run_ldsc(["--l2", *panel_files, *thin])
        for trait, file in sumstats.items():
            for name in progress(list(sets), desc=f"ldsc.py --h2 {trait}"):
                out = f"{target / names[name]}.{traits[trait]}"
                reference = ["--ref-ld-chr", f"{baseline},{target / names[name]}.", "--w-ld-chr", str(weights)]
                options = ["--overlap-annot", "--frqfile-chr", str(frequencies), "--print-coefficients", "--out", out]
                run_ldsc(["--h2", str(file), *reference, *options])
                last = pd.read_csv(f"{out}.results", sep="\t").iloc[-1].to_dict()
                rows.append({"trait": str(trait), "group": name, **last, "Category": name})
    return pd.DataFrame(rows)

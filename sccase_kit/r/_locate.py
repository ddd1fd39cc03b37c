"""Where R and the R scripts of this package are."""

from __future__ import annotations

import os
from pathlib import Path

from .._optional import require_program

INSTALL_R = (
    "Install R (Debian/Ubuntu: apt-get install r-base; conda: conda install r-base; else https://cran.r-project.org), "
    "or set R_HOME to an R that is not on the PATH."
)


def rscript() -> str:
    """Return the path of Rscript: of ``R_HOME`` if that is set, else the one on the PATH.

    Raises
    ------
    MissingProgramError
        If there is no R.
    """
    home = os.environ.get("R_HOME")
    if home:
        candidate = Path(home) / "bin" / "Rscript"
        if candidate.is_file():
            return str(candidate)
    return require_program("Rscript", hint=INSTALL_R)


def scripts_dir() -> Path:
    """Return the folder of the R scripts: inside an installed package, or ``r_scripts`` of a source checkout.

    Raises
    ------
    FileNotFoundError
        If the installation is incomplete.
    """
    here = Path(__file__).resolve().parent
    places = [here / "scripts", here.parents[1] / "r_scripts"]
    for folder in places:
        if (folder / "lib" / "child.R").is_file():
            return folder
    msg = f"the R scripts of sccase_kit are neither in {places[0]} nor in {places[1]}; reinstall the package"
    raise FileNotFoundError(msg)


def install_line(*packages: str) -> str:
    """Return the command that installs R packages with this package's installer."""
    return " ".join(["Rscript", str(scripts_dir() / "install.R"), *packages])

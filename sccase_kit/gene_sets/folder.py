"""Where gene sets that were built on this machine are kept."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "SCCASE_KIT_GENE_SETS"


def built_folder() -> Path:
    """Return the folder: the environment variable SCCASE_KIT_GENE_SETS, or one in the user's cache."""
    import pooch

    told = os.environ.get(VARIABLE)
    return Path(told).expanduser() if told else Path(pooch.os_cache("sccase_kit")) / "gene_sets"


def built_file(collection: str, species: str) -> Path:
    """Return where the gene sets of a collection and a species are, or would be."""
    return built_folder() / f"{collection}_{species}.tsv.gz"

"""What a message that speaks of Python calls means on the command line."""

from __future__ import annotations

import re

#: Part of a message → the way out in the shell; the first one found is shown.
_WAYS_OUT = {
    r"tl\.enhance\b": "sccase-kit enhance INPUT -o OUTPUT",
    r"tl\.specific_peaks\b": "sccase-kit peaks INPUT --groupby COLUMN -o INPUT",
    r"tl\.(match_motifs|chromvar|add_gc_content)\b": "sccase-kit motifs INPUT --fasta FASTA -o INPUT",
    r"pp\.filter_peaks\b": "sccase-kit enhance INPUT -o OUTPUT drops them, see --min-fraction",
    r"groupby='louvain' is not in": "sccase-kit cluster INPUT -o INPUT writes it; --groupby names another",
    r"give chain=": "--chain FILE; or --data-genome GENOME",
    r"r-bioc-org\.hs\.eg\.db.* path=": "--gene-sets FILE.gmt needs no database",
    r"pass format=": "the first line tells the format: 'MEME version', '>' of JASPAR, 'AC' or 'ID' of TRANSFAC",
}


def shell_way_out(message: str) -> str:
    """Return the command or option that a message written for Python asks for, or an empty text."""
    return next((way for pattern, way in _WAYS_OUT.items() if re.search(pattern, message)), "")

"""The remedies of errors in the words of the command line."""

from __future__ import annotations

from .._remedy import remedy_of

#: Remedy of an error (:mod:`sccase_kit._remedy`) → the way out in the shell.
WAYS_OUT = {
    "tl.enhance": "sccase-kit enhance INPUT -o OUTPUT",
    "tl.specific_peaks": "sccase-kit peaks INPUT --groupby COLUMN -o INPUT",
    "tl.chromvar": "sccase-kit motifs INPUT --fasta FASTA -o INPUT",
    "tl.match_motifs": "sccase-kit motifs INPUT --fasta FASTA -o INPUT",
    "tl.add_gc_content": "sccase-kit motifs INPUT --fasta FASTA -o INPUT",
    "tl.cluster": "sccase-kit cluster INPUT -o INPUT writes it; --groupby names another",
    "pp.filter_peaks": "sccase-kit enhance INPUT -o OUTPUT drops them, see --min-fraction",
    "chain": "--chain FILE; or --data-genome GENOME",
    "gene_sets": "--gene-sets FILE.gmt needs no database",
    "format": "the first line tells the format: 'MEME version', '>' of JASPAR, 'AC' or 'ID' of TRANSFAC",
}


def shell_way_out(error: BaseException) -> str:
    """Return the command or option that mends an error, or an empty text."""
    return WAYS_OUT.get(remedy_of(error), "")

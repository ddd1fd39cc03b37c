"""Find motifs in the peaks (as motifmatchr) and how far each cell's accessibility of them deviates (as chromVAR).

Motifs that were matched before (varm["motifs"]) are used again unless --fasta or --sites is given: sites of factors
that others found (ChIP-seq peaks, matches of motifs) need no sequence of the genome. Without --output a table is
printed: the variability of every motif, or with --groupby its deviation in each group against all other cells.
--genome also says which member of a family of factors fits: the activity of its gene follows the motif.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .files import (
    add_input,
    add_layer,
    add_output,
    add_seed,
    add_unknown,
    check_data_or_table,
    finish,
    holds_data,
    read_input,
)

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

#: Correlation of a motif with the activity of its factor's gene that counts as a fit (ArchR's positive regulators).
_FITS = 0.5

HELP = "motifs and their deviations in the cells (chromVAR)"
EXAMPLE = """example:
  sccase-kit motifs enhanced.h5ad --fasta hg38.fa --groupby cell_type -o enhanced.h5ad
  sccase-kit motifs enhanced.h5ad --fasta peaks.fa --motifs motifs.meme | head
  sccase-kit motifs enhanced.h5ad --sites chip_peaks/ --groupby louvain -o enhanced.h5ad
  sccase-kit motifs enhanced.h5ad --fasta hg38.fa --groupby louvain --genome hg38 -o enhanced.h5ad"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_input(parser, ".h5ad or .zarr with counts, enhanced or not")
    add_output(parser)
    parser.add_argument("--fasta", help="sequences of the genome, or of the peaks under the peaks' names")
    parser.add_argument(
        "--motifs", help="file (MEME, JASPAR, HOMER ...), or JASPAR, JASPAR2024 (JASPAR); needs --fasta"
    )
    add_sites(parser)
    parser.add_argument("-g", "--groupby", help="column of obs with groups to compare")
    parser.add_argument(
        "--genome",
        help="hg19, hg38, mm9, mm10 or a GTF: also correlate every motif with the activity of its factors' genes",
    )
    parser.add_argument(
        "--source", choices=["counts", "enhanced"], default="counts", help="matrix of the deviations (counts)"
    )
    parser.add_argument(
        "--method",
        choices=["permuted", "analytic"],
        help="drawn background peaks, as chromVAR, or all draws in closed form, which is much faster (permuted; "
        "without the GC content of the peaks: analytic)",
    )
    add_layer(parser)
    add_unknown(parser)
    add_seed(parser, "seed of the background peaks (0)")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read, match the motifs, compute deviations, write."""
    import sccase_kit as sk

    from .._logging import warn
    from .._record import record
    from .._validate import check_labels

    check_sites(args)
    if args.motifs and not args.fasta:
        msg = "--motifs needs --fasta: the sequences in which they are looked for"
        raise ValueError(msg)
    target = check_data_or_table(args.output)
    adata = read_input(args)
    if args.groupby:
        check_labels(adata, args.groupby, min_groups=2)
    sequences = sequence_options(adata, Path(args.fasta)) if args.fasta else {}
    if args.sites or args.fasta:
        adata.varm.pop("motifs", None)  # of --fasta or --sites, whichever was given before
        adata.uns.pop("motifs", None)
    if args.sites:
        sk.tl.match_sites(adata, args.sites)
    if args.sites and args.fasta:
        sk.tl.add_gc_content(adata, unknown=args.unknown, **sequences)
    elif args.fasta:
        sk.tl.match_motifs(adata, args.motifs or "JASPAR", unknown=args.unknown, **sequences)
    elif "motifs" not in adata.varm:
        msg = "--fasta or --sites is needed: no motifs were matched before (varm['motifs'] is missing)"
        raise ValueError(msg)
    by_reads = "gc" not in adata.var and args.method != "permuted"
    if by_reads:
        warn(
            "the GC content of the peaks is not known: background peaks are matched by reads alone (--fasta tells the "
            "GC content)"
        )
    method: Any = args.method or ("analytic" if by_reads else "permuted")
    bias = None if by_reads else "gc"
    sk.tl.chromvar(adata, "motifs", source=args.source, method=method, bias=bias, layer=args.layer, rng=args.seed)
    table = adata.uns["chromvar"]["variability"].sort_values("variability", ascending=False, kind="stable")
    table = table.rename_axis("motif").reset_index()
    result: dict[str, Any] = {
        "motifs": len(table),
        "variable motifs (FDR 0.05)": int((table["p_value_adj"] <= 0.05).sum()),
    }
    stored = ["obsm['chromvar_deviations']", "obsm['chromvar_z']", "uns['chromvar']"]
    if args.groupby:
        table = sk.tl.differential_deviations(adata, args.groupby).rename(columns={"set": "motif"})
        record(adata, "chromvar_groups", "tl.differential_deviations", params={"groupby": args.groupby}, table=table)
        stored.append("uns['chromvar_groups']")
    if args.genome:
        fits = _factors(adata, args.genome)
        result["factors that fit"] = int((fits.drop_duplicates("set")["correlation"] >= _FITS).sum())
        stored.append("uns['motif_genes']")
        best = fits.drop_duplicates("set").rename(columns={"set": "motif", "correlation": "gene_correlation"})
        columns = ["motif", "gene", "gene_correlation", "family", "rank_in_family"]
        table = table.merge(best[columns], on="motif", how="left")
    if holds_data(target):
        result["stored in"] = ", ".join(stored)
    return finish(result, target, adata, table)


def add_sites(parser: Any) -> None:
    """Add the option for sites of factors that others found."""
    parser.add_argument(
        "--sites",
        metavar="PATH",
        help="instead of motifs in a sequence, sites of factors on the genome of the peaks: a folder with a BED file "
        "per factor (GATA1.narrowPeak.gz), or one BED file with the factor in the fourth column",
    )


def check_sites(args: argparse.Namespace) -> None:
    """Raise ValueError where motifs are to be looked for and sites are given."""
    if args.sites and args.motifs:
        msg = "--motifs are looked for in a sequence, and --sites are given as they are; leave one of them out"
        raise ValueError(msg)


def _factors(adata: AnnData, genome: str) -> pd.DataFrame:
    """Compute gene activities where there are none, correlate the motifs with them, and store the table."""
    import sccase_kit as sk

    from .._record import record, recorded

    made = recorded(adata.uns.get("gene_activity"), "tl.gene_activity")
    if made is None or made.params.get("genome") != genome:
        sk.tl.gene_activity(adata, genome)
    fits = sk.tl.motif_genes(adata)
    record(adata, "motif_genes", "tl.motif_genes", params={"genes": "gene_activity"}, table=fits)
    return fits


def sequence_options(adata: AnnData, path: Path) -> dict[str, Any]:
    """Return the argument of :func:`sccase_kit.tl.match_motifs` that a FASTA file is given as."""
    sequences = peak_sequences(adata, path)
    return {"genome_fasta": str(path)} if sequences is None else {"sequences": sequences}


def peak_sequences(adata: AnnData, path: Path) -> dict[str, str] | None:
    """Return peak → DNA if the FASTA file holds the peaks themselves, None if it holds other sequences.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not FASTA.
    """
    from .._text_files import open_text

    if not path.is_file():
        msg = f"no such file: {str(path)!r}"
        raise FileNotFoundError(msg)
    with open_text(path) as lines:
        first = next((line for line in lines if line.strip()), "")
        if not first.startswith(">"):
            msg = f"{path}: a FASTA file starts with '>', found {first[:40]!r}"
            raise ValueError(msg)
        if _name(first) not in set(adata.var_names):
            return None
        parts: dict[str, list[str]] = {_name(first): []}
        current = parts[_name(first)]
        for line in lines:
            if line.startswith(">"):
                current = parts.setdefault(_name(line), [])
            else:
                current.append(line.strip())
    return {name: "".join(pieces) for name, pieces in parts.items()}


def _name(header: str) -> str:
    return (header[1:].split() or [""])[0]

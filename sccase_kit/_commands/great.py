"""Find the functions of the genes near the specific peaks of every group, as the GREAT server does, offline.

The input is an .h5ad with specific peaks (see `sccase-kit peaks`), or regions: a BED file, a table with the header
chrom, start, end (and group), or - for either on standard input. Without --output the terms that pass --max-fdr in the
binomial and the hypergeometric test (as in the server's default view) are printed; files get all terms.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .files import add_input, add_output, add_unknown, check_data_or_table, finish, one_or_all, read_input

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

HELP = "functions of the genes near peaks (GREAT)"
EXAMPLE = """example:
  sccase-kit great enhanced.h5ad --genome hg38 --gene-sets c5.gmt -o enhanced.h5ad
  sccase-kit peaks enhanced.h5ad -n 500 | sccase-kit great - --genome hg38 --gene-sets GO:BP"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_input(parser, ".h5ad or .zarr with specific peaks, BED, table, or - for standard input")
    add_output(parser)
    parser.add_argument("--genome", required=True, help="hg19, hg38, mm9 or mm10")
    parser.add_argument(
        "--gene-sets",
        required=True,
        nargs="+",
        metavar="SETS",
        help="GMT files and names: GO, GO:BP, GO:MF, GO:CC (sccase-kit gene-sets list shows what there is)",
    )
    parser.add_argument(
        "--groupby", help="column with the groups (group, where there is one); name is column 4 of a BED file"
    )
    parser.add_argument("--background", help="regions that hold all peaks; 'peaks' takes all peaks of the input data")
    parser.add_argument("--tss", help="table of genes in place of the genome's (chrom, tss, strand, gene_id, symbol)")
    parser.add_argument("--min-genes", type=int, default=1, help="leave out terms with fewer genes (1)")
    parser.add_argument("--max-genes", type=int, help="leave out terms with more genes")
    parser.add_argument("--force", action="store_true", help="go on if less than a fifth of the genes is known")
    add_unknown(parser)
    parser.add_argument("--max-fdr", type=float, default=0.05, help="largest FDR of the terms printed (0.05)")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read the peaks, test the gene sets, write."""
    from anndata import AnnData

    import sccase_kit as sk

    from .._validate import check_number

    target = check_data_or_table(args.output)
    check_number(args.max_fdr, name="--max-fdr", minimum=0, maximum=1)
    source = _read(args)
    adata = source if isinstance(source, AnnData) else None
    background = args.background
    if background == "peaks":
        if adata is None:
            msg = "--background peaks needs an .h5ad or .zarr as input; name a BED file instead"
            raise ValueError(msg)
        background = adata
    table: Any = sk.tl.great(
        source,
        args.genome,
        one_or_all(args.gene_sets),
        groupby=args.groupby,
        background=background,
        tss=args.tss,
        min_genes=args.min_genes,
        max_genes=args.max_genes,
        force=args.force,
        unknown=args.unknown,
    )
    fdr = table[[c for c in ("Binom_Adjp_BH", "Hyper_Adjp_BH") if c in table.columns]].max(axis=1)
    result = {
        "terms tested": int(table["ID"].nunique()),
        f"terms with FDR <= {args.max_fdr:g}": int(table.loc[fdr <= args.max_fdr, "ID"].nunique()),
    }
    shown = table[fdr <= args.max_fdr].drop(columns="Regions", errors="ignore") if target is None else table
    return finish(result, target, adata, shown.reset_index(drop=True))


def _read(args: argparse.Namespace) -> AnnData | pd.DataFrame:
    path: str = args.input
    if path == "-":
        with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as copy:
            copy.write(sys.stdin.read())
            copy.flush()
            return _read_regions(Path(copy.name), shown="standard input")
    if Path(path).suffix.lower() in {".h5ad", ".zarr", ".h5mu"}:
        return read_input(args)
    if args.modality:
        msg = f"--modality is of MuData (.h5mu, .zarr), and {path!r} holds regions"
        raise ValueError(msg)
    return _read_regions(Path(path), shown=path)


def _read_regions(path: Path, *, shown: str) -> pd.DataFrame:
    """Read a BED file, or a table with a header that names chromosome, start and end."""
    import sccase_kit as sk

    if not path.is_file():
        msg = f"no such file: {shown!r}"
        raise FileNotFoundError(msg)
    try:
        table = sk.regions.read_bed(path)
    except ValueError as err:
        raise ValueError(str(err).replace(str(path), shown)) from None
    if table.empty:
        msg = f"{shown}: there is not a single region"
        raise ValueError(msg)
    return table

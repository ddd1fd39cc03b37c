"""scBasset (Yuan & Kelley 2022), as in scvi-tools: a sequence model of every cell's accessibility (its logits)."""
# packages: scvi-tools>=1.1 pyfaidx anndata
# needs: the genome as FASTA, named by SCCASE_KIT_GENOME; a GPU for anything but small data

from __future__ import annotations

import argparse
import os

import anndata as ad
import numpy as np
from scipy import sparse

WINDOW = 1344
CODES = {"A": 0, "C": 1, "G": 2, "T": 3}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--n-components", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    genome = os.environ.get("SCCASE_KIT_GENOME")
    if not genome:
        parser.error("scBasset needs the genome's sequence: set SCCASE_KIT_GENOME to a FASTA file")
    import scvi
    import torch
    from pyfaidx import Fasta

    scvi.settings.seed = args.seed
    adata = ad.read_h5ad(args.input)
    fasta = Fasta(genome, sequence_always_upper=True)
    centre = (adata.var["start"].to_numpy() + adata.var["end"].to_numpy()) // 2
    codes = np.empty((adata.n_vars, WINDOW), dtype=np.int8)
    rng = np.random.default_rng(args.seed)
    for i, (chrom, middle) in enumerate(zip(adata.var["chrom"], centre, strict=True)):
        text = str(fasta[chrom][max(0, middle - WINDOW // 2) : middle + WINDOW // 2]).ljust(WINDOW, "N")
        codes[i] = [CODES.get(base, rng.integers(4)) for base in text]
    peaks = ad.AnnData(sparse.csr_matrix((adata.X > 0).T.astype(np.float32)))
    peaks.obsm["dna_code"] = codes
    scvi.external.SCBASSET.setup_anndata(peaks, dna_code_key="dna_code")
    model = scvi.external.SCBASSET(peaks)
    model.train()
    with torch.inference_mode():
        device = next(model.module.parameters()).device
        model.module.eval()
        parts = [
            model.module._get_accessibility(torch.as_tensor(codes[i : i + 256], dtype=torch.long, device=device)).cpu()
            for i in range(0, len(codes), 256)
        ]
        logits = torch.cat(parts).numpy().T
    out = ad.AnnData(logits.astype(np.float32))
    out.obs_names, out.var_names = adata.obs_names, adata.var_names
    out.write_h5ad(args.output)


if __name__ == "__main__":
    main()

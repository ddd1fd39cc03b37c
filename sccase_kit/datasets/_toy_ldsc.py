"""A small reference panel and GWAS summary statistics for the toy study."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import scipy

from .._arguments import checked
from .._atomic import replacing
from .._rng import check_rng
from .._validate import check_int, check_number
from ._files import write_table, write_text
from ._toy import ToyStudy

_LD_DECAY = 25_000
_ALLELES = np.array([["A", "C"], ["A", "G"], ["T", "C"], ["T", "G"]])
_BED_MAGIC = bytes([0x6C, 0x1B, 0x01])


@dataclass(frozen=True, slots=True)
class ToyLdsc:
    """Files for LD score regression on the toy study.

    Attributes
    ----------
    panel
        Prefix of the PLINK files, to be followed by the chromosome number: .bed, .bim, .fam, .frq.
    base
        Prefix of thin annotations that hold every SNP (one column, "base"): ``{base}1.annot.gz`` …
    chromosomes
        Chromosome numbers as in the .bim, "1" to "22".
    snps
        The regression SNPs, one a line.
    merge_alleles
        SNP, A1, A2, as munging expects them.
    gwas
        Trait → raw summary statistics (SNP, A1, A2, N, P, BETA, INFO, MAF).
    sumstats
        Trait → munged summary statistics (SNP, A1, A2, N, Z).
    cell_type
        Trait → the type whose specific peaks hold most of its heritability.
    """

    panel: str
    base: str
    chromosomes: list[str]
    snps: Path
    merge_alleles: Path
    gwas: dict[str, Path]
    sumstats: dict[str, Path]
    cell_type: dict[str, str]


@checked()
def toy_ldsc(
    study: ToyStudy,
    folder: str | Path,
    *,
    n_individuals: int = 300,
    n_samples: int = 10_000,
    h2: float = 0.4,
    share: float = 0.6,
    rng: int | np.random.Generator | None = 0,
) -> ToyLdsc:
    r"""Write a PLINK panel of the study's SNPs and summary statistics of one trait per cell type.

    Haplotypes follow a Gaussian copula whose correlation decays with distance inside an LD block and is none between
    blocks. For each trait, `share` of the heritability `h2` is spread evenly over the SNPs in the specific peaks of its
    type, the rest over all other SNPs. Test statistics are drawn as
    :math:`z \sim N(\sqrt{N} R \beta, R)` with the LD matrix R of the panel, block by block.

    Parameters
    ----------
    study
        From :func:`toy_study`. SNPs on chrX are left out.
    folder
        Where to write; made if absent. Files of the same names are replaced.
    n_individuals
        Size of the panel.
    n_samples
        Size of the GWAS, N.
    h2
        Heritability of every trait.
    share
        Part of the heritability inside the specific peaks of the trait's type.
    rng
        Seed or generator.

    Returns
    -------
    :class:`ToyLdsc`: where the files are.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, or no autosomal SNP lies in the specific peaks of a type.

    Examples
    --------
    >>> import tempfile
    >>> import sccase_kit as sk
    >>> study = sk.datasets.toy_study(n_cells=100, n_peaks=500, n_types=3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = sk.datasets.toy_ldsc(study, folder)
    >>> files.cell_type["trait_1"]
    'type_1'
    """
    if not isinstance(study, ToyStudy):
        msg = f"study must be a ToyStudy from sccase_kit.datasets.toy_study(), got {type(study).__name__}"
        raise TypeError(msg)
    n_individuals = check_int(n_individuals, name="n_individuals", minimum=50)
    n_samples = check_int(n_samples, name="n_samples", minimum=100)
    h2 = check_number(h2, name="h2", minimum=0, maximum=1, exclusive=True)
    share = check_number(share, name="share", minimum=0, maximum=1)
    folder = Path(folder)

    snps = study.snps[study.snps["chrom"] != "chrX"].reset_index(drop=True)
    specific_to = study.adata.var["specific_to"].reindex(snps["peak"]).fillna("").to_numpy()
    inside = {p["trait"]: specific_to == name for name, p in study.planted.items()}
    for name, p in study.planted.items():
        if not inside[p["trait"]].any():
            msg = f"no autosomal SNP lies in the specific peaks of {name!r}; use a study with more peaks"
            raise ValueError(msg)

    panel_rng, trait_rng = check_rng(rng).spawn(2)
    dosage = _genotypes(snps, n_individuals, rng=panel_rng)
    frequency = dosage.mean(axis=0) / 2
    alleles = _ALLELES[panel_rng.integers(0, len(_ALLELES), len(snps))]
    scaled = ((dosage - 2 * frequency) / dosage.std(axis=0)).astype(np.float32)
    z = {
        trait: _test_statistics(scaled, snps, where, n_samples, h2, share, rng=trait_rng)
        for trait, where in inside.items()
    }

    folder.mkdir(parents=True, exist_ok=True)
    number = snps["chrom"].str.removeprefix("chr").to_numpy()
    chromosomes = list(dict.fromkeys(number))
    table = pd.DataFrame({"SNP": snps["snp"], "A1": alleles[:, 0], "A2": alleles[:, 1]})
    for c in chromosomes:
        on = number == c
        _write_plink(folder / f"panel.{c}", c, snps[on], table[on], dosage[:, on], frequency[on])
        write_table(folder / f"base.{c}.annot.gz", pd.DataFrame({"base": np.ones(on.sum(), dtype=int)}))
    write_text(folder / "regression.snp", "".join(f"{s}\n" for s in snps["snp"]))
    write_table(folder / "merge_alleles.snplist", table)
    gwas, sumstats = {}, {}
    for trait, values in z.items():
        gwas[trait] = folder / f"{trait}.gwas.txt.gz"
        sumstats[trait] = folder / f"{trait}.sumstats.gz"
        p = np.maximum(2 * scipy.stats.norm.sf(np.abs(values)), 1e-300)
        raw = table.assign(
            N=n_samples,
            P=[f"{x:.6g}" for x in p],
            BETA=[f"{x:.6g}" for x in values / np.sqrt(n_samples)],
            INFO=0.98,
            MAF=[f"{x:.4f}" for x in frequency],
        )
        write_table(gwas[trait], raw)
        munged = table.assign(N=f"{n_samples:.3f}", Z=[f"{x:.3f}" for x in values])
        write_table(sumstats[trait], munged)
    return ToyLdsc(
        panel=str(folder / "panel."),
        base=str(folder / "base."),
        chromosomes=chromosomes,
        snps=folder / "regression.snp",
        merge_alleles=folder / "merge_alleles.snplist",
        gwas=gwas,
        sumstats=sumstats,
        cell_type={p["trait"]: name for name, p in study.planted.items()},
    )


def _block_starts(snps: pd.DataFrame) -> np.ndarray:
    """Return True at the first SNP of every LD block."""
    return ~snps.duplicated(["chrom", "ld_start"]).to_numpy()


def _genotypes(snps: pd.DataFrame, n_individuals: int, *, rng: np.random.Generator) -> np.ndarray:
    """Draw dosages of the minor allele, int8 of shape (n_individuals, n_snps)."""
    n_haplotypes = 2 * n_individuals
    decay = np.exp(-np.diff(snps["pos"].to_numpy(), prepend=0).clip(0) / _LD_DECAY)
    decay[_block_starts(snps)] = 0.0
    n_minor = np.round(rng.uniform(0.06, 0.5, len(snps)) * n_haplotypes).astype(int)
    haplotypes = np.zeros((len(snps), n_haplotypes), dtype=np.int8)
    latent = np.zeros(n_haplotypes)
    for i, (rho, n) in enumerate(zip(decay, n_minor, strict=True)):
        latent = rho * latent + np.sqrt(1 - rho**2) * rng.standard_normal(n_haplotypes)
        haplotypes[i, np.argpartition(latent, n_haplotypes - n)[n_haplotypes - n :]] = 1
    return np.ascontiguousarray((haplotypes[:, :n_individuals] + haplotypes[:, n_individuals:]).T)


def _test_statistics(
    genotypes: np.ndarray,
    snps: pd.DataFrame,
    inside: np.ndarray,
    n_samples: int,
    h2: float,
    share: float,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw z-scores of one trait, shape (n_snps,), from standardised genotypes (n_individuals, n_snps)."""
    n_inside = int(inside.sum())
    variance = np.where(inside, share * h2 / n_inside, (1 - share) * h2 / max(1, len(inside) - n_inside))
    effect = (np.sqrt(variance) * rng.standard_normal(len(inside))).astype(np.float32)
    n = len(genotypes)
    first = np.append(np.flatnonzero(_block_starts(snps)), len(inside))
    # by block: z = G' y / sqrt(n) with y = sqrt(N / n) G beta + e has mean sqrt(N) R beta and covariance R
    genetic = np.add.reduceat(genotypes * effect, first[:-1], axis=1)
    y = np.sqrt(n_samples / n) * genetic + rng.standard_normal(genetic.shape)
    return np.einsum("ij,ij->j", genotypes, np.repeat(y, np.diff(first), axis=1)) / np.sqrt(n)


def _write_plink(
    prefix: Path, chromosome: str, snps: pd.DataFrame, alleles: pd.DataFrame, dosage: np.ndarray, frequency: np.ndarray
) -> None:
    """Write .bed (SNP-major), .bim, .fam and .frq of one chromosome; A1 is the minor allele."""
    n_individuals = len(dosage)
    code = np.array([3, 2, 0], dtype=np.uint8)[dosage.T]
    code = np.pad(code, ((0, 0), (0, -n_individuals % 4)))
    packed = code[:, 0::4] | code[:, 1::4] << 2 | code[:, 2::4] << 4 | code[:, 3::4] << 6
    with replacing(Path(f"{prefix}.bed")) as temporary:
        temporary.write_bytes(_BED_MAGIC + packed.tobytes())
    position = snps["pos"].to_numpy()
    bim = [
        f"{chromosome}\t{snp}\t{bp / 1e6:.6f}\t{bp}\t{a1}\t{a2}\n"
        for snp, bp, a1, a2 in zip(alleles["SNP"], position, alleles["A1"], alleles["A2"], strict=True)
    ]
    write_text(Path(f"{prefix}.bim"), "".join(bim))
    write_text(Path(f"{prefix}.fam"), "".join(f"F{i} I{i} 0 0 0 -9\n" for i in range(n_individuals)))
    frq = [" CHR           SNP   A1   A2          MAF  NCHROBS\n"]
    frq += [
        f"{chromosome:>4} {snp:>13} {a1:>4} {a2:>4} {f:>12.4g} {2 * n_individuals:>8}\n"
        for snp, a1, a2, f in zip(alleles["SNP"], alleles["A1"], alleles["A2"], frequency, strict=True)
    ]
    write_text(Path(f"{prefix}.frq"), "".join(frq))

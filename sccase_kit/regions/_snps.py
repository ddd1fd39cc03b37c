"""The readers of SNPs under their path of version 0.1; they stand in :mod:`sccase_kit.intervals.snps`."""

from ..intervals.snps import read_snps, snps_in_regions

__all__ = ["read_snps", "snps_in_regions"]

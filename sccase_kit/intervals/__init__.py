"""Genomic intervals: tables, verbs, genomes, coordinates of peaks and SNPs, liftOver."""

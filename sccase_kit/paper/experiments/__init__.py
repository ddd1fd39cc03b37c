"""The experiments of the paper: every module defines ``EXPERIMENT``."""

"""Matrices of counts in any storage: which one, row blocks, sums and the products of a fit."""

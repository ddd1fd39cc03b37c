"""Warnings of other packages that are none of a call under test."""

#: anndata 0.13 sets options that pandas 3.1 deprecates.
ANNDATA = r"The '(future\.infer_string|mode\.chained_assignment)' option is deprecated"

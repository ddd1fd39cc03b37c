"""LD score regression as in ldsc 1.0.1 (Finucane et al. 2015): scores, regression, files and the program."""

"""SNPsea 1.0.3 (Slowikowski et al. 2014): the method, its files and the program."""

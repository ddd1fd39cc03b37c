"""Nearest cells, neighbour graphs and the communities in them."""

"""Gene sets: the table of sets, and the sources it comes from."""

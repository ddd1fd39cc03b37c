"""GREAT (McLean et al. 2010): regulatory domains, both tests, and the files of the web tool."""

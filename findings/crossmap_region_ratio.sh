#!/bin/sh
# CrossMap region -r 1.0 ("minimum ratio of bases that must remap") keeps a region of which 60 of 110 bases are in no block of the chain, as map_ratio=1.0000: bases beyond the first and last block of the chain are not counted, gaps inside are.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check CrossMap==0.7.4
cd "$work"
printf 'chain 100 chr1 1000 + 0 200 chrA 500 + 50 240 1\n100\t20\t10\n80\n\n' > old_to_new.chain
printf 'chr1\t150\t260\tbeyond_the_end\nchr1\t95\t125\tgap_inside\n' > regions.bed
venv/bin/CrossMap region -r 1.0 old_to_new.chain regions.bed moved.bed 2> log
venv/bin/pip list 2> /dev/null | grep -i crossmap
echo "kept:"; cat moved.bed
echo "not kept:"; cat moved.bed.unmap
grep -q "chrA.190.240.beyond_the_end.map_ratio=1.0000" moved.bed
grep -q "gap_inside.*map_ratio=0.3333" moved.bed.unmap

import gzip

import pytest

from sccase_kit.fragments.recognise import is_fragment_file


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["chr1\t5\t9\tACGT-1\t2", "chr1\t6\t9\tcell_1\t1"], True),
        (["# id=x", "chr1\t5\t9\tACGT-1"], True),
        (["chr1\t5\t9\tsample#ACGT-1"], True),
        (["chr1\t5\t9\tpeak_1"], False),
        (["chr1\t5\t9\t3\t2"], False),
        (["chr1\t5\t9"], False),
        (["chr1\t5\tx\tACGT"], False),
        (["peak\tcell1\tcell2\tcell3", "chr1:1-2\t1\t0\t2"], False),
        (["chr1\t5\t9\tACGT\t0.5"], False),
        ([], False),
    ],
)
def test_what_is_a_file_of_fragments(tmp_path, lines, expected):
    path = tmp_path / "f.tsv.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    assert is_fragment_file(path) == expected


def test_what_cannot_be_read_is_none(tmp_path):
    (tmp_path / "f").write_bytes(gzip.compress(b"chr1\t5\t9\tACGT\t1\n" * 9999)[:15])
    assert not is_fragment_file(tmp_path / "f")
    assert not is_fragment_file(tmp_path / "nowhere")

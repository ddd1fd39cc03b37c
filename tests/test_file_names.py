"""Names of files for groups of any name."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sccase_kit._atomic import file_name, file_names


def test_usual_names_stay_and_others_are_told_apart():
    assert [file_name(n) for n in ("CD4 T", "a/b", "α-β", 7)] == ["CD4_T", "a_b", "α-β", "7"]
    assert [file_name(n) for n in ("..", ".", "")] == ["_..", "_.", "_"]
    assert file_names(["a/b", "a b", "A_B", "c"]) == {"a/b": "a_b", "a b": "a_b_2", "A_B": "A_B_3", "c": "c"}


def test_long_names_are_cut_and_stay_different():
    first, second = "x" * 300 + "1", "x" * 300 + "2"
    names = file_names([first, second])
    assert len(set(names.values())) == 2
    assert all(len(name) == 100 for name in names.values())
    assert file_name(first) == names[first]


@given(st.lists(st.text(), unique=True, max_size=8))
def test_any_names_can_be_files(groups):
    names = list(file_names(groups).values())
    assert len({name.casefold() for name in names}) == len(groups)
    for name in names:
        assert name.strip(".")
        assert len(name.encode(errors="surrogatepass")) < 120
        assert not set(name) & set('/\\\0:*?"<>|\n')

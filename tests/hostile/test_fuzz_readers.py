"""Every reader of text on damaged files: a sound result, or an error of ours that names the file."""

from __future__ import annotations

import gzip

import pytest
from damaged import NASTY, READERS, TEXTS, UNPACKED, content, mutate, outcome, same
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PLACE = st.floats(0, 1, allow_nan=False)
BYTES = st.one_of(
    st.tuples(st.just("flip"), PLACE, st.integers(1, 255)),
    st.tuples(st.just("cut"), PLACE, st.integers(1, 40)),
    st.tuples(st.just("end"), PLACE, st.none()),
)
MUTATION = st.one_of(
    BYTES,
    st.tuples(st.just("put"), PLACE, st.sampled_from(NASTY)),
    st.tuples(st.just("replace"), PLACE, st.sampled_from(NASTY)),
    st.tuples(st.just("double line"), PLACE, st.none()),
    st.tuples(st.just("drop line"), PLACE, st.none()),
    st.tuples(st.just("swap lines"), PLACE, PLACE),
    st.tuples(st.just("drop field"), PLACE, st.none()),
    st.tuples(st.just("field"), PLACE, st.sampled_from([b"", *NASTY])),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("a folder with späces")


@pytest.mark.parametrize("name", READERS)
def test_whole_file(name, folder):
    """Also gzipped, with Windows line ends and a byte order mark, from a path with spaces and an umlaut."""
    path = folder / TEXTS[name][0]
    path.write_bytes(content(name))
    whole = outcome(name, path)
    assert whole.error == ""
    forms = [content(name).replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + content(name)]
    if name not in UNPACKED:
        forms.append(gzip.compress(content(name)))
    for form in forms:
        path.unlink(missing_ok=True)
        other = path.with_name(path.name + ".gz") if form[:2] == b"\x1f\x8b" else path
        other.write_bytes(form)
        again = outcome(name, other)
        assert again.error == ""
        assert same(again.value, whole.value)
        other.unlink()


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=120, derandomize=True, deadline=None, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(mutations=st.lists(MUTATION, min_size=1, max_size=4))
def test_damaged_file(name, folder, mutations):
    data = content(name)
    for mutation in mutations:
        data = mutate(data, mutation)
    path = folder / TEXTS[name][0]
    path.write_bytes(data)
    outcome(name, path)


@pytest.mark.parametrize("name", [n for n in READERS if n not in UNPACKED])
@settings(max_examples=40, derandomize=True, deadline=None, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(mutations=st.lists(BYTES, min_size=1, max_size=2))
def test_damaged_gzip(name, folder, mutations):
    data = gzip.compress(content(name), mtime=0)
    for mutation in mutations:
        data = mutate(data, mutation)
    path = folder / f"{TEXTS[name][0]}.gz"
    path.write_bytes(data)
    outcome(name, path)
    path.unlink()


@pytest.mark.parametrize("name", READERS)
def test_empty_file_and_folder(name, folder):
    path = folder / TEXTS[name][0]
    path.write_bytes(b"")
    empty = outcome(name, path)
    assert empty.error or len(empty.value) == 0
    path.unlink()
    path.mkdir()
    with pytest.raises((OSError, ValueError), match=path.name.split(".")[0]):
        READERS[name](path)
    path.rmdir()


@pytest.mark.parametrize("name", [n for n in READERS if n not in UNPACKED])
def test_thirty_megabytes_of_zeros_in_thirty_kilobytes(name, folder):
    path = folder / f"{TEXTS[name][0]}.gz"
    path.write_bytes(gzip.compress(bytes(30_000_000)))
    assert outcome(name, path).error
    path.unlink()

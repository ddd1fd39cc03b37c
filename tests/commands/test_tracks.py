"""`sccase-kit tracks`."""


def test_tracks(enhanced_file, call_json, call, tmp_path):
    out = tmp_path / "tracks"
    found = call_json("tracks", enhanced_file, "-g", "cell_type", "--genome", "hg38", "-o", out)
    assert found["tracks"] == 2 * 5
    assert (out / "igv_session.xml").is_file()
    code, _, err = call("tracks", enhanced_file, "-g", "nothing", "-o", out)
    assert code == 1
    assert "nothing" in err

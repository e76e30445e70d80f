from rrm_test_cluster import Level, Missing


def test_a_missing_part_names_itself_its_remedy_and_what_still_runs() -> None:
    missing = Missing(Level.NODE, ("root", "Debian package runc"), "run `make node-deps`", (Level.API,))

    words = str(missing)

    assert "level node cannot run here" in words
    assert "root; Debian package runc" in words
    assert "run `make node-deps`" in words
    assert "What still runs: api, and `rrm run`" in words

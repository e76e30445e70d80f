from pathlib import Path

import pytest

from rrm_test_cluster import build_settings
from rrm_test_cluster.images import image_tag


def test_the_environment_wins_over_pips_files(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex_url = https://file/simple\ntimeout = 9\n")

    found = build_settings.pip_settings({"PIP_INDEX_URL": "https://environment/simple"}, [file])

    assert found["index-url"] == "https://environment/simple"
    assert found["timeout"] == "9"


def test_paths_of_this_machine_do_not_reach_the_build() -> None:
    conf = build_settings.pip_conf({"find-links": "/srv/wheels", "cert": "/home/me/ca.pem"})

    assert "/srv/wheels" not in conf
    assert "/home/me" not in conf


def test_uv_uses_pips_index_unless_it_has_one_of_its_own() -> None:
    pip = {"index-url": "https://pip/simple"}

    assert 'url = "https://pip/simple"' in build_settings.uv_toml({}, pip)
    assert 'url = "https://uv/simple"' in build_settings.uv_toml({"UV_INDEX_URL": "https://uv/simple"}, pip)


def test_a_named_bundle_that_is_no_file_is_passed_over(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.touch()

    found = build_settings.certificate_bundle({"PIP_CERT": "/nowhere", "SSL_CERT_FILE": str(bundle)}, {})

    assert found == bundle
    assert build_settings.certificate_bundle({}, {}) is None


@pytest.mark.parametrize(
    ("sources", "mirror"),
    [
        ("# deb http://old/debian x main\ndeb http://new/debian/ bookworm main", "http://new/debian"),
        ("Types: deb\nURIs: http://one/debian-security\n\nURIs: http://two/debian", "http://two/debian"),
        ("deb http://vendor/apt stable main", None),
    ],
    ids=["one line", "deb822", "no Debian archive"],
)
def test_the_base_comes_from_the_archive_this_machine_uses(sources: str, mirror: str | None) -> None:
    assert build_settings.debian_mirror(sources) == mirror


def test_a_tag_names_the_content_and_nothing_else(tmp_path: Path) -> None:
    source = tmp_path / "code"
    (source / "__pycache__").mkdir(parents=True)
    (source / "a.py").write_text("1")
    before = image_tag("x", [source])

    (source / "__pycache__" / "a.pyc").write_text("compiled")
    assert image_tag("x", [source]) == before

    (source / "a.py").write_text("2")
    assert image_tag("x", [source]) != before
    assert before.startswith("localhost/x:")

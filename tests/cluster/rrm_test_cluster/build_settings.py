"""How package managers inside an image build reach what they reach on this machine.

buildah passes no environment into a build step, so certificates, indexes and options that this machine's pip
and uv know from their environment and files are written as configuration files, which are mounted for the
time of the build and never become part of a layer. Pure: environment and files in, text out.
"""

import configparser
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

IMAGE_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
"""Where Debian's programs look, and what the mounted configuration names."""
_CERTIFICATE_VARIABLES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PIP_VARIABLES = ("index-url", "extra-index-url", "trusted-host", "timeout", "default-timeout", "retries")
_PIP_FILES = ("/etc/pip.conf", "~/.pip/pip.conf", "~/.config/pip/pip.conf")


def certificate_bundle(environment: Mapping[str, str], pip: Mapping[str, str]) -> Path | None:
    """Return the bundle this machine is told to trust, if it is told so at all."""
    named = [environment.get(name, "") for name in _CERTIFICATE_VARIABLES] + [pip.get("cert", "")]
    return next((Path(path) for path in named if path and Path(path).is_file()), None)


def pip_settings(environment: Mapping[str, str], files: Iterable[Path]) -> dict[str, str]:
    """Return pip's global options as this machine has them; the environment wins over files, as in pip.

    >>> pip_settings({"PIP_INDEX_URL": "https://one/simple", "HOME": "/h"}, [])
    {'index-url': 'https://one/simple'}
    """
    found: dict[str, str] = {}
    for path in files:
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(path)
        found |= {
            key.replace("_", "-"): value for section in parser.values() for key, value in section.items()
        }
    prefix = "PIP_"
    return found | {
        name.removeprefix(prefix).lower().replace("_", "-"): value
        for name, value in environment.items()
        if name.startswith(prefix)
    }


def pip_files(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the files pip reads here, the weakest first."""
    named = (environment["PIP_CONFIG_FILE"],) if environment.get("PIP_CONFIG_FILE") else ()
    return tuple(Path(path).expanduser() for path in (*_PIP_FILES, *named))


def pip_conf(pip: Mapping[str, str]) -> str:
    """Return the text of the pip.conf for a build: what is true in there, too.

    >>> print(pip_conf({"index-url": "https://one/simple", "find-links": "/wheels"}), end="")
    [global]
    cert = /etc/ssl/certs/ca-certificates.crt
    index-url = https://one/simple
    """
    kept = {key: pip[key] for key in _PIP_VARIABLES if key in pip}
    lines = [f"{key} = {value}" for key, value in ({"cert": IMAGE_CERTIFICATES} | kept).items()]
    return "\n".join(["[global]", *lines, ""])


def uv_toml(environment: Mapping[str, str], pip: Mapping[str, str]) -> str:
    """Return the text of the uv.toml for a build: the system's certificates, and this machine's index.

    >>> print(uv_toml({}, {}), end="")
    native-tls = true
    """
    named = (environment.get("UV_DEFAULT_INDEX"), environment.get("UV_INDEX_URL"), pip.get("index-url"))
    index = next((url for url in named if url), None)
    # A JSON string is a TOML string.
    tables = ["", "[[index]]", f"url = {json.dumps(index)}", "default = true"] if index else []
    return "\n".join(["native-tls = true", *tables, ""])


def debian_mirror(sources: str) -> str | None:
    """Return the first archive that a machine's sources name (one-line or deb822 form), if any.

    >>> debian_mirror("Types: deb\\nURIs: http://mirror/debian\\nSuites: bookworm")
    'http://mirror/debian'
    >>> debian_mirror("deb [signed-by=/k.gpg] https://other/debian bookworm main")
    'https://other/debian'
    """
    for line in sources.splitlines():
        words = line.split()
        if words[:1] in (["URIs:"], ["deb"]):
            archives = [
                word.rstrip("/") for word in words if "://" in word and word.rstrip("/").endswith("/debian")
            ]
            if archives:
                return archives[0]
    return None

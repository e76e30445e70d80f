"""Writing into the one ConfigMap that the operator reads: a merge patch of some of its keys, nothing else.

Uses the pod's own service account token and the standard library, so that the thinnest pod can report.
"""

import http.client
import json
import logging
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from rrm_api.run import PROGRESS_CONFIG_MAP_ENV

LOG = logging.getLogger(__name__)
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0)
_TRY_AGAIN = {409, 429, 500, 502, 503, 504}


class ConfigMapRefused(Exception):
    """The API server did not take the patch."""


@dataclass(frozen=True)
class ConfigMapAccess:
    """Where the ConfigMap is and what opens it.

    Attributes:
        url: Address of the ConfigMap in the API server.
        token_file: File with the bearer token; read for each call, because tokens rotate.
        ca_file: Certificate authority of an https address.
    """

    url: str
    token_file: Path
    ca_file: Path | None = None

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], account: Path = SERVICE_ACCOUNT
    ) -> "ConfigMapAccess | None":
        """Return the access of this pod; None outside Kubernetes and, with a warning, without a token."""
        name = environ.get(PROGRESS_CONFIG_MAP_ENV)
        if not name:
            return None
        try:
            host, port = environ["KUBERNETES_SERVICE_HOST"], environ["KUBERNETES_SERVICE_PORT"]
            namespace = (account / "namespace").read_text().strip()
        except (KeyError, OSError) as error:
            LOG.warning("the ConfigMap %s is out of reach of this pod: %s", name, error)
            return None
        host = f"[{host}]" if ":" in host else host
        return cls(
            url=f"https://{host}:{port}/api/v1/namespaces/{namespace}/configmaps/{name}",
            token_file=account / "token",
            ca_file=account / "ca.crt",
        )


def merge_keys(
    access: ConfigMapAccess, data: Mapping[str, str], *, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Set keys of the ConfigMap and leave all others alone; tries again for some seconds.

    Raises:
        ConfigMapRefused: If it was not taken.
    """
    for pause in (*_PAUSES_SECONDS, None):
        try:
            _patch(access, data)
            return
        except urllib.error.HTTPError as error:
            answer = error.read(2000).decode(errors="replace")
            fault, is_final = f"{error.code} {answer}", error.code not in _TRY_AGAIN
        except (OSError, http.client.HTTPException) as error:
            fault, is_final = str(error), False
        except ValueError as error:  # such as a token that is no header's value
            fault, is_final = str(error), True
        if is_final or pause is None:
            raise ConfigMapRefused(f"{access.url}: {fault}")
        LOG.warning("patch of %s failed, trying again: %s", access.url, fault)
        sleep(pause)


def _patch(access: ConfigMapAccess, data: Mapping[str, str]) -> None:
    patch = json.dumps({"data": dict(data)}).encode()
    ask(access, method="PATCH", data=patch, headers={"Content-Type": "application/merge-patch+json"})


def ask(
    access: ConfigMapAccess,
    *,
    method: str = "GET",
    data: bytes | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """Send one request about the ConfigMap and return the answer's body.

    Raises:
        OSError: The API server did not answer, or refused.
        http.client.HTTPException: Its answer broke off.
        ValueError: The token is no header's value.
    """
    bearer = {"Authorization": f"Bearer {access.token_file.read_text().strip()}"}
    request = urllib.request.Request(access.url, method=method, data=data, headers={**bearer, **headers})
    trust = ssl.create_default_context(cafile=str(access.ca_file)) if access.ca_file else None
    # A proxy of the pod's environment must never see the token.
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if trust is not None:
        handlers.append(urllib.request.HTTPSHandler(context=trust))
    with urllib.request.build_opener(*handlers).open(request, timeout=10) as answer:
        body: bytes = answer.read()
    return body

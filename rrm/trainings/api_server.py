"""The API server's trainings, with the credentials that `kubectl` would use.

The only file that knows Kubernetes' client, which comes with the extra `kubernetes` and is imported when a
cluster is asked: the trainer's image does without it. No error shows what a kubeconfig or a header holds.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from rrm.trainings.errors import ClientMissing, ClusterUnavailable, NoSuchTraining, WrongQuestion
from rrm.trainings.kubeconfig import DEFAULT_NAMESPACE, Chosen, choose
from rrm.trainings.reading import Manifest
from rrm_api import group

FIELD_MANAGER: Final = "rrm"
SERVICE_ACCOUNT_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_TIMEOUT_SECONDS: Final = (5, 30)
"""To connect, and to wait for the answer."""
_KIND: Final = (group.GROUP, group.VERSION)
_MESSAGE_CHARS: Final = 1024


@dataclass(frozen=True)
class ApiServer:
    """The connection.

    Attributes:
        host: Address, for messages.
        namespace: Where to look unless a person says otherwise.
        objects: The client's access to custom resources.
    """

    host: str
    namespace: str
    objects: Any

    def get(self, namespace: str, name: str) -> Manifest:
        """Return a training.

        Raises:
            NoSuchTraining: There is none of that name.
            ClusterUnavailable: The API server does not answer, refuses, or does not know trainings.
        """
        return self._ask(
            lambda: self.objects.get_namespaced_custom_object(
                *_KIND, namespace, group.PLURAL, name, _request_timeout=_TIMEOUT_SECONDS
            )
        )

    def find(self, namespace: str | None) -> list[Manifest]:
        """Return the trainings of a namespace, or of all; raises `ClusterUnavailable` like `get`."""
        if namespace is None:
            found = self._ask(
                lambda: self.objects.list_cluster_custom_object(
                    *_KIND, group.PLURAL, _request_timeout=_TIMEOUT_SECONDS
                )
            )
        else:
            found = self._ask(
                lambda: self.objects.list_namespaced_custom_object(
                    *_KIND, namespace, group.PLURAL, _request_timeout=_TIMEOUT_SECONDS
                )
            )
        items: list[Manifest] = found.get("items") or []
        return items

    def annotate(self, namespace: str, name: str, annotations: Mapping[str, str]) -> None:
        """Set annotations of a training and leave all else; raises like `get`."""
        patch = {"metadata": {"annotations": dict(annotations)}}
        self._ask(
            lambda: self.objects.patch_namespaced_custom_object(
                *_KIND,
                namespace,
                group.PLURAL,
                name,
                patch,
                field_manager=FIELD_MANAGER,
                _content_type="application/merge-patch+json",
                _request_timeout=_TIMEOUT_SECONDS,
            )
        )

    def _ask(self, request: Callable[[], Any]) -> Manifest:
        from kubernetes.client import ApiException
        from urllib3.exceptions import HTTPError

        try:
            answer = request()
        except ApiException as error:
            raise _refusal(self.host, error.status, error.body) from None
        except HTTPError as error:
            why = getattr(error, "reason", None) or error
            raise ClusterUnavailable(f"the API server {self.host} does not answer: {why}") from None
        except RecursionError:
            raise ClusterUnavailable(
                f"an object of the API server {self.host} is nested too deep to be read, as a pod "
                "template can be; `kubectl get rmt` names all, and the others can be asked for by name"
            ) from None
        if not isinstance(answer, dict):
            raise ClusterUnavailable(f"{self.host}: expected the answer of an API server, found other text")
        return answer


def connect(context: str | None) -> ApiServer:
    """Return the cluster of a context; without one `kubectl`'s current one, else the pod's own.

    Raises:
        ClientMissing: The extra `kubernetes` is not installed.
        WrongQuestion: There is no such context.
        ClusterUnavailable: No cluster is configured, or its credentials cannot be read.
    """
    try:
        from kubernetes import client, config
    except ModuleNotFoundError:
        raise ClientMissing(
            "asking a cluster needs Kubernetes' client; install it in a checkout: "
            "pip install ./crds '.[kubernetes]'"
        ) from None
    configuration = client.Configuration()
    configuration.retries = 1
    chosen = choose(os.environ, Path.home(), context)
    try:
        _load(config, configuration, chosen)
    except (config.ConfigException, yaml.YAMLError, OSError, ValueError) as error:
        where = f"context {chosen.context}" if chosen is not None else "the pod's service account"
        raise ClusterUnavailable(
            f"the credentials of {where} cannot be used ({type(error).__name__}); does kubectl work with it?"
        ) from None
    api = client.ApiClient(configuration)
    api.user_agent = FIELD_MANAGER
    host = urlsplit(configuration.host).netloc.rpartition("@")[2] or configuration.host
    namespace = chosen.namespace if chosen is not None else _own_namespace()
    return ApiServer(host, namespace, client.CustomObjectsApi(api))


def _load(config: Any, configuration: Any, chosen: Chosen | None) -> None:
    if chosen is not None:
        files = os.pathsep.join(str(it) for it in chosen.files)
        config.load_kube_config(files, context=chosen.context, client_configuration=configuration)
    elif "KUBERNETES_SERVICE_HOST" in os.environ:
        config.load_incluster_config(client_configuration=configuration)
    else:
        raise ClusterUnavailable(
            "no cluster is configured: expected a kubeconfig with a current context (KUBECONFIG, or "
            "~/.kube/config), or a pod's service account"
        )


def _own_namespace() -> str:
    try:
        return SERVICE_ACCOUNT_NAMESPACE.read_text().strip() or DEFAULT_NAMESPACE
    except OSError:
        return DEFAULT_NAMESPACE


def _refusal(host: str, status: int | None, body: str | None) -> ClusterUnavailable | WrongQuestion:
    """Return what a person is told about an answer that is none."""
    try:
        answer = json.loads(body or "")
    except json.JSONDecodeError:
        answer = None
    said: Manifest = answer if isinstance(answer, dict) else {}
    message = str(said.get("message") or "no reason is given")[:_MESSAGE_CHARS]
    if status == 404 and (said.get("details") or {}).get("name"):
        return NoSuchTraining(message)
    if status == 404:
        return ClusterUnavailable(
            f"the API server {host} does not know {group.CRD_NAME}: is the operator's chart installed there?"
        )
    return ClusterUnavailable(f"the API server {host} refuses ({status}): {message}")

"""Cluster DNS for one node: names of Services answered with the addresses of their ready pods.

There is no kube-proxy here, so an answer with a Service's own address would lead nowhere; pod addresses work
for every Service whose port is its target port. The one exception is ``kubernetes.default``, whose address
the node translates to the API server.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dnslib import QTYPE, RCODE, RR, A, DNSRecord
from dnslib.server import BaseResolver, DNSServer

from rrm_test_cluster.control_plane import FIRST_SERVICE_ADDRESS
from rrm_test_cluster.kube_api import Change, Manifest, connect

_SUFFIX = ".svc.cluster.local"
_PORT = 53
_SECONDS_TO_LIVE = 2
_SLICES = "/apis/discovery.k8s.io/v1/endpointslices"
_SERVICE_LABEL = "kubernetes.io/service-name"


@dataclass(frozen=True)
class Address:
    """One pod of a Service; `hostname` is empty unless the pod asked for a name of its own."""

    ip: str
    hostname: str = ""


@dataclass
class Table:
    """The addresses of every Service, kept up to date by EndpointSlices."""

    services: dict[tuple[str, str], dict[str, tuple[Address, ...]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    """(namespace, service) -> slice name -> addresses; a Service may have several slices."""

    def update(self, change: Change) -> None:
        """Take in one change of an EndpointSlice."""
        metadata = change.body["metadata"]
        slices = self.services[metadata["namespace"], metadata.get("labels", {}).get(_SERVICE_LABEL, "")]
        if change.kind == "DELETED":
            slices.pop(metadata["name"], None)
        else:
            slices[metadata["name"]] = tuple(_addresses(change.body))

    def lookup(self, name: str) -> tuple[str, ...] | None:
        """Return the addresses of a name without its final dot; None if there is no such name.

        >>> Table().lookup("kubernetes.default.svc.cluster.local")
        ('10.215.0.1',)
        """
        if not name.endswith(_SUFFIX):
            return None
        *host, service, namespace = ["", *name.removesuffix(_SUFFIX).split(".")][-3:]
        if (namespace, service) == ("default", "kubernetes"):
            return (FIRST_SERVICE_ADDRESS,)
        if (namespace, service) not in self.services:
            return None
        wanted = "".join(host)
        known = [each for part in self.services[namespace, service].values() for each in part]
        return tuple(each.ip for each in known if not wanted or each.hostname == wanted)


def _addresses(endpoint_slice: Manifest) -> Iterator[Address]:
    for endpoint in endpoint_slice.get("endpoints") or ():
        # KubeRay's head Service publishes addresses before they are ready; the slice then calls them ready.
        if endpoint.get("conditions", {}).get("ready") is not False:
            for ip in endpoint["addresses"]:
                yield Address(ip, endpoint.get("hostname", ""))


class _Resolver(BaseResolver):  # type: ignore[misc]  # dnslib has no types
    def __init__(self, table: Table) -> None:
        self._table = table

    def resolve(self, request: DNSRecord, handler: object) -> DNSRecord:
        reply = request.reply()
        found = self._table.lookup(str(request.q.qname).rstrip(".").lower())
        if found is None:
            reply.header.rcode = RCODE.NXDOMAIN
        elif request.q.qtype in (QTYPE.A, QTYPE.ANY):
            # For other types the name exists and has no such record: an empty answer.
            for ip in found:
                reply.add_answer(RR(request.q.qname, QTYPE.A, rdata=A(ip), ttl=_SECONDS_TO_LIVE))
        return reply


async def run_dns(kubeconfig: Path, address: str) -> None:
    """Answer on the node's address for ever."""
    table = Table()
    for is_tcp in (False, True):
        DNSServer(_Resolver(table), address=address, port=_PORT, tcp=is_tcp).start_thread()
    async with connect(kubeconfig) as api:
        async for change in api.follow(_SLICES):
            table.update(change)


def is_answering(address: str) -> bool:
    """Whether the server on that address knows the API server's name."""
    question = DNSRecord.question(f"kubernetes.default{_SUFFIX}")
    try:
        answer = DNSRecord.parse(question.send(address, _PORT, timeout=1))
    except (OSError, TimeoutError):
        return False
    return [str(record.rdata) for record in answer.rr] == [FIRST_SERVICE_ADDRESS]

"""The cluster's own certificate authority, its leaf certificates and the kubeconfigs made of them."""

import base64
import datetime
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALID = datetime.timedelta(days=30)


@dataclass(frozen=True)
class KeyPair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


class CertificateAuthority:
    """Signs for one cluster; elliptic-curve keys, because RSA would cost seconds of a start."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("rrm-test-cluster")
        certificate = (
            _builder(self._name, self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate = folder / "ca.crt"
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, file: str, common_name: str, *, group: str = "", names: Iterable[str] = ()) -> KeyPair:
        """Write a certificate for server and client use.

        Args:
            file: Base name of the two files.
            common_name: The user's name in Kubernetes' eyes.
            group: The user's group, such as ``system:masters``.
            names: Addresses and host names the server is reached by.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = _builder(_name(common_name, group), self._name, key.public_key())
        builder = builder.add_extension(usage, critical=False)
        alternatives = [_alternative(name) for name in names]
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        pair = KeyPair(self.folder / f"{file}.crt", self.folder / f"{file}.key")
        pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        pair.key.write_bytes(_private_bytes(key))
        return pair

    def service_account_keys(self) -> KeyPair:
        """Write the pair for ServiceAccount tokens (`certificate` is the bare public key)."""
        key = ec.generate_private_key(ec.SECP256R1())
        pair = KeyPair(self.folder / "service-accounts.pub", self.folder / "service-accounts.key")
        pair.key.write_bytes(_private_bytes(key))
        pair.certificate.write_bytes(
            key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
        return pair


def client_kubeconfig(path: Path, *, server: str, authority: Path, client: KeyPair) -> Path:
    """Write a self-contained kubeconfig of a user known by certificate."""
    user = {"client-certificate-data": _base64(client.certificate), "client-key-data": _base64(client.key)}
    return _write_kubeconfig(path, server, authority, user)


def token_kubeconfig(path: Path, *, server: str, authority: Path, token: str) -> Path:
    """Write a self-contained kubeconfig of a user known by token, such as a ServiceAccount."""
    return _write_kubeconfig(path, server, authority, {"token": token})


def _write_kubeconfig(path: Path, server: str, authority: Path, user: dict[str, str]) -> Path:
    cluster = {"server": server, "certificate-authority-data": _base64(authority)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "rrm-test", "cluster": cluster}],
        "users": [{"name": "user", "user": user}],
        "contexts": [{"name": "rrm-test", "context": {"cluster": "rrm-test", "user": "user"}}],
        "current-context": "rrm-test",
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config))
    return path


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _name(common_name: str, group: str = "") -> x509.Name:
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group)] if group else []
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    # An hour back: clocks of a virtual machine jump when it is resumed.
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _VALID)
    )


def _private_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

import io
import json
import tarfile
from pathlib import Path

import pytest
from cryptography import x509

from rrm_test_cluster.host_folders import host_folder_objects
from rrm_test_cluster.node import cgroups
from rrm_test_cluster.node.network import NodeNetwork, bridge_config, taken_numbers
from rrm_test_cluster.node.pause import PAUSE_IMAGE, image_archive
from rrm_test_cluster.pki import CertificateAuthority


def test_networks_of_two_clusters_do_not_meet() -> None:
    one, two = NodeNetwork(0), NodeNetwork(1)

    assert {one.cable, one.pods, one.node_address}.isdisjoint({two.cable, two.pods, two.node_address})


@pytest.mark.parametrize("destination", ["10.213.5.0/30", "10.214.5.0/24", "10.213.5.2"])
def test_a_number_with_a_route_is_taken(destination: str) -> None:
    assert taken_numbers(["default", destination, "192.168.0.0/16", "fe80::/64"]) == {5}


def test_the_bridge_hands_out_the_networks_own_addresses() -> None:
    [bridge, _] = json.loads(bridge_config(NodeNetwork(3), "/leases"))["plugins"]

    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.214.3.0/24"}]]
    assert bridge["ipam"]["dataDir"] == "/leases"


def test_the_pause_image_names_its_one_layer_truly() -> None:
    with tarfile.open(fileobj=io.BytesIO(image_archive(b"program"))) as archive:
        members = {member.name: archive.extractfile(member) for member in archive}
        [manifest] = json.load(members["manifest.json"])  # type: ignore[arg-type]

    assert manifest["RepoTags"] == [PAUSE_IMAGE]
    assert set(members) == {"manifest.json", manifest["Config"], *manifest["Layers"]}


def _hierarchy(root: Path, name: str, **files: str) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    for file, text in {"cgroup_procs": "", **files}.items():
        (folder / file.replace("_", ".")).write_text(text)
    return folder


def test_a_group_is_made_in_every_hierarchy_and_may_use_every_cpu(tmp_path: Path) -> None:
    cpuset = _hierarchy(tmp_path, "cpuset", cpuset_cpus="0-1", cpuset_mems="0")
    memory = _hierarchy(tmp_path, "memory")

    cgroups.create("rrm-0", tmp_path)

    assert (memory / "rrm-0").is_dir()
    assert (cpuset / "rrm-0" / "cpuset.cpus").read_text() == "0-1"
    assert (cpuset / "rrm-0" / "cpuset.mems").read_text() == "0"


def test_the_unified_layout_is_one_hierarchy_with_all_controllers_on(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu memory\n")

    cgroups.create("rrm-0", tmp_path)

    assert cgroups.hierarchies(tmp_path) == (tmp_path,)
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+cpu +memory"


def test_joint_hierarchies_count_once(tmp_path: Path) -> None:
    joint = _hierarchy(tmp_path, "cpu,cpuacct")
    (tmp_path / "cpu").symlink_to(joint)

    assert cgroups.hierarchies(tmp_path) == (joint,)


def test_the_server_certificate_carries_every_name_it_is_reached_by(tmp_path: Path) -> None:
    pair = CertificateAuthority(tmp_path).issue("server", "kube-apiserver", names=("10.215.0.1", "localhost"))

    certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["10.215.0.1"]
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]


def test_a_host_folder_is_read_only_and_outlives_its_claim() -> None:
    volume, claim = host_folder_objects("demo", "trainer-env", Path("/env"))

    assert volume["spec"]["accessModes"] == claim["spec"]["accessModes"] == ["ReadOnlyMany"]
    assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    assert claim["spec"]["volumeName"] == volume["metadata"]["name"]
    assert claim["spec"]["storageClassName"] == ""

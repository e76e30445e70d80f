"""Container images built here by buildah, without any registry; docker-archives in the per-user cache.

In: a Dockerfile and its context. Out: an archive that `Cluster.import_image` takes. The base image is made
from Debian packages, once. Nothing of this machine's configuration becomes part of a layer.
"""

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rrm_test_cluster import build_settings
from rrm_test_cluster.errors import CommandFailed, tail
from rrm_test_cluster.user_cache import exclusive, user_cache

SUITE = "bookworm"
BASE_PACKAGES = ("ca-certificates", "libgomp1", "libnuma1", "procps", "python3.11")
_SOURCES = ("/etc/apt/sources.list", "/etc/apt/sources.list.d/debian.sources")
# A third of a minimal Debian, read by no program in an image; and what debootstrap copies of this machine.
_DROPPED = (
    *("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"),
    *("etc/hostname", "etc/resolv.conf"),
)
_BASE_KEY = hashlib.sha256(repr((SUITE, BASE_PACKAGES, _DROPPED)).encode()).hexdigest()[:12]
BASE_IMAGE = f"localhost/rrm-base:{_BASE_KEY}"


@dataclass(frozen=True)
class ImageBuild:
    """One image to build.

    Attributes:
        dockerfile: Its recipe.
        context: The folder its COPY lines start from.
        tag: ``localhost/name:tag``; the tag should name the content, as the same tag is never built twice.
        build_args: Values of ARG; BASE is `BASE_IMAGE` unless given.
        target: The stage to build, else the last.
        mounts: Host path -> path in every build step, read-only, not in a layer.
    """

    dockerfile: Path
    context: Path
    tag: str
    build_args: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    mounts: Mapping[Path, str] = field(default_factory=dict)


def image_tag(name: str, sources: Iterable[Path], *salt: str) -> str:
    """Return ``localhost/<name>:<hash>`` of the content of files and folders (and of further text)."""
    digest = hashlib.sha256(repr((BASE_IMAGE, salt)).encode())
    for source in sources:
        files = sorted(source.rglob("*")) if source.is_dir() else [source]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                relative = file.relative_to(source.parent)
                digest.update(f"{relative}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return f"localhost/{name}:{digest.hexdigest()[:12]}"


def build_image(build: ImageBuild, say: Callable[[str], None] = lambda _: None) -> Path:
    """Return the image's docker-archive, building it unless an earlier call did.

    Raises:
        CommandFailed: A step failed; carries the end of the build's output.
    """
    archive = _archive(build.tag)
    with exclusive(archive.parent):
        if not archive.exists():
            with _Buildah.session(say) as buildah:
                _make_base(buildah)
                say(f"building {build.tag}")
                buildah.run(*_bud_words(build, buildah.settings), str(build.context))
                buildah.export(build.tag)
                buildah.drop_older(build.tag)
    return archive


def base_archive(say: Callable[[str], None] = lambda _: None) -> Path:
    """Return the docker-archive of the base image itself: Debian and its Python."""
    archive = _archive(BASE_IMAGE)
    with exclusive(archive.parent):
        if not archive.exists():
            with _Buildah.session(say) as buildah:
                _make_base(buildah)
                buildah.export(BASE_IMAGE)
    return archive


def _bud_words(build: ImageBuild, settings: Mapping[Path, str]) -> list[str]:
    arguments = {"BASE": BASE_IMAGE} | dict(build.build_args)
    mounts = dict(settings) | dict(build.mounts)
    return [
        *("build", "--layers", "--isolation=chroot", "--network=host", "--pull-never"),
        *(f"--build-arg={name}={value}" for name, value in arguments.items()),
        *(f"--volume={host}:{inside}:ro" for host, inside in mounts.items()),
        *([f"--target={build.target}"] if build.target else []),
        *(f"--file={build.dockerfile}", f"--tag={build.tag}"),
    ]


def _make_base(buildah: "_Buildah") -> None:
    if buildah.has(BASE_IMAGE):
        return
    buildah.say("making the base image from Debian packages: about a minute, once")
    with tempfile.TemporaryDirectory(dir=user_cache() / "images") as folder:
        root = Path(folder) / "root"
        sources = "\n".join(Path(path).read_text() for path in _SOURCES if Path(path).exists())
        mirror = build_settings.debian_mirror(sources)
        include = f"--include={','.join(BASE_PACKAGES)}"
        # Without one, debootstrap knows where Debian is.
        where = (mirror,) if mirror else ()
        buildah.command("debootstrap", "--variant=minbase", include, SUITE, str(root), *where)
        buildah.command("rm", "-rf", *(str(root / dropped) for dropped in _DROPPED))
        container = buildah.run("from", "scratch").strip()
        buildah.run("copy", "--quiet", container, str(root), "/")
        buildah.run("config", "--env=LANG=C.UTF-8", "--cmd=/bin/bash", container)
        buildah.run("commit", "--quiet", "--rm", container, BASE_IMAGE)


def _archive(tag: str) -> Path:
    return user_cache() / "images" / (tag.replace("/", "_").replace(":", "_") + ".tar")


@dataclass(frozen=True)
class _Buildah:
    """buildah with its storage in the cache, in a mount namespace that ends with each command."""

    say: Callable[[str], None]
    environment: Mapping[str, str]
    settings: Mapping[Path, str]
    log: Path

    @classmethod
    @contextmanager
    def session(cls, say: Callable[[str], None]) -> Iterator["_Buildah"]:
        cache = user_cache() / "images"
        with tempfile.TemporaryDirectory(prefix="rrm-buildah-") as name:
            folder = Path(name)
            # A run root of this session: one that stays counts mounts that are long gone.
            storage = (
                f'[storage]\ndriver = "overlay"\ngraphroot = "{cache}/storage"\nrunroot = "{folder}/run"\n'
            )
            (folder / "storage.conf").write_text(storage)
            environment = {**os.environ, "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf")}
            yield cls(say, environment, _write_settings(folder), cache / "build.log")

    def run(self, *arguments: str) -> str:
        return self.command("buildah", *arguments)

    def command(self, *words: str) -> str:
        with self.log.open("wb") as log:
            # Nobody waits for a build that has something beside it: Ray's workers run at nice 15.
            command = ["nice", "-n", "19", "unshare", "--mount", *words]
            done = subprocess.run(
                command, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True, check=False
            )
        if done.returncode != 0:
            raise CommandFailed(words, done.returncode, done.stdout, tail(self.log))
        return done.stdout

    def has(self, tag: str) -> bool:
        return bool(self.run("images", "--quiet", "--filter", f"reference={tag}").strip())

    def export(self, tag: str) -> None:
        archive = _archive(tag)
        partial = archive.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        # docker-archive is written uncompressed; an OCI archive is always compressed: minutes lost.
        self.run("push", "--quiet", tag, f"docker-archive:{partial}:{tag}")
        partial.rename(archive)
        self.say(f"{tag}: {archive.stat().st_size / 1e6:.0f} MB")

    def drop_older(self, tag: str) -> None:
        """Forget earlier contents of the same image: each trainer image takes gigabytes three times."""
        name = tag.rpartition(":")[0]
        known = self.run("images", "--format", "{{.Name}}:{{.Tag}}").split()
        for old in known:
            if old.rpartition(":")[0] == name and old != tag:
                _archive(old).unlink(missing_ok=True)
                self.run("rmi", old)


def _write_settings(folder: Path) -> dict[Path, str]:
    """Write the configuration that is mounted into build steps; host file -> path in the image."""
    pip = build_settings.pip_settings(os.environ, build_settings.pip_files(os.environ))
    (folder / "pip.conf").write_text(build_settings.pip_conf(pip))
    (folder / "uv.toml").write_text(build_settings.uv_toml(os.environ, pip))
    mounts = {folder / "pip.conf": "/etc/pip.conf", folder / "uv.toml": "/etc/uv/uv.toml"}
    bundle = build_settings.certificate_bundle(os.environ, pip)
    return mounts | ({bundle.resolve(): build_settings.IMAGE_CERTIFICATES} if bundle else {})

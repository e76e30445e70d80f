"""Stand-ins for NVIDIA's libraries, so that torch's public build imports and runs on a machine without a GPU.

libtorch links some dozen NVIDIA libraries (2.7 GB) by name. Without a GPU none of their functions is ever
called, but the loader wants the files, their version names and their symbols. Each stand-in defines exactly
the symbols that torch's libraries leave undefined, as functions that return 1, which is an error code in each
of these libraries: a call that should never happen fails and does not look like success. libcudart stays the
real one.
"""

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_PREFIXES: Final = {
    "libcublasLt": "cublasLt",
    "libcublas": "cublas",
    "libcudnn": "cudnn",
    "libcufft": "cufft",
    "libcurand": "curand",
    "libcusparseLt": "cusparseLt",
    "libcusparse": "cusparse",
    "libcusolver": "cusolver",
    "libnccl": "nccl",
    "libnvrtc": "nvrtc",
    "libnvshmem_host": "nvshmem",
    "libcupti": "cupti",
    "libcufile": "cuFile",
}
"""Library stem -> how its symbols begin."""


@dataclass
class Wanted:
    """What the libraries of torch and vLLM ask the loader for."""

    libraries: set[str] = field(default_factory=set)
    versions: dict[str, set[str]] = field(default_factory=dict)
    """Library -> version names."""
    symbols: dict[str, str | None] = field(default_factory=dict)
    """Undefined symbol -> version name."""


def write_stand_ins(site_packages: Path) -> list[Path]:
    """Compile one stand-in per missing NVIDIA library into `torch/lib`; needs gcc and readelf.

    Returns:
        The libraries written, a few KiB each.

    Raises:
        subprocess.CalledProcessError: readelf or gcc failed.
        FileNotFoundError: one of them is not installed.
    """
    folder = site_packages / "torch" / "lib"
    users = [path for base in (folder, site_packages / "vllm") for path in sorted(base.glob("*.so*"))]
    wanted = _gather(users)
    return [_compile(folder, library, wanted) for library in sorted(wanted.libraries)]


def _gather(users: Iterable[Path]) -> Wanted:
    wanted = Wanted()
    for user in users:
        wanted.libraries |= needed_libraries(_readelf(user, "-d"))
        for library, versions in needed_versions(_readelf(user, "-V")).items():
            wanted.versions.setdefault(library, set()).update(versions)
        wanted.symbols.update(undefined_symbols(_readelf(user, "--dyn-syms")))
    return wanted


def _readelf(path: Path, option: str) -> str:
    command = ["readelf", "-W", option, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def needed_libraries(dynamic_section: str) -> set[str]:
    r"""Return the libraries to stand in for, out of `readelf -d`.

    >>> sorted(needed_libraries(" (NEEDED) Shared library: [libcublas.so.13]\n (NEEDED) x: [libc.so.6]"))
    ['libcublas.so.13']
    """
    names: list[str] = re.findall(r"NEEDED.*\[(.*?)\]", dynamic_section)
    return {name for name in names if name.split(".so")[0] in _PREFIXES}


def needed_versions(version_section: str) -> dict[str, set[str]]:
    r"""Return the version names per library, out of `readelf -V`.

    >>> needed_versions("  Version: 1  File: libcufft.so.12  Cnt: 1\n   Name: libcufft.so.12  Flags: none")
    {'libcufft.so.12': {'libcufft.so.12'}}
    """
    found: dict[str, set[str]] = {}
    library = ""
    for line in version_section.splitlines():
        if file := re.search(r"File: (\S+)", line):
            library = file[1]
        elif library and (name := re.search(r"Name: (\S+)", line)):
            found.setdefault(library, set()).add(name[1])
    return found


def undefined_symbols(symbol_table: str) -> dict[str, str | None]:
    """Return undefined symbol -> version name, out of `readelf --dyn-syms`.

    >>> undefined_symbols("  7: 0000 0 FUNC GLOBAL DEFAULT UND cublasCreate_v2@libcublas.so.13 (5)")
    {'cublasCreate_v2': 'libcublas.so.13'}
    """
    found: dict[str, str | None] = {}
    for line in symbol_table.splitlines():
        columns = line.split()
        if len(columns) >= 8 and columns[6] == "UND":
            name, _, version = columns[7].partition("@")
            found[name] = version.strip("@") or None
    return found


def symbols_of(stem: str, symbols: dict[str, str | None]) -> dict[str, str | None]:
    """Return the symbols that belong to one library.

    >>> sorted(symbols_of("libcublas", {"cublasSgemm": None, "cublasLtCreate": None, "malloc": None}))
    ['cublasSgemm']
    """
    prefix = _PREFIXES[stem]
    longer = tuple(p for s, p in _PREFIXES.items() if p.startswith(prefix) and s != stem)
    mine = {
        s: v
        for s, v in symbols.items()
        if re.match(f"_?_?{prefix}", s) and not (longer and s.startswith(longer))
    }
    if stem == "libnvshmem_host":
        mine |= {s: v for s, v in symbols.items() if "nvshmem" in s}
    return mine


def version_script(symbols: dict[str, str | None], versions: list[str]) -> str:
    r"""Return the linker's version script; symbols without a version go to the first one.

    >>> version_script({"f": "V2", "g": None}, ["V1", "V2"])
    'V1 { global: g; };\nV2 { global: f; };\n'
    """
    lines = []
    for version in versions:
        known = set(versions)
        own = [s for s, v in symbols.items() if v == version or (v not in known and version == versions[0])]
        lines.append(f"{version} {{ global: {' '.join(s + ';' for s in own) or 'none_;'} }};\n")
    return "".join(lines)


def _compile(folder: Path, library: str, wanted: Wanted) -> Path:
    symbols = symbols_of(library.split(".so")[0], wanted.symbols)
    source, script, target = folder / f".{library}.c", folder / f".{library}.map", folder / library
    source.write_text("".join(f"int {name}(void){{return 1;}}\n" for name in sorted(symbols)))
    command = ["gcc", "-shared", "-fPIC", "-Os", "-s", "-w", f"-Wl,-soname,{library}", "-o", str(target)]
    if versions := sorted(wanted.versions.get(library, ())):
        script.write_text(version_script(symbols, versions))
        command.append(f"-Wl,--version-script={script}")
    subprocess.run([*command, str(source)], check=True)
    source.unlink()
    script.unlink(missing_ok=True)
    return target

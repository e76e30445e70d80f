"""A real stand-in, compiled and loaded: a library that wants one of NVIDIA's loads, and its calls fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rrm.trainer_env.stand_ins import write_stand_ins

NEEDS = [tool for tool in ("gcc", "readelf") if shutil.which(tool) is None]


def compile_library(path: Path, source: str, *options: str) -> None:
    code = path.with_suffix(".c")
    code.write_text(source)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(path), str(code), *options], check=True)
    code.unlink()


@pytest.mark.skipif(bool(NEEDS), reason=f"a stand-in is compiled, which needs {' and '.join(NEEDS)}")
def test_a_library_loads_with_a_stand_in_whose_functions_report_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "torch" / "lib"
    folder.mkdir(parents=True)
    versions = folder / "versions.map"
    versions.write_text("libcublas.so.13 { global: cublasCreate_v2; };\n")
    real = folder / "libcublas.so.13"
    compile_library(
        real,
        "int cublasCreate_v2(void){return 0;}",
        "-Wl,-soname,libcublas.so.13",
        f"-Wl,--version-script={versions}",
    )
    user = folder / "libuser.so"
    source = "int cublasCreate_v2(void); int ask(void){return cublasCreate_v2();}"
    compile_library(user, source, str(real), f"-Wl,-rpath,{folder}")
    real.unlink()

    assert write_stand_ins(tmp_path) == [real]

    load = f"import ctypes, sys; sys.exit(ctypes.CDLL({str(user)!r}).ask())"
    assert subprocess.run([sys.executable, "-c", load], check=False).returncode == 1
    assert sorted(path.name for path in folder.iterdir()) == ["libcublas.so.13", "libuser.so", "versions.map"]

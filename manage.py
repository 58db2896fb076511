#!/usr/bin/env python
"""Django's commands. With no DATABASE_URL they talk to the sandbox, whose services are started if need be."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def main() -> None:
    """Run one command."""
    sys.path[:0] = [str(ROOT), str(ROOT / "src")]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE"):
        run()
        return
    from sandbox.attach import ensure_services
    from sandbox.home import SandboxError

    try:
        with ensure_services() as environment:
            os.environ.update(environment)
            prepare_once()
            run()
    except SandboxError as error:
        sys.exit(str(error))


def prepare_once() -> None:
    """In a sandbox that was never used, make its tables and its two towns first."""
    from sandbox.home import Home, SandboxError

    if not Home().path("prepared").exists():
        path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
        done = subprocess.run(
            [sys.executable, "-m", "sandbox.demo"],
            env={**os.environ, "PYTHONPATH": path},
            cwd=ROOT,
            check=False,
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            raise SandboxError(done.stderr.strip())


def run() -> None:
    """Hand the command line to Django."""
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

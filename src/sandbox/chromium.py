"""Find a Chromium for the browser tests; `python -m sandbox.chromium` installs one when there is none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def on_path() -> str | None:
    """The machine's Chromium; None means Playwright's own."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def main() -> None:
    """Install it from the system's packages as root, else Playwright's own build."""
    if on_path():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", *words], env=environment, check=False)
        if on_path():
            return
    playwright = Path(sys.executable).with_name("playwright")
    # With its libraries, when we may install them.
    options = ["--with-deps"] if os.geteuid() == 0 else []
    if subprocess.run([playwright, "install", *options, "chromium"], check=False).returncode:
        sys.exit(
            "Chromium manque et n'a pas pu être installé: installez le paquet « chromium », puis relancez."
        )


if __name__ == "__main__":
    main()

"""PostgreSQL's programs for root: they refuse to run as root, so they run as somebody else (decision 48).

Whoever that is must still reach the data and the programs, which may lie in a folder that only root may enter (a
clone in root's own home). Two ways do it; the first that works here is taken.
"""

import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sandbox.home import REPOSITORY, SandboxError

NOBODY = 65534
# initdb asks access(2), which forgets the capabilities of whoever is not root unless `no_setuid_fixup` is set.
_AS_NOBODY = [
    *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
    *("--securebits=+no_setuid_fixup", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
]
# We stay who we are for the files, and are called nobody inside: works where we may not become anybody else.
_CALLED_NOBODY = ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "setpriv"]
_LOOK = "import os, sys; sys.exit(not all(os.access(path, os.X_OK) for path in sys.argv[1:]))"


@dataclass(frozen=True)
class Way:
    """`words` go before a command; the files that it writes belong to `owner`."""

    words: tuple[str, ...]
    owner: int

    def command(self, *command: str, death_signal: str = "") -> list[str]:
        """The command run this way. A change of user forgets the launcher's death signal: name it again here."""
        if not self.words:
            return [*command]
        return [*self.words, *(["--pdeathsig", death_signal] if death_signal else []), "--", *command]

    def hand_over(self, *paths: Path) -> None:
        """Give these files and folders, with what is in them, to whoever will use them."""
        for path in paths:
            if path.lstat().st_uid == self.owner:
                continue
            inside = [Path(top, name) for top, folders, files in os.walk(path) for name in (*folders, *files)]
            for each in (*inside, path):
                os.chown(each, self.owner, -1, follow_symlinks=False)


def way_to(*paths: Path) -> Way:
    """How to run a program that must enter or execute `paths`. Raises SandboxError when nothing works here."""
    return _way_to(paths)


@lru_cache
def _way_to(paths: tuple[Path, ...]) -> Way:
    user = os.geteuid()
    if user != 0 and _has_a_name(user):
        return Way((), user)
    ways = [Way(tuple(_AS_NOBODY), NOBODY)] if user == 0 else []
    for way in (*ways, Way(tuple(_CALLED_NOBODY), user)):
        if shutil.which(way.words[0]) and shutil.which("setpriv") and _works(way, paths):
            return way
    raise SandboxError(
        f"PostgreSQL refuse de tourner sous {'root' if user == 0 else 'un utilisateur sans nom'}, et ce système ne "
        f"permet pas de le lancer autrement en lui laissant {REPOSITORY}: il faut « setpriv » et « unshare » "
        "(paquet util-linux) avec les capacités DAC_OVERRIDE et SETPCAP, ou le droit de créer un espace "
        "d'utilisateurs. Le plus simple: lancez la commande avec un utilisateur ordinaire."
    )


def _has_a_name(user: int) -> bool:
    """initdb wants one; a container may run under a number that no file knows."""
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _works(way: Way, paths: tuple[Path, ...]) -> bool:
    look = [sys.executable, "-I", "-S", "-c", _LOOK, *map(str, paths)]
    done = subprocess.run(way.command(*look), capture_output=True, timeout=20, check=False, cwd="/")
    return done.returncode == 0

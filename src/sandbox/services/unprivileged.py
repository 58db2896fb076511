"""Run PostgreSQL's programs when we are root: they refuse root, so another user runs them (decision 48).

That user must reach the data and the programs, which may be in a folder that only root may enter (a
clone in root's home). There are two ways; we take the first that works.
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
# initdb calls access(2), which ignores capabilities of a non-root user unless `no_setuid_fixup` is set.
_AS_NOBODY = [
    *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
    *("--securebits=+no_setuid_fixup", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
]
# A user namespace: same rights on files, another user inside. Works where we may not change user.
_CALLED_NOBODY = ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "setpriv"]
_LOOK = "import os, sys; sys.exit(not all(os.access(path, os.X_OK) for path in sys.argv[1:]))"


@dataclass(frozen=True)
class Way:
    """`words` are put before a command; the files that it writes belong to `owner`."""

    words: tuple[str, ...]
    owner: int

    def command(self, *command: str, death_signal: str = "") -> list[str]:
        """The command run this way. A change of user clears the launcher's death signal, so set it again."""
        if not self.words:
            return [*command]
        return [*self.words, *(["--pdeathsig", death_signal] if death_signal else []), "--", *command]

    def hand_over(self, *paths: Path) -> None:
        """Give these files and folders, recursively, to the user who will use them."""
        for path in paths:
            if path.lstat().st_uid == self.owner:
                continue
            inside = [Path(top, name) for top, folders, files in os.walk(path) for name in (*folders, *files)]
            for each in (*inside, path):
                os.chown(each, self.owner, -1, follow_symlinks=False)


def way_to(*paths: Path) -> Way:
    """How to run a program that must enter or execute `paths`. Raises SandboxError when no way works."""
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
    """Whether the user has a name: initdb needs one, and a container may run under an unknown number."""
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _works(way: Way, paths: tuple[Path, ...]) -> bool:
    look = [sys.executable, "-I", "-S", "-c", _LOOK, *map(str, paths)]
    done = subprocess.run(way.command(*look), capture_output=True, timeout=20, check=False, cwd="/")
    return done.returncode == 0

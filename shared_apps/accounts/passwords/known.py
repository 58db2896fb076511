"""Passwords that attackers try first: two lists from packages, and the operator's own file.

The lists are Django's 20,000 and zxcvbn's 30,000 most used, 40,000 together. They form one byte string, searched as
it is (0.4 MB, 4 ms once per process, 0.5 ms per search): a set of strings would take ten times the
memory. We read zxcvbn's file only, because importing zxcvbn costs 11 MB and 130 ms.
"""

import gzip
import hashlib
import logging
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from django.contrib.auth import password_validation

from toolkit.secrecy import hashfile

log = logging.getLogger(__name__)
_HEAD = b'"passwords": "'  # of the list in zxcvbn's file, up to the next quotation mark


def is_common(word: str) -> bool:
    """True when `word`, in lower case, is in one of the lists."""
    return b"\n%s\n" % word.encode() in _lists()


def was_stolen(password: str) -> bool:
    """True when the operator's file (`BREACHED_PASSWORDS`) has exactly this password; False without a file.

    A missing file is logged, and does not prevent anybody from choosing a password.
    """
    if not settings.BREACHED_PASSWORDS:
        return False
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest()
    try:
        return hashfile.holds(settings.BREACHED_PASSWORDS, digest)
    except OSError:
        log.exception("BREACHED_PASSWORDS cannot be read: stolen passwords are not refused")
        return False


@cache
def _lists() -> bytes:
    """All words of both lists, each between two line ends."""
    folder = Path(password_validation.__file__).parent
    ours = gzip.decompress((folder / "common-passwords.txt.gz").read_bytes())
    theirs = _of_zxcvbn().replace(b",", b"\n")
    return b"\n%s\n%s\n" % (ours.strip(), theirs)


def _of_zxcvbn() -> bytes:
    spec = find_spec("zxcvbn")  # finds a package without importing it
    assert spec is not None
    assert spec.submodule_search_locations
    file = Path(spec.submodule_search_locations[0]) / "frequency_lists.py"
    return file.read_bytes().partition(_HEAD)[2].partition(b'"')[0]

"""Search a sorted text file of SHA-1 hashes, one `HASH:count` per line, without loading it.

The downloader of Have I Been Pwned writes this form: some 40 GB, so nothing is
kept in memory. A search reads about 40 lines.
"""

import re
from pathlib import Path
from typing import BinaryIO

_LINE = re.compile(rb"([0-9A-Fa-f]{40}):\d+\r?\n?")
_LONGEST = 80  # bytes of a line, its end included, so that another kind of file is not read whole
_SAMPLES = 64


def holds(path: str | Path, digest: str) -> bool:
    """True when the file has a line for `digest` (hexadecimal, either case). Raises OSError."""
    wanted = digest.upper().encode()
    with Path(path).open("rb", buffering=256) as file:
        low, high = 0, file.seek(0, 2)
        while low < high:  # the line, if any, starts in [low, high)
            middle = (low + high) // 2
            start = _line_from(file, middle)
            line = file.readline(_LONGEST)
            found = line[:40].upper()
            if start >= high or found > wanted:
                high = middle
            elif found == wanted:
                return True
            else:
                low = start + len(line)
    return False


def complaint(path: str | Path) -> str | None:
    """Why the file cannot be used, in words; None when it looks right. Reads `_SAMPLES` lines."""
    try:
        if not Path(path).is_file():
            return "there is no such file"
        with Path(path).open("rb", buffering=256) as file:
            size = file.seek(0, 2)
            before = b""
            for place in range(_SAMPLES + 1):
                _line_from(file, max(0, size - _LONGEST) * place // _SAMPLES)
                line = _LINE.fullmatch(file.readline(_LONGEST))
                if line is None:
                    return "its lines are not of the form HASH:count, a SHA-1 in 40 hexadecimal digits"
                if line[1].upper() < before:
                    return "its lines are not sorted by hash"
                before = line[1].upper()
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return None


def _line_from(file: BinaryIO, place: int) -> int:
    """Go to the first line that starts at `place` or later; return its position."""
    if place:
        file.seek(place - 1)
        file.readline(_LONGEST)
    else:
        file.seek(0)
    return file.tell()

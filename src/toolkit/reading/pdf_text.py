"""The text of the pages of a PDF, read by PDFium in another process: it is C++, and the file comes from outside."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO

from django.utils.translation import gettext as _

from toolkit.reading import pdf_text_process as process
from toolkit.reading.errors import FileError


def texts_of(file: BinaryIO, pages: Sequence[int]) -> Iterator[str]:
    """Yield the text of each of these pages (from 0), in their order. Raises FileError."""
    if not pages:
        return
    with _readable(file) as descriptor, tempfile.TemporaryFile("w+") as asked:
        asked.writelines(f"{page}\n" for page in pages)
        asked.seek(0)
        command = [sys.executable, "-I", "-B", process.__file__, str(descriptor)]
        running = subprocess.Popen(  # noqa: S603 - our own program, on a file that we opened
            command,
            stdin=asked,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=[descriptor],
            env={"PATH": os.environ.get("PATH", "")},
        )
        found = 0
        try:
            assert running.stdout is not None
            for line in running.stdout:
                found += 1
                yield json.loads(line)
        except ValueError:
            found = -1  # it was killed in the middle of a line
        finally:
            running.kill()
            with suppress(OSError):
                running.communicate()
        if found != len(pages):
            raise FileError(
                _(
                    "Le texte de ce PDF ne se lit pas, ou il est trop grand : découpez-le, ou donnez un PDF par "
                    "facture."
                )
            )


@contextmanager
def _readable(file: BinaryIO) -> Iterator[int]:
    """The descriptor of a file with these bytes."""
    try:
        yield file.fileno()
    except (OSError, AttributeError):
        with tempfile.TemporaryFile() as copy:
            file.seek(0)
            while chunk := file.read(1024 * 1024):
                copy.write(chunk)
            copy.flush()
            yield copy.fileno()

"""A format as somebody would add it: its module and its samples, and how tests add it to the others."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tenant_apps.invoices.importing import formats as package
from tenant_apps.invoices.importing import registry
from tenant_apps.invoices.importing.format import Format

FOLDER = Path(__file__).parent / "formats"
SAMPLES = Path(__file__).parent / "samples"
OCTOBER = SAMPLES / "json-lines" / "octobre.jsonl"


@contextmanager
def added(*, alone: bool = False) -> Iterator[Format]:
    """Inside the block, the trial format is one of the formats, or the only one with `alone`."""
    before = package.__path__
    package.__path__ = [*([] if alone else before), str(FOLDER)]
    registry.formats.cache_clear()
    try:
        yield registry.named("json-lines")
    finally:
        package.__path__ = before
        registry.formats.cache_clear()
        sys.modules.pop(f"{package.__name__}.json_lines", None)

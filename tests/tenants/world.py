"""What a town is, seen from outside of the code that carries it: rows, sequences, files, registry."""

import hashlib
from typing import Any

from django.core.files.storage import storages

from tenants import direct, rows
from tenants.current import REGISTRY


def text_of(schema: str, home: str = REGISTRY) -> dict[str, Any]:
    """Every table's rows as COPY gives them, and every sequence."""
    found: dict[str, Any] = {}
    with direct.snapshot(home, schema) as server:
        for table in rows.tables(server):
            pieces: list[bytes] = []
            rows.copy_out(server, table, pieces.append)
            found[table.name] = b"".join(pieces)
        found["sequences"] = rows.sequences(server)
    return found


def files_of(prefix: str) -> dict[str, str]:
    """Key → sha256 of every object under it."""
    bucket = storages["documents"].bucket  # type: ignore[attr-defined]
    return {
        item.key: hashlib.sha256(item.get()["Body"].read()).hexdigest()
        for item in bucket.objects.filter(Prefix=prefix)
    }

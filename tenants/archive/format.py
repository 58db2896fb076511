"""What an archive is made of: a ZIP that anybody can open, and a manifest that says what must be in it.

manifest.json    the town, its addresses, its schema's version, its tables; each with its sha256
seal.json        the manifest's own sha256, and this platform's signature of it
objects.txt      a line a file: sha256, size, name
rows/T.copy      the rows of the table T of the town's schema, as the text of PostgreSQL's COPY
public/T.copy    its rows of the table T of the public schema
objects/…        its files, under the names they have in S3 after the town's UUID
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac

from tenants.errors import TownError

NAME, VERSION = "mes-factures/town", 1
MANIFEST, SEAL, OBJECTS = "manifest.json", "seal.json", "objects.txt"
ROWS, PUBLIC_ROWS, FILES = "rows/", "public/", "objects/"
# Decided by the target, or said elsewhere in the manifest: neither written nor read.
NOT_WRITTEN = ("id", "schema_name", "shard", "schema_version", "read_only_since", "tenant")
_SALT = "tenants.archive"
_TABLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SEGMENT = re.compile(r"[^/\\\x00-\x1f\x7f]{1,255}")


class DamagedArchive(TownError):
    """The file is not an archive of ours, or is damaged; the message names the part."""


class Unsealed(TownError):
    """The archive is complete, but was not sealed with this platform's key."""


@dataclass(frozen=True)
class Rows:
    """The rows of one table."""

    table: str
    columns: list[str]
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """`town` and the domains hold the columns of the registry, as text; `objects` is about objects.txt."""

    created_at: str
    created_by: str
    base_domain: str
    town: dict[str, Any]
    domains: list[dict[str, Any]]
    schema_version: str
    migrations: list[str]
    tables: list[Rows]
    public: list[Rows]
    sequences: dict[str, list[Any]]
    objects: dict[str, Any]
    left_out: dict[str, str] = field(default_factory=dict)  # table or prefix → why

    def dump(self) -> bytes:
        """The text to write in the archive."""
        content = {"format": NAME, "format_version": VERSION, **asdict(self)}
        return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def load(text: bytes) -> Manifest:
    """The manifest of that text. Raises DamagedArchive, or TownError for a format of the future."""
    content = _json(MANIFEST, text)
    if content.pop("format", None) != NAME:
        raise DamagedArchive("Ce n'est pas l'archive d'une commune (manifest.json ne le dit pas).")
    version = content.pop("format_version", None)
    if version != VERSION:
        raise TownError(f"Cette archive est au format {version} ; ce logiciel lit le format {VERSION}.")
    try:
        content["tables"] = [Rows(**rows) for rows in content["tables"]]
        content["public"] = [Rows(**rows) for rows in content["public"]]
        manifest = Manifest(**content)
        _check(manifest)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise DamagedArchive(f"manifest.json est abîmé : {error}.") from None
    return manifest


def _check(manifest: Manifest) -> None:
    """Raise ValueError when a part is malformed."""
    _must(str, manifest.schema_version, manifest.base_domain, *manifest.migrations)
    _must(dict, manifest.town, manifest.sequences, manifest.left_out, *manifest.domains)
    _must(str, *(manifest.town.get(name) for name in ("uuid", "slug", "name", "state")))
    for rows in (*manifest.tables, *manifest.public):
        _must(int, rows.rows, rows.size)
        _must(str, *rows.columns)
        if not (_TABLE.fullmatch(rows.table) and _SHA256.fullmatch(rows.sha256)):
            raise ValueError(f"la table « {rows.table} »")
    for name, (value, called) in manifest.sequences.items():
        _must(str, name)
        _must(int, value)
        _must(bool, called)
    _must(int, manifest.objects["count"], manifest.objects["size"], manifest.objects["bytes"])
    _must(str, manifest.objects["sha256"])


def _must(kind: type, *values: object) -> None:
    for value in values:
        if not isinstance(value, kind):
            raise ValueError(f"« {value} »")


def seal(manifest: bytes) -> bytes:
    """Sign the manifest with the platform's key."""
    return json.dumps(
        {"sha256": hashlib.sha256(manifest).hexdigest(), "hmac": _sign(manifest, settings.SECRET_KEY)}
    ).encode()


def check_seal(manifest: bytes, sealed: bytes, *, ours: bool) -> bool:
    """Whether our key sealed it. Raises DamagedArchive for a changed manifest, Unsealed when `ours` is required."""
    content = _json(SEAL, sealed)
    if content.get("sha256") != hashlib.sha256(manifest).hexdigest():
        raise DamagedArchive("manifest.json a été modifié ou abîmé depuis l'export.")
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    said = str(content.get("hmac")).encode("utf-8", "replace")
    is_ours = any(hmac.compare_digest(said, _sign(manifest, key).encode()) for key in keys)
    if ours and not is_ours:
        raise Unsealed(
            "Cette archive ne porte pas le sceau de cette plateforme : elle vient d'une autre, ou quelqu'un l'a "
            "modifiée. Si vous savez d'où elle vient, ajoutez --from-elsewhere."
        )
    return is_ours


def _sign(manifest: bytes, key: str | bytes) -> str:
    return salted_hmac(_SALT, manifest, secret=key, algorithm="sha256").hexdigest()


def _json(member: str, text: bytes) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise DamagedArchive(f"{member} est illisible.")
    return content


def is_safe(name: str) -> bool:
    """Whether a member may have that name: a plain relative path."""
    segments = name.split("/")
    return len(name.encode()) <= 900 and all(
        _SEGMENT.fullmatch(segment) and segment not in (".", "..") for segment in segments
    )


def object_line(sha256: str, size: int, name: str) -> str:
    """A line of objects.txt."""
    return f"{sha256} {size} {name}\n"


def parse_object_line(line: str) -> tuple[str, int, str]:
    """Sha256, size and name. Raises DamagedArchive."""
    sha256, _, rest = line.removesuffix("\n").partition(" ")
    size, _, name = rest.partition(" ")
    if not (_SHA256.fullmatch(sha256) and size.isascii() and size.isdigit() and is_safe(FILES + name)):
        raise DamagedArchive(f"objects.txt a une ligne illisible : « {line.strip()[:120]} ».")
    return sha256, int(size), name


class Measured:
    """Passes on what is written, and measures its size and sha256."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write, self._digest, self.size = write, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        """On it goes."""
        self._digest.update(data)
        self.size += len(data)
        self._write(data)
        return len(data)

    def flush(self) -> None:
        """Nothing waits here."""

    @property
    def sha256(self) -> str:
        """Of all that was written."""
        return self._digest.hexdigest()

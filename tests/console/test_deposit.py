"""« Restaurer une archive »: a file is checked before anything is kept, kept like an export, and restored."""

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings

from shared_apps.audit.models import AuditEntry
from tenants.archive import exporting
from tenants.archive import format as form
from tenants.models import Operation, OperationState, Town
from tenants.work import operations
from toolkit.files import objects

PAGE = "/restaurer/"


def send(console: Client, content: bytes) -> Any:
    return console.post(PAGE, {"archive": SimpleUploadedFile("archive.zip", content)})


def test_a_file_is_kept_restored_beside_its_town_and_removed(
    live_town: Town, live_console: Client, tmp_path: Path
) -> None:
    console, path = live_console, tmp_path / "town.zip"
    exporting.export_to_file(town=live_town, path=path, actor="system", watch=lambda operation: None)
    answer = send(console, path.read_bytes())
    kept = Operation.objects.get(kind=exporting.DEPOSIT)
    assert answer["Location"] == f"/operations/{kept.uuid}/restaurer/"
    assert (kept.subject, kept.state, kept.result["size"]) == (live_town.slug, "done", path.stat().st_size)
    assert AuditEntry.objects.get(verb="archive.deposited").new["slug"] == live_town.slug
    assert "Télécharger l'archive" in console.get(f"/operations/{kept.uuid}/").content.decode()
    assert Town.objects.filter(slug=live_town.slug).count() == 1  # nothing has changed yet

    copy = f"{live_town.slug[:20]}-bis"
    asked = console.post(answer["Location"], {"slug": copy})["Location"].split("/")[2]
    done = operations.perform(Operation.objects.get(uuid=asked).pk)
    assert done.state == OperationState.DONE, done.error
    restored = Town.objects.get(slug=copy)
    assert restored.copy_of == live_town.uuid
    assert restored.siren == live_town.siren
    erase = console.post(f"/communes/{copy}/effacer/", {"reason": "Essai", "confirmation": copy})
    assert operations.perform(Operation.objects.get(uuid=erase["Location"].split("/")[2]).pk).state == "done"

    assert exporting.sweep(now=kept.due_at - timedelta(minutes=1)) == 0
    assert exporting.sweep(now=kept.due_at) == 1
    assert not list(objects.listed(kept.result["key"].rpartition("/")[0] + "/"))
    assert console.get(answer["Location"]).status_code == 404


def unsealed(tmp_path: Path) -> bytes:
    """Complete, and sealed with another platform's key."""
    manifest = form.MANIFEST
    with override_settings(SECRET_KEY="another platform's"):
        seal = form.seal(b"{}")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(manifest, b"{}")
        archive.writestr(form.SEAL, seal)
    return file.getvalue()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: b"no archive", "pas une archive entière"),
        (lambda path: b"", "Ce fichier est vide"),
        (unsealed, "plateforme"),
    ],
)
def test_what_is_no_archive_of_ours_is_refused_and_nothing_is_kept(
    console: Client, tmp_path: Path, make: Callable[[Path], bytes], words: str
) -> None:
    before = list(objects.listed("platform/exports/"))
    answer = send(console, make(tmp_path))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Operation.objects.exists()
    assert list(objects.listed("platform/exports/")) == before


def test_too_large_a_file_is_not_read(console: Client, settings: Any) -> None:
    settings.ARCHIVE_MAX_BYTES = 1024
    answer = send(console, b"x" * 100_000)
    assert answer.status_code == 413
    assert "restore_town" in answer.content.decode()


def test_the_token_is_asked_for(console: Client) -> None:
    strict = Client(enforce_csrf_checks=True, headers={"host": "admin.localhost"})
    strict.cookies = console.cookies
    assert send(strict, b"x").status_code == 403

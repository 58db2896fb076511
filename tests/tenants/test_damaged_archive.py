"""A damaged or doubtful archive says which part of it is wrong, and changes nothing."""

import json
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from tenants.archive import format as form
from tenants.life import services
from tenants.models import Operation, OperationState, Town
from tenants.states import TownState
from tests.tenants.conftest import MakeTown
from tests.tenants.world import platform

Parts = dict[str, bytes]
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def gone(make_town: MakeTown, tmp_path: Path) -> tuple[str, Path]:
    """The slug of a town that was erased, and its archive."""
    town = make_town(invoices=2)
    path = tmp_path / "town.zip"
    call_command("export_town", town.slug, "--to", str(path))
    services.set_state(town=town, to=TownState.SUSPENDED)
    call_command("erase_town", town.slug, "--reason", "Essai", "--yes")
    return town.slug, path


def parts_of(path: Path) -> Parts:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path: Path, parts: Parts | list[tuple[str, bytes]], *, deflate: str = "\0") -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items() if isinstance(parts, dict) else parts:
            archive.writestr(
                zipfile.ZipInfo(name),
                content,
                zipfile.ZIP_DEFLATED if name.startswith(deflate) else zipfile.ZIP_STORED,
            )


def refused(path: Path, *words: str, **options: Any) -> str:
    """Restoring it says all the words, and nothing is changed."""
    before = platform()
    with pytest.raises(CommandError) as caught:
        call_command("restore_town", str(path), **options)
    said = str(caught.value)
    for word in words:
        assert word in said
    assert platform() == before
    assert not Operation.objects.filter(state__in=[OperationState.WAITING, OperationState.RUNNING]).exists()
    return said


def first(parts: Parts, start: str) -> str:
    return next(name for name in parts if name.startswith(start))


def test_bytes_that_changed_or_went(gone: tuple[str, Path], tmp_path: Path) -> None:
    slug, path = gone
    whole, parts = path.read_bytes(), parts_of(path)
    with zipfile.ZipFile(path) as archive:
        for start in (
            "objects/invoices",
            "rows/invoices_invoice",
            "public/",
            "objects.txt",
            "manifest",
            "seal",
        ):
            member = archive.getinfo(first(parts, start))
            at = member.header_offset + 30 + len(member.filename) + 20 + member.compress_size // 2
            damaged = bytearray(whole)
            damaged[at] ^= 0x10
            (tmp_path / "flipped.zip").write_bytes(damaged)
            refused(tmp_path / "flipped.zip", member.filename)
    for size in (0, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "short.zip").write_bytes(whole[:size])
        refused(tmp_path / "short.zip", "tronqué ou illisible")
    refused(tmp_path / "nowhere.zip", "ne peut pas être lu")
    call_command("restore_town", str(path))  # what was refused so often is in nobody's way
    assert Town.objects.get(slug=slug).state == TownState.OPEN


def test_members_that_are_missing_or_too_many(gone: tuple[str, Path], tmp_path: Path) -> None:
    _slug, path = gone
    parts, other = parts_of(path), tmp_path / "other.zip"
    for start in ("objects/invoices", "rows/invoices_invoice", "public/", "objects.txt", "manifest", "seal"):
        name = first(parts, start)
        write(other, {n: content for n, content in parts.items() if n != name})
        refused(other, name, "manque")
    for name in ("rows/parking_meter.copy", "objects/invoices/2026/more.pdf", "run.sh"):
        write(other, {**parts, name: b"1\n"})
        refused(other, name, "sans être annoncé")
    for name in (
        "../../etc/passwd",
        "/etc/passwd",
        "objects/../../x",
        "objects\\..\\x",
        "objects//x",
        "a\nb",
        "..",
    ):
        write(other, {**parts, name: b"x"})
        refused(other, "nom dangereux")
    twice = first(parts, "rows/invoices_invoice")
    with pytest.warns(UserWarning, match="Duplicate"):
        write(other, [*parts.items(), (twice, b"")])
    refused(other, twice, "deux fois")


def test_members_that_swell(gone: tuple[str, Path], tmp_path: Path) -> None:
    _slug, path = gone
    parts, other = parts_of(path), tmp_path / "other.zip"
    name = first(parts, "rows/invoices_invoice")
    write(other, {**parts, name: b"\n" * 60_000_000}, deflate=name)
    refused(other, name, "suspecte")
    name = first(parts, "objects/invoices")
    write(other, parts, deflate=name)
    refused(other, name, "suspecte")


def edited(path: Path, to: Path, change: Callable[[dict[str, Any]], None], *, sealed: bool) -> Path:
    parts = parts_of(path)
    manifest = json.loads(parts["manifest.json"])
    change(manifest)
    parts["manifest.json"] = json.dumps(manifest).encode()
    if sealed:
        parts["seal.json"] = form.seal(parts["manifest.json"])
    write(to, parts)
    return to


def test_a_manifest_that_was_edited(gone: tuple[str, Path], tmp_path: Path) -> None:
    _slug, path = gone
    other = tmp_path / "other.zip"

    def renamed(manifest: dict[str, Any]) -> None:
        manifest["town"]["name"] = "Autre commune"

    refused(edited(path, other, renamed, sealed=False), "manifest.json a été modifié")
    with override_settings(SECRET_KEY="another platform's"):
        edited(path, other, renamed, sealed=True)
    refused(other, "sceau", "--from-elsewhere")

    for field, value in (
        ("tables", "x"),
        ("tables", [{"table": "a"}]),
        ("sequences", {"x": 1}),
        ("town", {"uuid": "not one"}),
        ("town", {"uuid": str(uuid.uuid4()), "slug": "a" * 60, "name": "x", "state": "open"}),
        ("town", {"uuid": str(uuid.uuid4()), "slug": "lauzerte", "name": "x", "state": "lost"}),
        ("town", {"uuid": "not one", "slug": "lauzerte", "name": "x", "state": "open"}),
        ("migrations", [3]),
        ("unheard_of", 1),
    ):
        said = refused(edited(path, other, lambda m, f=field, v=value: m.update({f: v}), sealed=True))  # type: ignore[misc]
        assert "manifest.json" in said, said
    refused(edited(path, other, lambda m: m.update(format_version=2), sealed=True), "format 2")
    refused(edited(path, other, lambda m: m.update(format="zip"), sealed=True), "pas l'archive d'une commune")
    refused(edited(path, other, lambda m: m["tables"][0].update(rows=99), sealed=True), "annonce 99")
    later = edited(path, other, lambda m: m["migrations"].append("payments.9999_later"), sealed=True)
    refused(later, "9999_later", "plus récente")
    refused(path, "Aucune base", shard="mars")
    refused(path, "réservé", slug="admin")
    refused(path, "est à l'adresse", slug="mairie")


def test_rows_that_the_database_refuses(gone: tuple[str, Path], tmp_path: Path) -> None:
    """Sealed and consistent, and yet wrong: found while it is loaded, and everything begun is taken away."""
    _slug, path = gone
    parts, other = parts_of(path), tmp_path / "other.zip"

    def forge(name: str, content: bytes) -> Path:
        forged = {**parts, name: content}
        manifest = json.loads(parts["manifest.json"])
        (table,) = [t for t in manifest["tables"] if name == f"rows/{t['table']}.copy"]
        measured = form.Measured(lambda piece: None)
        measured.write(content)
        table.update(sha256=measured.sha256, size=measured.size, rows=content.count(b"\n"))
        forged["manifest.json"] = json.dumps(manifest).encode()
        forged["seal.json"] = form.seal(forged["manifest.json"])
        write(other, forged)
        return other

    refused(forge("rows/residents_payer.copy", b""), "La base de données refuse", "ForeignKeyViolation")
    refused(forge("rows/residents_payer.copy", b"1\tx\n"), "La base de données refuse")
    invoices = parts["rows/invoices_invoice.copy"]
    refused(forge("rows/invoices_invoice.copy", invoices.replace(b"37.50", b"-1.00")), "CheckViolation")


def test_an_archive_from_another_platform(gone: tuple[str, Path], tmp_path: Path) -> None:
    slug, path = gone
    other = tmp_path / "other.zip"
    with override_settings(SECRET_KEY="another platform's"):
        edited(path, other, lambda m: m.update(base_domain="elsewhere.example"), sealed=True)
    call_command("restore_town", str(other), from_elsewhere=True)
    assert Town.objects.get(slug=slug).state == TownState.OPEN

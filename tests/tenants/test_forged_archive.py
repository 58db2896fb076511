"""An archive that somebody made to harm: whatever it says, it touches its own town and nothing else."""

import hashlib
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings

from tenants.archive import format as form
from tenants.models import Domain, DomainKind, Town
from tests.tenants.test_damaged_archive import parts_of, refused, write
from tests.tenants.world import whole

pytestmark = pytest.mark.timeout(120)
Change = Callable[[dict[str, Any]], object]


def forge(archived: tuple[Town, Path], change: Change, *, keys: str = "") -> tuple[str, Path]:
    """The archive of a town as another one's, sealed by another platform; its files are its own, or `keys`."""
    town, path = archived
    new, slug = str(uuid.uuid4()), f"{town.slug}-autre"
    parts = parts_of(path)
    manifest = json.loads(parts["manifest.json"])
    manifest["town"].update(uuid=new, slug=slug)
    manifest["domains"] = []
    for table in manifest["tables"]:
        name = f"rows/{table['table']}.copy"
        parts[name] = parts[name].replace(str(town.uuid).encode(), (keys or new).encode())
        table.update(size=len(parts[name]), sha256=hashlib.sha256(parts[name]).hexdigest())
    change(manifest)
    parts["manifest.json"] = json.dumps(manifest).encode()
    with override_settings(SECRET_KEY="another platform's"):
        parts["seal.json"] = form.seal(parts["manifest.json"])
    forged = path.with_name("forged.zip")
    write(forged, parts)
    return slug, forged


def test_a_forged_number_takes_nobodys_row(archived: tuple[Town, Path]) -> None:
    """The numbers of rows are the registry's: a manifest that gives some would write over another town's."""
    victim = archived[0]
    host = Domain.objects.get(tenant=victim)
    before = whole(victim)

    def change(manifest: dict[str, Any]) -> None:
        manifest["town"].update(
            id=victim.pk, schema_name=victim.schema_name, read_only_since="2026-01-01T00:00Z"
        )
        manifest["domains"] = [
            {"id": host.pk, "domain": "factures.example.fr", "kind": "custom", "is_primary": "False"}
        ]

    slug, path = forge(archived, change)
    call_command("restore_town", str(path), from_elsewhere=True)
    assert whole(victim) == before
    assert Domain.objects.get(pk=host.pk).domain == host.domain
    came = Town.objects.get(slug=slug)
    assert came.pk != victim.pk
    assert came.schema_name != victim.schema_name
    assert came.read_only_since is None


def test_a_forged_proof_proves_nothing(archived: tuple[Town, Path]) -> None:
    """Else the links of its messages, and a certificate, would be for a domain that nobody has proven here."""
    hosts = {f"{uuid.uuid4().hex[:8]}.example.fr": kind for kind in DomainKind.values}
    said = {"is_primary": "True", "proof": "v=spf1 -all", "proven_at": "2026-01-01T00:00:00Z"}
    slug, path = forge(
        archived,
        lambda m: m["domains"].extend({**said, "domain": host, "kind": kind} for host, kind in hosts.items()),
    )
    call_command("restore_town", str(path), from_elsewhere=True)
    for host in hosts:
        domain = Domain.objects.get(domain=host)
        assert not domain.is_served
        assert not domain.is_primary
        assert domain.proof not in ("", said["proof"])
    assert Domain.objects.get(tenant__slug=slug, is_primary=True).domain == f"{slug}.{settings.BASE_DOMAIN}"


def test_a_forged_address_of_the_platform(archived: tuple[Town, Path]) -> None:
    for label in ("admin", "a.b", "xn--mairi-fsa"):
        host = {"domain": f"{label}.{settings.BASE_DOMAIN}", "kind": "former"}
        _slug, path = forge(archived, lambda m, host=host: m["domains"].append(host))  # type: ignore[misc]
        refused(path, label, from_elsewhere=True)


def test_rows_that_name_files_of_others(archived: tuple[Town, Path]) -> None:
    """The portal signs links to what a row names: it must be the town's own."""
    victim, own = archived[0].uuid, uuid.uuid4()
    for place in (
        f"{victim}",
        f"{own}/../{victim}",
        rf"{own}\\..\\{victim}",
        f"{own}/./x",
        "platform/exports",
    ):
        _slug, path = forge(archived, lambda m: m["town"].update(uuid=str(own)), keys=place)
        assert "invoices_" in refused(path, "n'est pas de cette commune", from_elsewhere=True)


def test_a_seal_that_is_no_text_of_ours(archived: tuple[Town, Path]) -> None:
    _slug, path = forge(archived, lambda m: None)
    parts = parts_of(path)
    seal = json.loads(parts["seal.json"])
    parts["seal.json"] = json.dumps({**seal, "hmac": "é"}).encode()
    write(path, parts)
    with pytest.raises(CommandError, match="sceau"):
        call_command("restore_town", str(path))

"""A file that a gateway writes into the folder goes the road of an import, once, and is put away."""

from typing import Any

import pytest
from django.core.files.storage import storages

from shared_apps.accounts.models import Account, Role
from shared_apps.audit.models import AuditEntry
from tenant_apps.invoices import services
from tenant_apps.invoices.inbox import following, taking
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.invoices.states import BatchState
from tenant_apps.residents import inboxes
from tenant_apps.residents.models import Arrival
from tenant_apps.residents.states import ArrivalState
from tests.invoices.importing.batches import archive, pdf
from tests.invoices.inbox.conftest import DUBOIS, MARTIN, Gateway, csv
from toolkit.files import objects
from toolkit.files.objects import bucket


def test_it_is_read_and_waits_for_the_clerk(gateway: Gateway) -> None:
    gateway.put("octobre.csv")
    gateway.arrives()
    batch = gateway.batch()
    assert (batch.state, batch.new_count, batch.rows_name) == (BatchState.READY, 2, "octobre.csv")
    (mail,) = gateway.mails()
    assert (mail.kind, mail.to) == ("import-to-check", "clerk@example.net")
    assert f"/gestion/imports/{batch.uuid}/" in mail.text
    assert "2 factures nouvelles" in mail.text
    assert "MARTIN" not in mail.text
    assert gateway.names() == ["traites/octobre.csv"]
    assert not Invoice.objects.filter(state="published").exists()
    gateway.later()
    assert Batch.objects.count() == len(gateway.mails()) == 1
    arrived = AuditEntry.objects.get(verb="batch.arrived")
    assert arrived.new["account"] == str(gateway.clerk.uuid)


def test_a_file_that_grows_is_not_taken(gateway: Gateway) -> None:
    gateway.put("octobre.csv", csv(MARTIN))
    gateway.look()
    gateway.put("octobre.csv", csv(MARTIN, DUBOIS))
    gateway.later()
    assert not Batch.objects.exists()
    gateway.later()
    gateway.work()
    assert gateway.batch().new_count == 2


def test_a_mark_says_that_it_is_whole(gateway: Gateway) -> None:
    gateway.put("octobre.csv")
    gateway.put("novembre.csv", csv(DUBOIS))
    gateway.put("octobre.csv.ok", b"")
    gateway.look()
    assert [batch.rows_name for batch in Batch.objects.all()] == ["octobre.csv"]
    gateway.work()
    assert gateway.names() == ["novembre.csv", "traites/octobre.csv", "traites/octobre.csv.ok"]


def test_between_two_looks_nothing_is_asked_of_s3(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    from tenant_apps.invoices.inbox import looking

    asked: list[str] = []
    look = looking.look
    monkeypatch.setattr(looking, "look", lambda folder: asked.append(folder) or look(folder))
    for n in range(5):
        gateway.put(f"{n}.csv", csv(MARTIN.replace("2026-1", f"2026-{n}")))
    for _ in range(4):
        gateway.look()
    assert asked == [gateway.folder]


def test_with_its_pdfs(gateway: Gateway) -> None:
    gateway.put("octobre.csv")
    gateway.put("OCTOBRE.zip", archive(**{"2026-1": pdf("a"), "2026-2": pdf("b")}).getvalue())
    gateway.arrives()
    batch = gateway.batch()
    assert (batch.state, batch.document_count, batch.documents_name) == (BatchState.READY, 2, "OCTOBRE.zip")
    assert gateway.names() == ["traites/OCTOBRE.zip", "traites/octobre.csv"]


def test_whose_pdfs_nobody_knows(gateway: Gateway) -> None:
    gateway.put("octobre.csv")
    gateway.put("octobre.txt", csv(DUBOIS))
    gateway.put("octobre.zip", archive(**{"2026-1": pdf("a")}).getvalue())
    gateway.arrives()
    assert not Batch.objects.exists()
    (mail,) = gateway.mails()
    assert "on ne sait pas lequel elle accompagne : octobre.csv, octobre.txt" in mail.text
    assert gateway.names() == ["refuses/octobre.csv", "refuses/octobre.txt", "refuses/octobre.zip"]


def test_an_archive_alone_waits_for_its_billing_file(gateway: Gateway) -> None:
    gateway.put("octobre.zip", archive(**{"2026-1": pdf("a")}).getvalue())
    gateway.arrives()
    assert gateway.names() == ["octobre.zip"]
    gateway.put("octobre.csv")
    gateway.later()
    gateway.later()
    gateway.work()
    assert gateway.batch().document_count == 1
    gateway.put("novembre.zip", archive(**{"2026-1": pdf("c")}).getvalue())
    for _ in range(14):
        gateway.later()
    gateway.work()
    (_, mail) = gateway.mails()  # then it is a send of PDFs alone
    assert "novembre.zip" in mail.text
    assert "traites/novembre.zip" in gateway.names()


def test_what_no_import_can_be_made_of(gateway: Gateway) -> None:
    gateway.put("vide.csv", b"")
    gateway.put("octobre.csv")
    gateway.arrives()
    assert gateway.batch().rows_name == "octobre.csv"
    refused = next(mail for mail in gateway.mails() if mail.kind == "import-failed")
    assert refused.subject.startswith("Un fichier n'a pas pu être importé")
    assert "vide.csv" in refused.text
    assert "Le fichier est vide" in refused.text
    assert gateway.names() == ["refuses/vide.csv", "traites/octobre.csv"]


def test_what_is_no_billing_is_refused_by_the_check(gateway: Gateway) -> None:
    gateway.put("photo.jpg", b"\xff\xd8\xff\xe0 no billing")
    gateway.arrives()
    assert gateway.batch().state == BatchState.REFUSED
    assert gateway.mails()[0].kind == "import-failed"
    assert gateway.names() == ["refuses/photo.jpg"]


def test_too_large_is_not_even_read(gateway: Gateway, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 100
    gateway.put("octobre.csv")
    gateway.arrives()
    assert not Batch.objects.exists()
    assert "en plusieurs envois" in gateway.mails()[0].text
    assert gateway.names() == ["refuses/octobre.csv"]


def test_errors_are_told_with_the_first_reasons(gateway: Gateway) -> None:
    rows = [MARTIN.replace("2026-1;", f"2026-{n};").replace("12,00", "douze") for n in range(9)]
    gateway.put("octobre.csv", csv(*rows))
    gateway.arrives()
    batch = gateway.batch()
    assert batch.state == BatchState.REFUSED
    (mail,) = gateway.mails()
    assert mail.kind == "import-failed"
    assert "ligne 2 : " in mail.text
    assert "et 4 autres" in mail.text
    assert f"/gestion/imports/{batch.uuid}/" in mail.text
    assert gateway.names() == ["refuses/octobre.csv"]


def test_the_same_file_twice_is_said(gateway: Gateway) -> None:
    gateway.put("octobre.csv")
    gateway.arrives()
    first = gateway.batch()
    gateway.put("octobre.csv")
    gateway.put("copie.csv")
    gateway.arrives()
    assert Batch.objects.count() == 1
    told = [mail for mail in gateway.mails() if mail.kind == "import-failed"]
    assert len(told) == 2
    assert all("déjà été reçu" in mail.text and str(first.uuid) in mail.text for mail in told)
    assert sorted(gateway.names()) == ["refuses/copie.csv", "refuses/octobre.csv", "traites/octobre.csv"]
    services.discard_batch(actor="system", batch=first)  # it counts no more: the file may come again
    gateway.put("encore.csv")
    gateway.arrives()
    assert Batch.objects.count() == 2


def test_another_file_under_the_same_name_is_another_import(gateway: Gateway) -> None:
    gateway.put("factures.csv", csv(MARTIN))
    gateway.arrives()
    gateway.put("factures.csv", csv(DUBOIS))
    gateway.arrives()
    assert [batch.new_count for batch in Batch.objects.all()] == [1, 1]
    assert gateway.names() == ["traites/factures.csv", "traites/factures.csv"]


def test_one_written_anew_while_it_is_imported_is_not_lost(gateway: Gateway) -> None:
    gateway.put("factures.csv", csv(MARTIN))
    gateway.look()
    gateway.later()  # taken
    gateway.put("factures.csv", csv(DUBOIS))
    gateway.work()
    assert gateway.names() == ["factures.csv"]  # the new one; the import keeps the bytes of the first
    gateway.later()
    gateway.later()
    gateway.work()
    assert Batch.objects.count() == 2
    assert gateway.names() == ["traites/factures.csv"]


@pytest.mark.parametrize(
    "name", ["été & « co » #1 %41+.csv", "a\\b..csv", "x" * 180 + ".csv", "de ux\u00a0é.csv"]
)
def test_odd_names(gateway: Gateway, name: str) -> None:
    gateway.put(name)
    gateway.arrives()
    assert gateway.batch().new_count == 2
    (away,) = gateway.names()
    assert away.startswith("traites/")


def test_what_is_not_a_file_of_billing_yet_is_left_alone(gateway: Gateway) -> None:
    for name in (".cache", "octobre.csv.part", "octobre.csv.filepart", "seul.ok", "plus-tard/octobre.csv"):
        gateway.put(name)
    gateway.arrives()
    assert not Arrival.objects.exists()
    assert len(list(objects.listed(gateway.folder))) == 5


# --- published without a person ---------------------------------------------------------------------


def test_sound_and_new_is_published(gateway: Gateway) -> None:
    gateway.set(publishes_alone=True)
    gateway.put("octobre.csv")
    gateway.arrives()
    assert gateway.batch().state == BatchState.PUBLISHED
    assert Invoice.objects.filter(state="published").count() == 2
    assert gateway.mails() == []
    assert gateway.names() == ["traites/octobre.csv"]
    gateway.put("encore.csv", csv(MARTIN, DUBOIS) + b"\r\n")  # the same invoices: nothing to say
    gateway.arrives()
    assert gateway.batch().state == BatchState.READY
    assert gateway.mails() == []


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (MARTIN.replace("12,00", "13,00"), "1 facture en ligne change"),
        ("2026-3;01/10/2026;31/12/2026;2026;9,00;Cantine;C1;MARTIN;Alicia", "1 redevable connu change"),
        ("2026-3;01/10/2026;31/12/2026;2026;9,00;Cantine;C1;LEROY;Paul", "1 question sur un redevable"),
        ("2026-3;01/10/2026;31/12/2026;2026;250000,00;Cantine;C3;LEROY;Paul", "1 avertissement à lire"),
    ],
)
def test_what_a_person_must_see_waits(gateway: Gateway, row: str, words: str) -> None:
    gateway.set(publishes_alone=True)
    gateway.put("octobre.csv")
    gateway.arrives()
    gateway.put("novembre.csv", csv(row))
    gateway.arrives()
    assert gateway.batch().state == BatchState.READY
    (mail,) = gateway.mails()
    assert mail.kind == "import-to-check"
    assert words in mail.text
    assert "traites/novembre.csv" in gateway.names()


# --- for whom, and when not --------------------------------------------------------------------------


def test_within_the_limits_of_the_clerk(gateway: Gateway) -> None:
    from tenant_apps.products.services import limit_member, set_up_product

    pool = set_up_product(actor="system", code="PISCINE", label="Régie piscine")
    limit_member(actor="system", account=gateway.clerk, products=[pool])
    gateway.put("octobre.csv")  # of the town's default régie, which is not theirs
    gateway.arrives()
    batch = gateway.batch()
    assert (batch.limited_to, batch.state) == ([pool.pk], BatchState.REFUSED)
    gateway.put("piscine.csv", b"R\xc3\xa9gie;" + csv(DUBOIS).replace(b"\r\n", b"\r\nPISCINE;"))
    gateway.arrives()
    batch = gateway.batch()
    assert (batch.state, batch.product_ids) == (BatchState.READY, [pool.pk])
    assert [mail.product_ids for mail in gateway.mails()] == [[pool.pk], [pool.pk]]


@pytest.mark.parametrize("what", ["suspended", "reader", "gone"])
def test_nobody_to_tell_stops_the_folder(gateway: Gateway, what: str) -> None:
    """Whoever has left has no limits any more: their files would be imported for every régie."""
    gateway.put("octobre.csv")
    gateway.look()
    if what == "gone":
        type(gateway.source).objects.update(clerk=None)
    else:
        changed = {"suspended": {"is_active": False}, "reader": {"role": Role.READER}}[what]
        Account.objects.filter(pk=gateway.clerk.pk).update(**changed)
    gateway.later()
    assert not Batch.objects.exists()
    assert gateway.names() == ["octobre.csv"]
    assert inboxes.standing_still() == [gateway.source]


def test_a_town_that_closes_takes_nothing(gateway: Gateway, town: Any) -> None:
    from tenants.states import TownState

    gateway.put("octobre.csv")
    gateway.look()
    town.state = TownState.CLOSING
    try:
        gateway.later()
    finally:
        town.state = TownState.OPEN
    assert gateway.names() == ["octobre.csv"]
    assert not Batch.objects.exists()


def test_a_folder_that_cannot_be_listed_is_seen_and_comes_back(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.put("octobre.csv")
    right = storages["documents"].bucket_name
    monkeypatch.setattr(storages["documents"], "bucket_name", "another-bucket")
    for _ in range(inboxes.SEEN_FAILING):
        gateway.later()
    (source,) = inboxes.standing_still()
    assert source.silent_since is not None
    assert inboxes.wait_of(source) > inboxes.EVERY
    monkeypatch.setattr(storages["documents"], "bucket_name", right)
    gateway.later()
    assert inboxes.standing_still() == []
    gateway.later()
    gateway.work()
    assert gateway.batch().new_count == 2


# --- killed at any point -----------------------------------------------------------------------------


class Killed(BaseException):
    """As a kill -9: nothing of ours handles it."""


POINTS = [
    (taking, "_import"),
    (taking.services, "create_batch"),
    (taking, "_attach"),
    (taking.telling, "tell_not_taken"),
    (following, "_end"),
    (following.telling, "tell_to_check"),
    (following, "put_away"),
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("module", "name"), POINTS, ids=lambda one: getattr(one, "__name__", one))
def test_killed_and_started_again(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, when: str
) -> None:
    """The same end as without: one import, one message, the file put away."""
    gateway.put("octobre.csv")
    gateway.put("vide.csv", b"")
    real, hits = getattr(module, name), []

    def dies(*args: Any, **how: Any) -> Any:
        result = real(*args, **how) if when == "after" or hits else None
        if not hits:
            hits.append(name)
            raise Killed
        return result

    monkeypatch.setattr(module, name, dies)
    for step in (gateway.look, *[gateway.later, gateway.work] * 4):
        try:
            step()
        except Killed:
            continue
    assert hits
    assert Batch.objects.filter(state=BatchState.READY).count() == Batch.objects.count() == 1
    assert sorted(mail.kind for mail in gateway.mails()) == ["import-failed", "import-to-check"]
    assert gateway.names() == ["refuses/vide.csv", "traites/octobre.csv"]
    assert not Arrival.objects.filter(put_away_at=None).exists()


def test_three_kills_are_the_end(gateway: Gateway) -> None:
    gateway.put("octobre.csv")
    gateway.look()
    Arrival.objects.update(attempts=3)
    gateway.later()
    gateway.work()
    assert "interrompu trois fois" in gateway.mails()[0].text
    assert Arrival.objects.get().state == ArrivalState.REFUSED
    assert gateway.names() == ["refuses/octobre.csv"]


def test_copied_but_not_deleted(gateway: Gateway) -> None:
    """Killed between the two: the copy is made again, and the first one goes."""
    gateway.put("octobre.csv")
    gateway.arrives()
    Arrival.objects.update(put_away_at=None)
    bucket().put_object(Key=f"{gateway.folder}octobre.csv", Body=csv(MARTIN, DUBOIS))
    gateway.look()
    assert gateway.names() == ["traites/octobre.csv"]
    assert Batch.objects.count() == 1

"""A folder of the town's source, on real S3, into which a gateway writes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from shared_apps.accounts.models import Account, Role
from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.inbox import looking
from tenant_apps.invoices.models import Batch
from tenant_apps.residents import inboxes
from tenant_apps.residents.models import Arrival, Source
from tenant_apps.residents.sources import default_source
from tenants.models import Town
from toolkit.files import objects
from toolkit.files.objects import bucket

TITLES = "Numéro;Date;Échéance;Exercice;Montant;Objet;Code redevable;Nom;Prénom"
MARTIN = "2026-1;01/10/2026;31/12/2026;2026;12,00;Cantine;C1;MARTIN;Alice"
DUBOIS = "2026-2;01/10/2026;31/12/2026;2026;15,50;Cantine;C2;DUBOIS;Bruno"


def csv(*rows: str) -> bytes:
    return "\r\n".join((TITLES, *rows)).encode()


@dataclass
class Gateway:
    """What writes into the folder, and what has become of it."""

    source: Source
    clerk: Account

    def put(self, name: str, content: bytes = csv(MARTIN, DUBOIS)) -> None:
        bucket().put_object(Key=self.folder + name, Body=content)

    @property
    def folder(self) -> str:
        return inboxes.folder_of(self.source)

    def names(self) -> list[str]:
        """What is in the folder; the day and the mark of an arrival are left out."""
        found = [key.removeprefix(self.folder) for key, _ in objects.listed(self.folder)]
        return [
            name if "/" not in name else f"{name.split('/')[0]}/{name.split('/', 2)[2]}" for name in found
        ]

    def look(self) -> None:
        """The agenda's task, when it is due."""
        looking.work()

    def later(self) -> None:
        """Time goes by, and the agenda's task runs."""
        for one in (Source.objects.exclude(looked_at=None), Arrival.objects.all()):
            for row in one:
                if isinstance(row, Source):
                    row.looked_at -= inboxes.LONGEST  # type: ignore[operator]
                    row.save(update_fields=["looked_at"])
                else:
                    row.seen_at -= inboxes.EVERY
                    row.save(update_fields=["seen_at"])
        self.look()

    def arrives(self) -> None:
        """Two looks: what did not change is taken; then the worker, and what follows."""
        self.later()
        self.later()
        self.work()

    def work(self) -> None:
        """The worker and the follower, until nothing moves."""
        for _ in range(3):
            processing.process_waiting()
            looking.work()

    def batch(self) -> Batch:
        return Batch.objects.latest("id")

    def mails(self) -> list[OutgoingMail]:
        return list(OutgoingMail.objects.filter(kind__startswith="import-").order_by("id"))

    def set(self, **values: Any) -> None:
        self.source = inboxes.watch(
            actor="system",
            source=self.source,
            **{"is_watched": True, "clerk": self.clerk, "publishes_alone": False, **values},
        )


@pytest.fixture
def gateway(town: Town, make_account: Callable[..., Account]) -> Iterator[Gateway]:
    """Watched, for the clerk; checked only."""
    found = Gateway(default_source(), make_account("clerk@example.net", role=Role.CLERK))
    sum(objects.erase(found.folder))
    found.set()
    yield found
    sum(objects.erase(found.folder))

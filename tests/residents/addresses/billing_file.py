"""A file of billing that gives or takes addresses, and an account at one of them."""

import io

from shared_apps.accounts.models import Account
from tenant_apps.invoices import services as imports
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.decisions import answering
from tenant_apps.invoices.models import Batch
from tenant_apps.invoices.states import Answer
from tenant_apps.residents import activation
from tenant_apps.residents.emails import billing
from tenant_apps.residents.models import Payer, PayerEmail
from tests.conftest import PASSWORD
from tests.residents.mails import lien

ALICE, NEW, BOB = "alice@example.net", "alice.new@example.net", "bob@example.net"
HEADER = "Numéro;Date;Échéance;Montant;Objet;Code redevable;Nom;Prénom"
ROW = "2026-001-{n:06};01/10/2026;31/12/2026;25,00;CANTINE;P00001;MARTIN;Alice"


def a_file(n: int, *cells: str, column: bool = True) -> Batch:
    """Publish a file of one payer, P00001: a row for each of `cells`, his addresses; or without any such column."""
    rows = [ROW.format(n=n * 100 + i) + (f";{cell}" if column else "") for i, cell in enumerate(cells)]
    content = "\r\n".join([HEADER + (";E-mail" if column else ""), *rows]).encode()
    batch = imports.create_batch(actor="system", rows_file=io.BytesIO(content), rows_name="factures.csv")
    processing.process_waiting()
    batch.refresh_from_db()
    for asked in imports.open_questions(
        batch
    ):  # another first name and another address: it is the same person
        answering.answer_question(actor="system", update=asked, answer=Answer.SAME)
    imports.publish_batch(actor="system", batch=batch)
    processing.process_waiting()
    batch.refresh_from_db()
    assert batch.state == "published"
    return batch


def known(payer: Payer | None = None) -> set[str]:
    payer = payer or Payer.objects.get()
    return set(PayerEmail.objects.filter(payer=payer).values_list("email", flat=True))


def activated(email: str) -> Account:
    activation.request_activation(email=email)
    activation.handle_links()
    return activation.activate(token=lien("link-activation", email), password=PASSWORD)


def take(payer: Payer, by_staff: bool) -> None:
    if by_staff:
        billing.remove_email(actor="account:clerk", payer=payer, email=ALICE)
    else:
        billing.replace_emails({payer.pk: []}, actor="system")

"""`python -m sandbox.demo`: the demonstration towns, through the services of real ones. Twice changes nothing."""

import io
import os
import shlex
import sys
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import uuid4

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 - Django must be set up first
from django_tenants.utils import tenant_context  # noqa: E402

from sandbox import operator_code  # noqa: E402
from sandbox.home import Home  # noqa: E402
from sandbox.process.part import refuse  # noqa: E402
from sandbox.samples import batch as samples  # noqa: E402
from sandbox.samples.batch import Sample  # noqa: E402
from shared_apps.accounts.models import Account, Role  # noqa: E402
from shared_apps.accounts.services import create_account  # noqa: E402
from shared_apps.accounts.signing_in import second_factor  # noqa: E402
from shared_apps.audit.services import SYSTEM  # noqa: E402
from shared_apps.console.watch import figures  # noqa: E402
from tenant_apps.contact.services import answer_message, send_message  # noqa: E402
from tenant_apps.invoices.batches import processing  # noqa: E402
from tenant_apps.invoices.models import Batch, Invoice  # noqa: E402
from tenant_apps.invoices.services import create_batch  # noqa: E402
from tenant_apps.invoices.states import BatchState  # noqa: E402
from tenant_apps.payments.models import Means  # noqa: E402
from tenant_apps.payments.services import book_counter_payment  # noqa: E402
from tenant_apps.products.models import Mode, ProductKind  # noqa: E402
from tenant_apps.products.services import set_up_product  # noqa: E402
from tenant_apps.townhall import first_day  # noqa: E402
from tenant_apps.townhall.models import AlertAudience  # noqa: E402
from tenant_apps.townhall.services import set_up_townhall  # noqa: E402
from tenants.current import registry  # noqa: E402
from tenants.errors import OtherHistory  # noqa: E402
from tenants.life.services import open_town, town_named  # noqa: E402
from tenants.models import Town  # noqa: E402
from tenants.schema.migrating import migrate_towns  # noqa: E402
from tenants.states import TownState  # noqa: E402

# Residents' files are hashed and compressed as in production; these are served from their packages.
STAFF_FILES = ["admin", "unfold", "bootstrap", "*.map"]
PASSWORD = "facture"  # noqa: S105 - the demonstration's, printed on its first screen
ALICE = ("Mme", "MARTIN", "Alice")
MANUAL = (  # docs/manual.md, M6 and M9
    ("2015-001-001078", "02/09/2015", "31/08/2016", "25", 2015),
    ("2016-001-000096", "19/10/2015", "30/10/2015", "32", 2016),
    ("2016-001-000037", "01/10/2015", "15/10/2015", "10", 2016),
    ("2015-001-001205", "01/09/2015", "30/09/2015", "10", 2015),
    ("2015-RS-00-8001516", "15/09/2015", "31/10/2015", "37.5", 2015),
)
PAID = {"2016-001-000037": Means.CHEQUE, "2015-001-001205": Means.CASH}


def main(*, empty: bool = False) -> None:
    """Migrate, create the operator, and open the towns that are missing unless `empty`.

    Data of another version are refused with a sentence.
    """
    try:
        migrate_towns()
    except OtherHistory:
        refuse(
            f"Les données de démonstration de {Home().root} viennent d'une autre version, que celle-ci ne sait pas "
            f"reprendre. Pour recommencer à neuf : rm -r {shlex.quote(str(Home().root))}, puis make demo."
        )
    with registry():
        known = set(Town.objects.exclude(state=TownState.OPENING).values_list("slug", flat=True))
        _operator()
    for slug, name, seed in () if empty else TOWNS:
        town = open_town(slug=slug, name=name) if slug not in known else town_named(slug)
        with tenant_context(town):
            if not Batch.objects.filter(state=BatchState.PUBLISHED).exists():
                seed(town)
                figures.refresh()  # so that the console shows them at once
    call_command("collectstatic", "--noinput", verbosity=0, ignore_patterns=STAFF_FILES)
    home = Home()
    if home.root.is_dir():
        home.path("prepared").touch()


def _operator() -> None:
    account = Account.objects.filter(email=operator_code.EMAIL).first()
    if account is None:
        account = create_account(
            actor=SYSTEM, email=operator_code.EMAIL, role=Role.OPERATOR, password=PASSWORD
        )
    if not second_factor.is_enrolled(account):
        second_factor.begin(account=account, secret=operator_code.SECRET)
        # With the previous code: the present one is left to the first person who signs in.
        second_factor.confirm(account=account, code=operator_code.code(-1))


def _mairie(town: Town) -> None:
    set_up_townhall(
        actor=SYSTEM,
        name=town.name,
        contact_email="regie@example.net",
        address="1 place de la Mairie\n31320 DÉMONSTRATION",
        phone="05 00 00 00 00",
        primary_colour="#1f4e79",
        accent_colour="#8a4b08",
        password_minimum=5,
        alert_audience=AlertAudience.KNOWN,
    )
    first_day.finish()  # Pechabou still has its list
    _product("REGIE", "Régie cantine et périscolaire", "001964", "payfip", is_default=True)
    _product("EAU", "Budget eau", "001966", "tipi")
    _people("resident@example.net", "agent@example.net", "Jeanne Martin")
    _member("caisse@example.net", Role.CASHIER, "Paul Durand")
    _member("accueil@example.net", Role.CLERK, "Fatima Bernard")
    yours = [_manual(*row) for row in MANUAL]
    theirs = [
        Sample(
            number=f"2026-001-00{n}",
            issued_on=date(2026, 11, 2),
            due_on=date(2026, 12, 15),
            amount=Decimal(amount),
            subject=subject,
            payer="F002",
            name=("M.", "NOUVEAU", "Camille"),
            emails=("nouveau@example.net",),
        )
        for n, amount, subject in ((101, "48.60", "Cantine scolaire"), (102, "22.00", "École de musique"))
    ]
    water = Sample(
        number="2026-EAU-0042",
        issued_on=date(2026, 11, 2),
        due_on=date(2026, 12, 31),
        amount=Decimal("64.20"),
        subject="Eau et assainissement",
        payer="F001",
        name=ALICE,
        emails=("resident@example.net",),
        product="EAU",
    )
    _publish([*yours, water, *theirs], town)
    for number, means in PAID.items():
        invoice = Invoice.objects.get(number=number)
        book_counter_payment(
            actor=SYSTEM, invoice=invoice, means=means, amount=invoice.amount, paid_on=invoice.due_on
        )
    _question(Invoice.objects.get(number="2016-001-000037"))


def _question(invoice: Invoice) -> None:
    """Create a thread that the town has answered."""
    thread = send_message(
        actor=Account.objects.get(email="resident@example.net"),
        email="resident@example.net",
        subject="Absence à la cantine",
        body="Bonjour,\nma fille était absente le 3 octobre. Le repas sera-t-il déduit ?",
        invoice=invoice,
    )
    answer_message(
        actor=Account.objects.get(email="agent@example.net"),
        message=thread,
        body="Bonjour,\noui, le repas du 3 octobre sera déduit de votre prochaine facture.",
        seen=thread.uuid,
        key=uuid4(),
    )


def _pechabou(town: Town) -> None:
    set_up_townhall(
        actor=SYSTEM,
        name=town.name,
        contact_email="facturation@example.org",
        website="https://www.pechabou.fr",
        primary_colour="#2f6b3c",
        accent_colour="#7a3b69",
        alert_audience=AlertAudience.ACCOUNTS,
    )
    _product("EAU", "Budget eau", "001965", "payfip", is_default=True)
    _people("diane@example.org", "agent@example.org", "Louis Petit")
    diane = Sample(
        number="2026-EAU-0007",
        issued_on=date(2026, 11, 2),
        due_on=date(2026, 12, 31),
        amount=Decimal("118.40"),
        subject="Eau et assainissement",
        payer="D001",
        name=("Mme", "DURAND", "Diane"),
        emails=("diane@example.org",),
        address=("3 chemin du Lac", "31320", "PECHABOU"),
    )
    _publish([diane], town)


def _product(code: str, label: str, numcli: str, protocol: str, *, is_default: bool = False) -> None:
    set_up_product(
        actor=SYSTEM,
        code=code,
        label=label,
        kind=ProductKind.REGIE,
        numcli=numcli,
        protocol=protocol,
        mode=Mode.PRODUCTION,
        is_default=is_default,
        offers_declaration=True,
    )


def _people(resident: str, agent: str, name: str) -> None:
    _member(resident, Role.RESIDENT)
    _member(agent, Role.MANAGER, name)


def _member(email: str, role: Role, name: str = "") -> None:
    if not Account.objects.filter(email=email).exists():
        create_account(actor=SYSTEM, email=email, role=role, password=PASSWORD, name=name)


def _manual(number: str, issued: str, due: str, amount: str, year: int) -> Sample:
    return Sample(
        number=number,
        issued_on=_day(issued),
        due_on=_day(due),
        amount=Decimal(amount),
        subject="FACTURATION",
        payer="F001",
        name=ALICE,
        emails=("resident@example.net",),
        fiscal_year=year,
    )


def _day(text: str) -> date:
    day, month, year = text.split("/")
    return date(int(year), int(month), int(day))


def _publish(bills: Sequence[Sample], town: Town) -> Batch:
    rows, documents = io.BytesIO(), io.BytesIO()
    samples.write_csv(bills, rows)
    samples.write_zip(bills, documents, town.name)
    rows.seek(0)
    documents.seek(0)
    batch = create_batch(
        actor=SYSTEM,
        rows_file=rows,
        rows_name="factures.csv",
        documents_file=documents,
        documents_name="factures.zip",
        publish_when_ready=True,
    )
    processing.process_batch(batch=batch)
    batch.refresh_from_db()
    if batch.state != "published":
        raise RuntimeError(f"the demo of {town.slug}: {[str(p) for p in batch.problems.all()]}")
    return batch


TOWNS = (
    ("mairie", "Mairie de Démonstration", _mairie),
    ("pechabou", "Commune de Pechabou", _pechabou),
)

if __name__ == "__main__":
    main(empty="--empty" in sys.argv[1:])

"""The Treasury's PES return: online payments are confirmed, the rest is shown, and nothing counts twice."""

import io
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Means, Payment
from tenant_apps.reconciliation import queries, services
from tenant_apps.reconciliation.errors import CannotRead, NotPossible
from tenant_apps.reconciliation.models import Statement, StatementRow
from tenant_apps.reconciliation.statements.services import ask_import, receive_statement
from tenant_apps.residents.models import PayerEmail, Source
from tests.reconciliation.desk import (
    DAY,
    TITLES,
    again,
    balance,
    bring,
    csv_line,
    online,
    read_all,
    states,
    transfer,
    tried,
)
from tests.reconciliation.pes import bordereau, line, pes, piece
from toolkit.scope import EVERYTHING

ISO = DAY.isoformat()


@pytest.fixture
def roles(desk: SimpleNamespace) -> SimpleNamespace:
    """The four invoices are articles of a rôle: debts 4101 to 4104."""
    for number, bill in enumerate(desk.bills, 4101):
        Invoice.objects.filter(pk=bill.pk).update(
            number=f"{number}", reference=f"2026CA00{number}", fiscal_year=2026
        )
        bill.refresh_from_db()
    return desk


def send(desk: SimpleNamespace, *pieces: str, name: str = "retour.xml", **more: str) -> Statement:
    return bring(desk, pes(bordereau(*pieces, **more)), "journal", name)


def article(bill: Invoice, origin: str = "10", *, amount: str = "", day: str = ISO, **more: str) -> str:
    """An article of a rôle that was paid whole, or as `amount` says."""
    euros = f"{bill.amount}"
    return piece(line(euros, (origin, day, amount or euros), **more), debt=bill.number)


# --- paid online ----------------------------------------------------------------------------------


def test_our_own_payments_are_found_and_announced_ones_confirmed(roles: SimpleNamespace) -> None:
    known = online(roles.bills[0], roles.alice)
    attempt = tried(roles.bills[1], roles.alice, "reported", protocol="tipi")
    later = (DAY + timedelta(days=12)).isoformat()
    found = send(roles, article(roles.bills[0], day=later), article(roles.bills[1]), article(roles.bills[2]))
    assert (found.kind, states(found)) == ("pes", ["matched", "matched", "unmatched"])
    first, second, third = found.rows.all()
    attempt.refresh_from_db()
    assert (first.payment, attempt.state) == (known, "paid")
    assert second.payment == Payment.objects.get(attempt=attempt)
    assert second.payment.paid_on == DAY
    assert third.invoice == roles.bills[2]
    assert "sans passer par le portail" in third.reason
    assert Payment.objects.count() == 2


def test_what_was_paid_otherwise_never_confirms_an_announced_payment(roles: SimpleNamespace) -> None:
    attempt = tried(roles.bills[0], roles.alice, "reported", protocol="tipi")
    found = send(roles, article(roles.bills[0], "03"))
    attempt.refresh_from_db()
    assert (attempt.state, states(found)) == ("reported", ["unmatched"])
    assert found.rows.get().attempt is None
    with pytest.raises(NotPossible, match="en cours, ou à examiner"):
        services.book_row(
            actor=roles.clerk, row=found.rows.get(), invoice=roles.bills[0], means=Means.TRANSFER
        )
    assert not Payment.objects.exists()


def test_receipts_of_one_day_on_several_lines_are_one_payment(roles: SimpleNamespace) -> None:
    payment = online(roles.bills[3], roles.alice)
    lines = [line("25.00", ("10", ISO, "25.00")), line("15.00", ("10", ISO, "15.00"), number="2")]
    found = send(roles, piece(*lines, debt="4104"))
    row = found.rows.get()
    assert (row.state, row.payment, row.amount) == ("matched", payment, Decimal("40.00"))


def test_the_second_receipt_of_a_line_is_another_payment(roles: SimpleNamespace) -> None:
    online(roles.bills[0], roles.alice)
    found = send(roles, piece(line("10.00", ("10", ISO, "10.00"), ("10", ISO, "10.00")), debt="4101"))
    assert states(found) == ["matched", "duplicate"]


def test_an_amount_that_is_not_ours_is_doubtful(roles: SimpleNamespace) -> None:
    online(roles.bills[0], roles.alice)
    found = send(roles, article(roles.bills[0], amount="9.99"))
    assert states(found) == ["doubtful"]
    assert "le montant ou la date diffère" in found.rows.get().reason


# --- paid otherwise -------------------------------------------------------------------------------


def test_what_came_otherwise_is_booked_by_one_button_and_once(roles: SimpleNamespace) -> None:
    found = send(roles, article(roles.bills[2], "02", amount="5.00"))
    row = found.rows.get()
    assert (row.state, row.invoice) == ("unmatched", roles.bills[2])
    services.book_row(actor=roles.clerk, row=row, invoice=roles.bills[2], means=Means.TRANSFER)
    payment = Payment.objects.get()
    assert (payment.provider, payment.paid_on, balance(roles.bills[2])) == ("journal", DAY, Decimal(25))
    with pytest.raises(NotPossible):
        services.book_row(actor=roles.clerk, row=row, invoice=roles.bills[2], means=Means.TRANSFER)
    assert Payment.objects.count() == 1


def test_the_counter_s_payment_is_the_one_that_the_treasury_writes(roles: SimpleNamespace) -> None:
    payment = transfer(roles, roles.bills[1], means=Means.CHEQUE)
    found = send(roles, article(roles.bills[1], "02", day=(DAY + timedelta(days=9)).isoformat()))
    assert (states(found), found.rows.get().payment) == (["matched"], payment)
    online_too = send(roles, article(roles.bills[1], "10"), name="b.xml")
    assert states(online_too) == ["doubtful"]  # a cheque is not an online payment: perhaps paid twice
    assert "déjà réglée par ailleurs" in online_too.rows.get().reason


def test_the_journal_and_the_return_say_the_same_payment(roles: SimpleNamespace) -> None:
    """Paid on the Treasury's own site: whichever file comes first, it is booked once."""
    journal = bring(roles, TITLES + csv_line(roles.bills[0], idop="op-elsewhere"))
    services.book_row(actor=roles.clerk, row=journal.rows.get(), invoice=roles.bills[0], means=Means.CARD)
    found = send(roles, article(roles.bills[0]))
    assert (states(found), found.rows.get().payment) == (["matched"], Payment.objects.get())


@pytest.mark.parametrize(
    ("origin", "state", "words"),
    [
        ("05", "doubtful", "soldé cette somme autrement : mandat (05)"),
        ("12", "doubtful", "divers (12)"),
        ("99", "doubtful", "origine inconnue (99)"),
        ("06", "ignored", "L'état est « admission en non-valeur » : aucun argent n'est venu."),
        ("07", "ignored", "titre correctif"),
    ],
)
def test_only_what_is_known_to_mean_paid_is_money(
    roles: SimpleNamespace, origin: str, state: str, words: str
) -> None:
    tried(roles.bills[0], roles.alice, "reported", protocol="tipi")
    found = send(roles, article(roles.bills[0], origin))
    for _ in range(2):
        assert states(found) == [state]
        assert words in found.rows.get().reason
        again(roles, found)
    assert not Payment.objects.exists()


def test_money_taken_back_waits_beside_its_payment(roles: SimpleNamespace) -> None:
    payment = online(roles.bills[0], roles.alice)
    found = send(roles, article(roles.bills[0], amount="-10.00", day=(DAY + timedelta(days=3)).isoformat()))
    row = found.rows.get()
    assert (row.state, row.payment, row.outgoing, row.amount) == ("doubtful", payment, True, Decimal(10))
    assert "encaissement repris par la trésorerie" in row.reason


# --- rejected titres, and what nobody knows ---------------------------------------------------------


def test_a_rejected_titre_is_shown_with_its_reason_and_is_never_money(roles: SimpleNamespace) -> None:
    rejected = piece(
        line("10.00", state="01", who=roles.payer.reference),
        debt="4101",
        state="04",
        ObsEtat="03-15",
        Commentaire="Débiteur mal identifié",
        DtePceRej="2026-11-10",
    )
    found = send(roles, rejected)
    row = found.rows.get()
    assert (row.state, row.invoice, row.pay_state) == ("doubtful", roles.bills[0], "titre rejeté")
    assert row.reason == (
        "Titre rejeté par la trésorerie : rien n'est à encaisser. Motif : absence d'indication du débiteur (03), "
        "pièces justificatives insuffisantes (15). Débiteur mal identifié."
    )
    for act in (
        lambda: services.book_row(actor=roles.clerk, row=row, invoice=roles.bills[0], means=Means.TRANSFER),
        lambda: services.match_row(actor=roles.clerk, row=row, payment=transfer(roles, roles.bills[0])),
    ):
        with pytest.raises(NotPossible, match="« titre rejeté » : ce n'est pas un encaissement"):
            act()
    assert not queries.candidates(EVERYTHING, row).exists()
    services.ignore_row(actor=roles.clerk, row=row, reason="titre corrigé et émis de nouveau")
    assert states(found) == ["ignored"]


def test_a_line_or_a_whole_role_may_be_rejected_or_wait(roles: SimpleNamespace) -> None:
    lines = [line("6.00"), line("4.00", number="2", state="03", ObsEtat="")]
    whole = (
        '<Bordereau><BordereauORMCGlobal><Exer V="2026"/><IdBord V="58"/><MtTTC V="100.00"/>'
        '<DteRej V="2026-11-10"/></BordereauORMCGlobal></Bordereau>'
    )
    text = pes(bordereau(piece(*lines, debt="4101", state="03")), whole)
    found = bring(roles, text, "journal", "r.xml")
    told = [(row.pay_state, row.amount) for row in found.rows.all()]
    assert ("titre en instance", Decimal(4)) in told
    assert ("titre rejeté", Decimal(100)) in told
    assert set(states(found)) == {"doubtful"}


def test_settled_without_the_receipts(roles: SimpleNamespace) -> None:
    online(roles.bills[0], roles.alice)
    settled = [piece(line(f"{bill.amount}", who="X"), debt=bill.number) for bill in roles.bills[:2]]
    found = send(roles, *settled)
    assert states(found) == ["ignored", "doubtful"]  # the first one is paid here too
    assert "sans donner les encaissements" in found.rows.last().reason


def test_what_is_not_ours_is_named(roles: SimpleNamespace) -> None:
    found = send(roles, piece(line("77.00", ("02", ISO, "77.00"), who="Z9"), debt="9999"))
    row = found.rows.get()
    assert (row.state, row.reason) == ("unmatched", "Ce titre n'est aucune de nos factures.")
    assert row.label == "Dette 9999, rôle 57 de 2026"
    p503 = send(roles, piece(line("12.00"), number="31"), kind="05", name="p503.xml")
    assert states(p503) == ["doubtful"]
    assert "à régulariser (P503)" in p503.rows.get().reason


def test_a_number_counts_only_with_its_amount_and_its_person(roles: SimpleNamespace) -> None:
    """An invoice of a régie may have the number of a titre, or digits that look like its reference."""
    bill = roles.bills[0]
    Invoice.objects.filter(pk=bill.pk).update(number="813", reference="2026813")
    ours = line("10.00", ("02", ISO, "10.00"), who=roles.payer.reference)
    for text, expected in (
        (piece(ours, number="813"), bill),
        (piece(line("10.00", ("02", ISO, "10.00"), who="Z9", Nom="MARTIN"), number="813"), None),
        (piece(line("11.00", ("02", ISO, "10.00"), who=roles.payer.reference), number="813"), None),
    ):
        found = send(roles, text, kind="01", name=f"{expected}{len(text)}.xml")
        assert found.rows.get().invoice == expected
        StatementRow.objects.all().delete()


def test_the_same_person_and_amount_is_proposed_and_never_certain(roles: SimpleNamespace) -> None:
    """An article of which the Treasury does not repeat the number."""
    text = piece(line("30.00", ("03", ISO, "5.00"), who=roles.payer.reference), number="3")
    found = send(roles, text)
    row = found.rows.get()
    assert (row.state, row.invoice) == ("doubtful", roles.bills[2])
    assert "La facture 4103 a le même débiteur et le même montant : vérifiez" in row.reason
    assert not Payment.objects.exists()
    other = send(roles, text.replace('"30.00"', '"31.00"'), name="b.xml")
    assert other.rows.get().invoice is None


def test_the_prefix_of_a_source_is_known(roles: SimpleNamespace) -> None:
    """Billing prints CAN004101, and its PES says 4101."""
    bill = roles.bills[0]
    Source.objects.update(rules={"prefix": "CAN00"})
    Invoice.objects.filter(pk=bill.pk).update(number="CAN004101", reference="2026CAN004101")
    found = send(roles, article(Invoice(number="4101", amount=Decimal(10)), "02", who=roles.payer.reference))
    assert found.rows.get().invoice == bill


# --- twice, and overlapping -------------------------------------------------------------------------


def test_the_same_file_and_one_that_overlaps_it(roles: SimpleNamespace) -> None:
    tried(roles.bills[0], roles.alice, "reported", protocol="tipi")
    text = article(roles.bills[0])
    first = send(roles, text)
    assert send(roles, text, name="copy.xml").pk == first.pk
    renamed = text.replace('"DUPRE"', '"DUPRÉ"')  # the Treasury corrected the name meanwhile
    second = send(roles, renamed, article(roles.bills[1], "02"), name="week.xml")
    assert states(second) == ["known", "unmatched"]
    assert (second.new_count, second.known_count) == (1, 1)
    assert Payment.objects.count() == 1


def test_addresses_are_shown_and_not_added(roles: SimpleNamespace) -> None:
    before = PayerEmail.objects.count()
    found = send(roles, article(roles.bills[0], AdrMel="parent@example.org"))
    assert ["e-mail connu de la trésorerie", "parent@example.org"] in found.rows.get().raw
    assert PayerEmail.objects.count() == before


# --- other files ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("root", "inside", "words"),
    [
        ("PES_Retour", "PES_DepenseRetour", "PES retour de dépenses"),
        ("PES_Aller", "PES_RecetteAller", "Donnez-le à « Imports »"),
        ("PES_Aller", "PES_DepenseAller", "PES aller de dépenses"),
        ("PES_Aller", "PES_PJ", "pièces jointes"),
        ("PES_ACQUIT", "ACQUIT", "acquit PES"),
        ("PES_Retour", "PES_Marche", "pas un retour de recettes"),
    ],
)
@pytest.mark.parametrize("kind", ["journal", "bank", "pes"])
def test_other_pes_files_are_named(
    desk: SimpleNamespace, root: str, inside: str, words: str, kind: str
) -> None:
    text = f'<n:{root} xmlns:n="urn:x"><EnTetePES/><{inside}><X V="1"/></{inside}></n:{root}>'
    with pytest.raises(CannotRead, match=words):
        bring(desk, text, kind, "a.xml")
    assert not Statement.objects.exists()


@pytest.mark.parametrize("text", ["Date;Montant\n01/10/2026;5,00\n", "<Document/>", "%PDF-1.7"])
def test_what_is_no_pes_return(desk: SimpleNamespace, text: str) -> None:
    with pytest.raises(CannotRead, match="n'est pas un PES retour"):
        bring(desk, text, "pes", "a.xml")


HOSTILE: list[tuple[str, str]] = [
    ("cut", pes(bordereau())[:-30]),
    ("dtd", '<!DOCTYPE n [<!ENTITY a "b">]>' + pes().split("?>", 1)[1]),
    (
        "laughs",
        '<!DOCTYPE n [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><PES_Retour><PES_RecetteRetour>&b;'
        "</PES_RecetteRetour></PES_Retour>",
    ),
    (
        "deep",
        "<PES_Retour><PES_RecetteRetour>"
        + "<a>" * 5000
        + "</a>" * 5000
        + "</PES_RecetteRetour></PES_Retour>",
    ),
    ("many lines", pes(bordereau(piece(*[line("1.00")] * 20_001)))),
    ("large line", pes(bordereau(piece(line("1.00").replace("</Tiers>", "<a/>" * 20_001 + "</Tiers>"))))),
]


@pytest.mark.parametrize(("name", "text"), HOSTILE)
def test_hostile_or_broken(desk: SimpleNamespace, name: str, text: str) -> None:
    with pytest.raises(CannotRead):
        bring(desk, text, "journal", "a.xml")
    assert not StatementRow.objects.exists()


@pytest.mark.parametrize("amount", ["1e308", "NaN", "-Infinity", "", "12,50", "0.001", "0.00"])
@pytest.mark.parametrize("day", [ISO])
def test_amounts_that_are_none(roles: SimpleNamespace, amount: str, day: str) -> None:
    text = piece(line("10.00", ("02", day, amount or " ")), debt="4101")
    found = send(roles, text)
    assert states(found) == ["unreadable"]
    assert "MtReco" in found.rows.get().reason


@pytest.mark.parametrize("day", ["2026-02-31", "", "hier", "12/11/2026"])
def test_days_that_are_none(roles: SimpleNamespace, day: str) -> None:
    found = send(roles, piece(line("10.00", ("02", day or " ", "10.00")), debt="4101"))
    assert states(found) == ["unreadable"]
    assert "DteReco" in found.rows.get().reason


def test_a_day_to_come_is_not_booked(roles: SimpleNamespace) -> None:
    tried(roles.bills[0], roles.alice, "reported", protocol="tipi")
    found = send(
        roles, article(roles.bills[0], day="2099-01-01"), article(roles.bills[1], "02", day="2099-01-01")
    )
    assert states(found) == ["doubtful", "doubtful"]
    assert all("à venir" in row.reason for row in found.rows.all())
    assert not Payment.objects.exists()


def test_latin_letters_as_the_treasury_writes_them(roles: SimpleNamespace) -> None:
    text = pes(bordereau(article(roles.bills[0], Nom="LEFÈVRE"))).replace("UTF-8", "ISO-8859-1")
    found, _new = receive_statement(
        actor=roles.clerk, kind="journal", file=io.BytesIO(text.encode("iso-8859-1")), name="r.xml"
    )
    ask_import(actor=roles.clerk, statement=found, mapping={})
    read_all()
    assert found.rows.get().payer_name == "LEFÈVRE"

"""The Treasury's journal compared with what we booked: by operation, by reference, by the words for paid or not."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from tenant_apps.payments.corrections.payments import cancel_payment
from tenant_apps.payments.counter.booking import CounterRow as Part
from tenant_apps.payments.counter.booking import book_payment
from tenant_apps.payments.errors import NotPayable
from tenant_apps.payments.models import Means, Payment
from tenant_apps.reconciliation import services
from tenant_apps.reconciliation.errors import NotPossible
from tests.reconciliation.desk import (
    DAY,
    JOURNAL,
    TITLES,
    again,
    bring,
    csv_line,
    online,
    paid,
    states,
    tried,
)
from toolkit import clock


def test_by_idop_by_reference_and_unknown(desk: SimpleNamespace) -> None:
    first, second = online(desk.bills[0], desk.alice), online(desk.bills[1], desk.alice, protocol="tipi")
    text = (
        TITLES
        + csv_line(desk.bills[0], idop=first.attempt.operation, reference="AUTRE1")
        + csv_line(desk.bills[1])
    )
    text += csv_line(desk.bills[2]) + csv_line(desk.bills[3], reference="INCONNUE1")
    found = bring(desk, text)
    assert states(found) == ["matched", "matched", "unmatched", "unmatched"]
    rows = list(found.rows.all())
    assert (rows[0].payment, rows[1].payment) == (first, second)
    assert rows[2].invoice == desk.bills[2]  # paid without us: a clerk can book it
    assert "sans passer par le portail" in rows[2].reason
    assert (found.first_day, found.last_day, found.new_count) == (DAY, DAY, 4)


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        ({"amount": "9,99"}, "doubtful", "nous avons enregistré 10,00"),
        ({"idop": "", "amount": "9,99"}, "doubtful", "le montant ou la date diffère"),
        ({"idop": "", "day": DAY - timedelta(days=30), "number": "B2"}, "doubtful", "la date diffère"),
    ],
)
def test_doubtful_in_words(desk: SimpleNamespace, change: dict[str, Any], state: str, words: str) -> None:
    payment = online(desk.bills[0], desk.alice)
    found = bring(desk, TITLES + csv_line(desk.bills[0], **{"idop": payment.attempt.operation, **change}))
    assert states(found) == [state]
    assert words in found.rows.get().reason.replace("\xa0", " ")


def test_a_cancelled_payment_is_doubtful(desk: SimpleNamespace) -> None:
    payment = online(desk.bills[0], desk.alice)
    cancel_payment(actor=desk.clerk, payment=payment, reason="prélèvement rejeté")
    assert states(bring(desk, TITLES + csv_line(desk.bills[0], idop=payment.attempt.operation))) == [
        "doubtful"
    ]


def test_the_same_operation_twice_is_a_duplicate(desk: SimpleNamespace) -> None:
    payment = online(desk.bills[0], desk.alice)
    found = bring(desk, TITLES + csv_line(desk.bills[0], idop=payment.attempt.operation) * 2)
    assert states(found) == ["matched", "duplicate"]
    assert states(bring(desk, TITLES + csv_line(desk.bills[0], day=DAY + timedelta(days=1)))) == ["duplicate"]


def test_the_journal_confirms_what_tipi_announced(desk: SimpleNamespace) -> None:
    """An announced payment waits for this. The service of payments books it, on the journal's day."""
    attempt = tried(desk.bills[0], desk.alice, "reported", protocol="tipi")
    other = tried(desk.bills[1], desk.alice, "reported", protocol="tipi")
    day = DAY - timedelta(days=2)
    found = bring(desk, TITLES + csv_line(desk.bills[0], day=day) + csv_line(desk.bills[1], amount="19,99"))
    attempt.refresh_from_db()
    assert attempt.state == "paid"
    payment = Payment.objects.get(attempt=attempt)
    assert payment.paid_on == day
    assert states(found) == ["matched", "unmatched"]
    assert found.rows.first().payment == payment
    desk.bills[0].refresh_from_db()
    assert desk.bills[0].is_paid
    other.refresh_from_db()
    assert other.state == "reported"
    assert (
        services.confirm_announced(actor=desk.clerk, statement=found) == 0
    )  # a second call confirms nothing
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("state", ["expired", "abandoned", "review"])
def test_an_operation_we_believed_unpaid_is_asked_again(desk: SimpleNamespace, state: str) -> None:
    """The journal is not a look-up: the poller asks the Treasury, then a new look matches the row."""
    attempt = tried(desk.bills[0], desk.alice, state)
    found = bring(desk, TITLES + csv_line(desk.bills[0], idop=attempt.operation))
    attempt.refresh_from_db()
    assert attempt.next_check_at is not None
    assert states(found) == ["doubtful"]
    assert not Payment.objects.exists()
    attempt.state = "paid"
    attempt.save()
    Payment.objects.create(
        attempt=attempt, product=attempt.product, provider="payfip", provider_reference=attempt.operation,
        means=Means.CARD,
        amount=attempt.amount, paid_on=DAY, recorded_by="treasury",
    )  # fmt: skip
    assert again(desk, found) == 1
    assert states(found) == ["matched"]


def test_what_was_refused_or_went_out_is_never_income(desk: SimpleNamespace) -> None:
    """A refusal in the journal confirms nothing, and staff cannot reopen such a row."""
    attempt = tried(desk.bills[0], desk.alice, "reported", protocol="tipi")
    refused = csv_line(desk.bills[0]).replace(";CB", ";R")
    found = bring(desk, TITLES + refused + csv_line(desk.bills[1], amount="-20,00"))
    assert states(found) == ["ignored", "doubtful"]
    attempt.refresh_from_db()
    assert attempt.state == "reported"
    aside, back = found.rows.all()
    with pytest.raises(NotPossible, match="pas un encaissement"):
        services.reopen_row(actor=desk.clerk, row=aside)
    with pytest.raises(NotPossible, match="reparti"):
        services.book_row(actor=desk.clerk, row=back, invoice=desk.bills[1], means=Means.CARD)
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    "word", ["Abandonné", "Refusée", "En attente", "R", "Carte refusée", "Échec", "Non payé"]
)
def test_not_paid_is_no_money(desk: SimpleNamespace, word: str) -> None:
    attempt = tried(desk.bills[0], desk.alice, "reported", protocol="tipi")
    found = bring(desk, JOURNAL + paid(desk.bills[0], word))
    assert states(found) == ["ignored"]
    assert word in found.rows.get().reason
    attempt.refresh_from_db()
    assert attempt.state == "reported"
    assert not Payment.objects.exists()


@pytest.mark.parametrize("word", ["Mystère", "", "Payé partiellement", "À payer", "12"])
def test_a_word_that_is_not_known_to_mean_paid_waits(desk: SimpleNamespace, word: str) -> None:
    """It confirms nothing, also when it is judged again."""
    attempt = tried(desk.bills[0], desk.alice, "reported", protocol="tipi")
    known = online(desk.bills[1], desk.alice)
    text = JOURNAL + paid(desk.bills[0], word) + paid(desk.bills[1], word, idop=known.attempt.operation)
    found = bring(desk, text)
    for _ in range(2):
        assert states(found) == ["doubtful", "doubtful"]
        assert f"« {word or 'vide'} »" in found.rows.first().reason
        again(desk, found)
    attempt.refresh_from_db()
    assert attempt.state == "reported"


@pytest.mark.parametrize("word", ["P", "V", "Payé", "Paiement accepté", "réglée", "PAYÉ PAR CARTE", "OK"])
def test_words_for_paid_are_money(desk: SimpleNamespace, word: str) -> None:
    attempt = tried(desk.bills[0], desk.alice, "reported", protocol="tipi")
    assert states(bring(desk, JOURNAL + paid(desk.bills[0], word))) == ["matched"]
    attempt.refresh_from_db()
    assert attempt.state == "paid"


def test_a_state_in_a_column_that_is_not_read_is_a_doubt(desk: SimpleNamespace) -> None:
    """The title is unknown and one of its cells is no alarm: the other cells still count."""
    tried(desk.bills[0], desk.alice, "reported", protocol="tipi")
    found = bring(
        desk, JOURNAL.replace("Résultat", "Obs") + paid(desk.bills[0], "Abandonné") + paid(desk.bills[1], "x")
    )
    assert states(found) == ["doubtful", "unmatched"]
    assert "La colonne « Obs », qui n'est pas lue, dit « Abandonné »" in found.rows.first().reason
    assert not Payment.objects.exists()


def test_states_are_known_by_what_the_column_holds(desk: SimpleNamespace) -> None:
    text = JOURNAL.replace("Résultat", "Obs") + paid(desk.bills[0], "Abandonné") + paid(desk.bills[1], "Payé")
    assert states(bring(desk, text)) == ["ignored", "unmatched"]


def test_refused_on_monday_paid_on_tuesday(desk: SimpleNamespace) -> None:
    payment = online(desk.bills[0], desk.alice, day=DAY + timedelta(days=1))
    idop = payment.attempt.operation
    monday = bring(desk, JOURNAL + paid(desk.bills[0], "R", idop=idop))
    tuesday = bring(desk, JOURNAL + paid(desk.bills[0], "P", idop=idop, day=DAY + timedelta(days=1)))
    assert (states(monday), states(tuesday)) == (["ignored"], ["matched"])
    assert tuesday.rows.get().payment == payment


def test_days_to_come_are_never_booked(desk: SimpleNamespace) -> None:
    soon = clock.today() + timedelta(days=30)
    attempt = tried(desk.bills[1], desk.alice, "reported", protocol="tipi")
    found = bring(desk, JOURNAL + paid(desk.bills[0], "P", day=soon) + paid(desk.bills[1], "P", day=soon))
    assert states(found) == ["doubtful", "doubtful"]
    assert "à venir" in found.rows.first().reason
    attempt.refresh_from_db()
    assert attempt.state == "reported"
    with pytest.raises(NotPossible, match="à venir"):
        services.book_row(actor=desk.clerk, row=found.rows.first(), invoice=desk.bills[0], means=Means.CARD)
    with pytest.raises(NotPayable, match="à venir"):
        book_payment(
            actor=desk.clerk, lines=[Part(desk.bills[0], Decimal(1))], means=Means.CASH, paid_on=soon
        )
    assert not Payment.objects.exists()

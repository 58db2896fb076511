"""Our client reads from an answer only what is in it. It never makes up a missing or bad field."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.payfip.soap.contract import SERVICE
from sandbox.payfip.soap.envelopes import ENVELOPE
from tenant_apps.payments.errors import ProviderUnavailable
from tenant_apps.payments.providers.base import Outcome
from tenant_apps.payments.providers.payfip.client import DETAIL, RESULTS, paris_time
from tests.payments.treasury import Treasury

IDOP = "cc0cb210-1cd4-11ea-8cca-0213ad91a103"
LIKELY = {
    "idOp": st.just(IDOP),
    "resultrans": st.sampled_from([*RESULTS, "W", "p", "PP"]),
    "montant": st.integers(0, 10_000_000).map(str),
    "dattrans": st.sampled_from(["24112026", "31022026", "20261124", "29022028"]),
    "heurtrans": st.sampled_from(["0000", "2359", "2400", "9:30"]),
}
ANYTHING = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=30)


@pytest.fixture(scope="module")
def treasury() -> Iterator[Treasury]:
    with Treasury() as found:
        yield found


@st.composite
def answers(draw: st.DrawFn) -> dict[str, str]:
    """Any of the fields of an answer, each with a correct or an unexpected value."""
    names = draw(st.lists(st.sampled_from(DETAIL), unique=True))
    return {name: draw(LIKELY.get(name, ANYTHING) | ANYTHING) for name in names}


@settings(max_examples=120, deadline=None)
@given(answers())
def test_what_is_read_is_what_was_said(treasury: Treasury, said: dict[str, str]) -> None:
    inside = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in said.items())
    outer = "recupererDetailPaiementSecuriseResponse"
    body = (
        f'<S:Envelope xmlns:S="{ENVELOPE}"><S:Body><n:{outer} xmlns:n="{SERVICE}"><return>{inside}</return>'
        f"</n:{outer}></S:Body></S:Envelope>"
    ).encode()
    said = {name: value.strip() for name, value in said.items() if value.strip()}
    client = treasury(body)
    if not said:
        with pytest.raises(ProviderUnavailable):
            client.fetch_status(IDOP)
        return
    status = client.fetch_status(IDOP)
    if said.get("idOp", IDOP) != IDOP:  # an answer about another operation: nothing of it is used
        assert (status.outcome, status.amount, status.reference) == (Outcome.OTHER, None, None)
        return
    assert status.outcome == RESULTS.get(said.get("resultrans", ""), Outcome.OTHER)
    assert (status.reference, status.merchant, status.mode) == tuple(
        said.get(name) for name in ("refdet", "numcli", "saisie")
    )
    assert status.authorization == said.get("numauto", "")
    assert status.raw == {name: value for name, value in said.items() if name != "idOp"}
    cents = said.get("montant", "")
    as_read = status.amount is None or (status.amount * 100 == int(cents) and cents.isascii())
    assert as_read
    assert (status.amount is not None) == (cents.isascii() and cents.isdigit() and len(cents) <= 9)
    assert status.paid_at == paris_time(said.get("dattrans", ""), said.get("heurtrans", ""))

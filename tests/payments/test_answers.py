"""Our client reads SOAP answers of the real service, sent byte for byte over HTTP."""

from collections.abc import Callable

import pytest

from tenant_apps.payments.errors import EmailRefused, ProviderUnavailable
from tenant_apps.payments.providers.base import Outcome
from tenant_apps.payments.providers.payfip.client import PayFiP
from tests.payments.test_peers import request

SERVICE = (
    "http://securite.service.tpa.cp.finances.gouv.fr/services/mas_securite/"
    "contrat_paiement_securise/PaiementSecuriseService"
)


def envelope(body: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<S:Body>{body}</S:Body></S:Envelope>"
    ).encode()


def detail(**fields: str) -> bytes:
    values = {
        "dattrans": "24112026",
        "exer": "2015",
        "heurtrans": "0930",
        "idOp": "secret",
        "mel": "alice@example.net",
        "montant": "3750",
        "numauto": "112233445566-tip",
        "numcli": "001964",
        "objet": "Facture",
        "refdet": "2015RS008001516",
        "resultrans": "P",
        "saisie": "W",
        **fields,
    }
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in values.items() if value)
    operation = "recupererDetailPaiementSecuriseResponse"
    return envelope(f'<ns2:{operation} xmlns:ns2="{SERVICE}"><return>{inside}</return></ns2:{operation}>')


def fault(kind: str, code: str) -> bytes:
    return envelope(
        f"<S:Fault><faultcode>S:Server</faultcode><faultstring>fr.gouv.finances.cp.tpa.webservice.exceptions.{kind}"
        f'</faultstring><detail><ns2:{kind} xmlns:ns2="{SERVICE}"><code>{code}</code><descriptif/><libelle>mots'
        f"</libelle><message/><severite>2</severite></ns2:{kind}></detail></S:Fault>"
    )


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("P", Outcome.PAID_CARD),
        ("V", Outcome.PAID_DEBIT),
        ("R", Outcome.REFUSED_CARD),
        ("Z", Outcome.REFUSED_DEBIT),
        ("A", Outcome.ABANDONED),
        ("W", Outcome.OTHER),
        ("", Outcome.OTHER),
    ],
)
def test_results(serve: Callable[..., PayFiP], code: str, outcome: Outcome) -> None:
    status = serve(detail(resultrans=code)).fetch_status("secret")
    assert status.outcome == outcome
    assert status.merchant == "001964"


def test_a_shortened_exer_and_a_missing_date_are_no_matter(serve: Callable[..., PayFiP]) -> None:
    status = serve(detail(exer="20", dattrans="", heurtrans="", numauto="")).fetch_status("secret")
    assert (status.outcome, status.paid_at, status.raw["exer"]) == (Outcome.PAID_CARD, None, "20")


def test_a_field_added_one_day_is_passed_over(serve: Callable[..., PayFiP]) -> None:
    status = serve(detail(moyen="WERO")).fetch_status("secret")
    assert status.outcome == Outcome.PAID_CARD


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize(
    ("code", "outcome"),
    [("P1", Outcome.UNKNOWN), ("P3", Outcome.USED), ("P4", Outcome.TOO_OLD), ("P5", Outcome.PENDING)],
)
def test_faults_that_are_answers(
    serve: Callable[..., PayFiP], code: str, outcome: Outcome, status: int
) -> None:
    assert serve(fault("FonctionnelleErreur", code), status=status).fetch_status("secret").outcome == outcome


@pytest.mark.parametrize(
    "kind", ["TechDysfonctionnementErreur", "TechIndisponibiliteErreur", "TechProtocolaireErreur"]
)
def test_technical_faults_are_no_answer(serve: Callable[..., PayFiP], kind: str) -> None:
    client = serve(fault(kind, "999"), status=500)
    with pytest.raises(ProviderUnavailable) as said:
        client.fetch_status("secret")
    assert said.value.code == "999"
    with pytest.raises(ProviderUnavailable):
        client.start(request())


def test_a_refused_address(serve: Callable[..., PayFiP]) -> None:
    with pytest.raises(EmailRefused):
        serve(fault("FonctionnelleErreur", "A2"), status=500).start(request())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"<html><body>maintenance</body></html>",
        detail()[:-40],
        detail().replace(b"<return>", b"<retour>").replace(b"</return>", b"</retour>"),
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>',
    ],
)
@pytest.mark.parametrize("status", [200, 502])
def test_garbage_is_no_answer(serve: Callable[..., PayFiP], body: bytes, status: int) -> None:
    with pytest.raises(ProviderUnavailable):
        serve(body, status=status).fetch_status("secret")

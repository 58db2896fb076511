"""The payer's views: opening a payment with each protocol, the buttons, and the return to the town."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from sandbox.payfip import life, notifications
from sandbox.payfip.pages import html, payer
from sandbox.payfip.soap import service
from sandbox.payfip.store import PAID, Store


@dataclass(frozen=True)
class Choice:
    """A button of the payment page.

    It has a result (none when the payer leaves), a number of notifications and their delay in seconds, and says
    whether the payer returns to the town.
    """

    label: str
    result: str
    times: int = 1
    delay: float = 0
    stays: bool = False
    returns: bool = True


CHOICES = {
    "pay": Choice("Payer par carte", "P"),
    "debit": Choice("Payer par prélèvement", "V"),
    "refuse": Choice("Carte refusée", "R"),
    "refuse-debit": Choice("Prélèvement refusé", "Z"),
    "abandon": Choice("Abandonner", "A"),
    "leave": Choice("Partir sans choisir de moyen", ""),
    "refuse-stay": Choice("Se tromper de carte, puis réessayer ici", "R", stays=True),
    "abandon-stay": Choice("Quitter la banque, puis réessayer ici", "A", stays=True),
    "pay-silent": Choice("Payer, ne jamais revenir ni notifier", "P", times=0, returns=False),
    "pay-gone": Choice("Payer, notifier, ne jamais revenir", "P", returns=False),
    "pay-twice": Choice("Payer et notifier deux fois", "P", times=2),
    "pay-late": Choice("Payer et notifier une minute plus tard", "P", delay=60),
    "other": Choice("Réponse que personne n'a annoncée (code K)", "K"),
}
SHUT = {
    "P1": ("Opération inconnue", "Cet identifiant n'existe pas, ou n'existe plus (P1).", 404),
    "P3": ("Déjà ouvert", "Ce paiement a déjà été ouvert une fois (P3).", 409),
    "P4": ("Trop tard", "Ce paiement devait être ouvert dans le quart d'heure (P4).", 410),
}


def open_payfip(request: Request, store: Store) -> Response:
    """Open the payment page of an idOp: once, within fifteen minutes."""
    idop = request.args.get("idop", "")
    found = store.get(idop)
    code = life.opening(found, store.now()) if found is None or found["kind"] == "payfip" else "P1"
    if not code and not store.mark_opened(idop):
        code = "P3"  # two tabs at the same time
    if found is not None:
        store.note("payer", f"se présente : {code or 'la page de paiement est montrée'}", idop=idop)
    if code or found is None:
        title, words, status = SHUT[code]
        return html(payer.sentence(title, words), status)
    return html(payer.payment(found, CHOICES))


def open_tipi(request: Request, store: Store) -> Response:
    """Open a TIPI payment: the browser sends the fields, and each visit is a new operation."""
    asked = {name: str(value) for name, value in request.args.items()}
    missing = [
        name for name in ("numcli", "exer", "refdet", "montant", "mel", "urlcl") if not asked.get(name)
    ]
    if missing:
        return html(payer.sentence("Demande incomplète", f"Il manque : {', '.join(missing)}."), 400)
    code = "S1" if asked.get("saisie") not in ("T", "X", "A", "M") else service.refusal(asked, store)
    if code:
        words = f"Le Trésor public refuse cette demande ({code} : {service.envelopes.WORDS[code]})."
        return html(payer.sentence("Demande refusée", words), 400)
    idop = store.create("tipi", asked)
    store.mark_opened(idop)
    store.note("payer", "arrive par la redirection TIPI", idop=idop)
    found = store.get(idop)
    assert found is not None
    return html(payer.payment(found, CHOICES))


def choose(request: Request, store: Store, idop: str) -> Response:
    """Apply the button that the payer pressed on the payment page."""
    found, choice = store.get(idop), CHOICES.get(request.form.get("choice", ""))
    if found is None or choice is None or not found["opened"]:
        raise NotFound
    if found["result"] in PAID:
        return html(payer.sentence("Déjà payé", "Ce paiement est fait : il ne change plus."), 409)
    store.note("payer", f"choisit « {choice.label} »", idop=idop)
    if choice.result:
        conclude(store, found, choice.result, times=choice.times, delay=choice.delay)
    if choice.stays:
        again = store.get(idop)
        assert again is not None
        return html(payer.payment(again, CHOICES))
    if not choice.returns:
        return html(payer.sentence("Payé", "Le paiement est fait. Fermez cette page : personne ne revient."))
    if found["kind"] == "tipi":
        return html(payer.sentence("Terminé", "Vous pouvez fermer cette fenêtre et revenir au portail."))
    back = found["fields"]["urlredirect"]
    return redirect(back + ("&" if urlsplit(back).query else "?") + urlencode({"idop": idop}), 303)


def conclude(
    store: Store,
    operation: dict[str, Any],
    result: str,
    *,
    times: int = 1,
    delay: float = 0,
    changes: dict[str, str] | None = None,
) -> bool:
    """Store the result and plan the notifications, as the knobs say. False when it was paid already."""
    idop = operation["idop"]
    if not store.finish(idop, result, changes or {}):
        return False
    store.note("payer", f"résultat : {result}", idop=idop)
    found = store.get(idop)
    assert found is not None
    notifications.plan(store, found, times=times, delay=delay)
    notifications.send_due(store)
    return True

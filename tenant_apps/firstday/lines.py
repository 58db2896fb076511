"""The lines of the list: each step of a new town, done or not by the facts, in one sentence.

The sentences are for both readers, the town's staff and the operator.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shared_apps.accounts.team.names import names_of
from shared_apps.accounts.team.queries import staff_states
from shared_apps.accounts.team.states import MemberState
from tenant_apps.invoices.queries import import_stage
from tenant_apps.products.models import Mode, Product
from tenant_apps.products.queries import receiving_products
from tenant_apps.products.stages import stage_of
from tenant_apps.townhall.first_day import Step, Word, first_day_of
from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.notices import Lack, lacks
from toolkit import clock

NAMED = 3  # régies in a sentence
TOTAL = len(Step)
_NEW = TownHall()  # what a town begins with


class State(Enum):
    """The value is a word for templates."""

    DONE = "done"
    TODO = "todo"
    WAITING = "waiting"  # on somebody else


@dataclass(frozen=True)
class Line:
    """One step. `leads_to` names the page where it is done, with the key of a régie if the page is about one.

    `waits_for`: « l'exploitant ». `keep`: the words of the button that keeps what came with the town.
    """

    step: Step
    state: State
    says: str
    leads_to: str
    product: int | None = None
    waits_for: str = ""
    keep: str = ""

    @property
    def title(self) -> str:
        return str(self.step.label)

    @property
    def is_done(self) -> bool:
        return self.state == State.DONE


def lines_of(townhall: TownHall) -> list[Line]:
    """The steps of the current town, in order. Three to five statements, however much the town has.

    About the whole town: it takes no scope, and says nothing of an invoice or a payer.
    """
    settled = first_day_of(townhall).settled
    names = names_of(word.by for word in settled.values())
    products = list(receiving_products())
    return [
        _identity(townhall, _kept(settled.get(Step.IDENTITY), names)),
        _regie(products),
        _payfip(products),
        _team(_kept(settled.get(Step.TEAM), names)),
        _texts(townhall),
        _audience(townhall, _kept(settled.get(Step.AUDIENCE), names)),
        _import(),
    ]


def done_of(lines: list[Line]) -> int:
    """How many are done."""
    return sum(line.is_done for line in lines)


def _kept(word: Word | None, names: Mapping[str, str]) -> str:
    """« Gardé tel quel par Claire Martin le 30 novembre 2026. »; empty when nobody said so."""
    if word is None:
        return ""
    day = clock.in_words(word.at)
    if word.by not in names:
        return _("Gardé tel quel le %(day)s.") % {"day": day}
    return _("Gardé tel quel par %(who)s le %(day)s.") % {"who": names[word.by], "day": day}


def _identity(townhall: TownHall, kept: str) -> Line:
    has_colours = (townhall.primary_colour, townhall.accent_colour) != (
        _NEW.primary_colour,
        _NEW.accent_colour,
    )
    if townhall.logo and has_colours:
        says = _("Le logo et les couleurs sont ceux de la commune.")
        return Line(Step.IDENTITY, State.DONE, says, "identity")
    if kept:
        return Line(Step.IDENTITY, State.DONE, kept, "identity")
    if townhall.logo:
        says = _("Le logo est là ; les couleurs sont celles de départ.")
    elif has_colours:
        says = _("Les couleurs sont choisies ; sans logo, les pages montrent l'initiale de la commune.")
    else:
        says = _(
            "Sans logo, les pages montrent l'initiale de la commune ; les couleurs sont celles de départ."
        )
    return Line(Step.IDENTITY, State.TODO, says, "identity", keep=_("Rien à changer"))


def _regie(products: list[Product]) -> Line:
    number = sum(bool(product.numcli) for product in products)
    if not number:
        says = _("Aucune régie n'a encore son numéro : le Trésor public le donne à la commune.")
        return Line(Step.REGIE, State.TODO, says, "regies")
    says = ngettext("%(n)s régie a son numéro.", "%(n)s régies ont leur numéro.", number) % {"n": number}
    return Line(Step.REGIE, State.DONE, says, "regies")


def _payfip(products: list[Product]) -> Line:
    """Done when every régie with online payment is in service. One that the Treasury refused is not."""
    online = [product for product in products if product.is_paid_online]
    if not online:
        says = _("La mise en service commence quand une régie a son numéro.")
        return Line(Step.PAYFIP, State.WAITING, says, "regies", waits_for=_("du numéro"))
    left = [product for product in online if product.mode != Mode.PRODUCTION or product.closed_at is not None]
    if not left:
        says = ngettext("%(n)s régie se paie en ligne.", "%(n)s régies se paient en ligne.", len(online)) % {
            "n": len(online)
        }
        return Line(Step.PAYFIP, State.DONE, says, "regies")
    where = [_("%(label)s : %(value)s") % {"label": one.label, "value": stage_of(one).words} for one in left]
    if len(left) > NAMED:
        more = len(left) - NAMED
        others = ngettext("%(n)s autre régie", "%(n)s autres régies", more) % {"n": more}
        where[NAMED:] = [others]
    return Line(Step.PAYFIP, State.TODO, " ; ".join(where) + ".", "going-live", product=left[0].pk)


def _team(kept: str) -> Line:
    states = staff_states()
    active, invited = (states.count(state) for state in (MemberState.ACTIVE, MemberState.INVITED))
    if active > 1:
        says = ngettext(
            "%(n)s personne a accès à la gestion.", "%(n)s personnes ont accès à la gestion.", active
        ) % {"n": active}
        return Line(Step.TEAM, State.DONE, says, "team")
    if kept:
        return Line(Step.TEAM, State.DONE, kept, "team")
    if not active:
        says = _("Personne n'a encore ouvert son compte.")
        return Line(Step.TEAM, State.WAITING, says, "team", waits_for=_("du premier responsable"))
    if invited:
        says = _("Une invitation est partie ; elle n'a pas encore servi.")
        return Line(Step.TEAM, State.WAITING, says, "team", waits_for=_("de la personne invitée"))
    says = _("Une seule personne a accès à la gestion : en son absence, personne ne la remplace.")
    return Line(Step.TEAM, State.TODO, says, "team", keep=_("Je suis seul·e"))


def _texts(townhall: TownHall) -> Line:
    missing = lacks(townhall)
    host = _("Il manque qui héberge le portail : l'exploitant doit le renseigner.")
    if ours := missing - {Lack.HOST}:
        if len(ours) > 1:
            says = _("Il manque l'adresse et le téléphone de la mairie, que la loi demande.")
        elif Lack.ADDRESS in ours:
            says = _("Il manque l'adresse de la mairie, que la loi demande.")
        else:
            says = _("Il manque le téléphone de la mairie, que la loi demande.")
        return Line(Step.TEXTS, State.TODO, f"{says} {host}" if Lack.HOST in missing else says, "town")
    if missing:
        return Line(Step.TEXTS, State.WAITING, host, "notices", waits_for=_("de l'exploitant"))
    if townhall.legal_notice.strip():
        says = _("La commune a écrit les siennes.")
    else:
        says = _("Le texte proposé dit qui publie le portail et qui l'héberge.")
    return Line(Step.TEXTS, State.DONE, says, "notices")


def _audience(townhall: TownHall, kept: str) -> Line:
    who = {"who": townhall.get_alert_audience_display()}
    if townhall.alert_audience != _NEW.alert_audience:
        return Line(Step.AUDIENCE, State.DONE, _("Choix de la commune : %(who)s.") % who, "message-settings")
    if kept:
        return Line(Step.AUDIENCE, State.DONE, kept, "message-settings")
    says = _("Choix de départ : %(who)s. À confirmer ou à changer.") % who
    return Line(Step.AUDIENCE, State.TODO, says, "message-settings", keep=_("Rien à changer"))


def _import() -> Line:
    stage = import_stage()
    if stage.is_published:
        return Line(Step.IMPORT, State.DONE, _("Les premières factures ont été publiées."), "batches")
    if stage.is_begun:
        return Line(Step.IMPORT, State.TODO, _("Un import attend d'être vérifié, puis publié."), "batches")
    return Line(Step.IMPORT, State.TODO, _("Aucune facture n'est encore en ligne."), "new-batch")

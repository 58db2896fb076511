"""What an operator may do to a town, as data: in which states, with which form, by which service.

An action that requests an operation is offered only when a room does that kind of work.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django_tenants.utils import tenant_context

from shared_apps.accounts.errors import AccountError
from shared_apps.accounts.models import Account, Role
from shared_apps.accounts.team.services import invite
from shared_apps.console.look import forms
from tenants.archive import erasing, exporting
from tenants.current import shard_aliases
from tenants.errors import TownError
from tenants.hosts import domains
from tenants.life import renaming, services, town_closure
from tenants.life.details import end_copy
from tenants.models import Operation, Town
from tenants.shards import moving
from tenants.states import TownState
from tenants.work import operations

Data = Mapping[str, Any]
Outcome = Operation | str  # a long operation with its own page, or a sentence that says what was done
S = TownState
LIVING = frozenset({S.OPEN, S.SUSPENDED, S.CLOSING})


@dataclass(frozen=True)
class Action:
    """`key` is its part of the address; `do(operator, town, data)` raises TownError with a sentence."""

    key: str
    label: str
    explain: str
    do: Callable[[Account, Town, Data], Outcome]
    form: type[forms.TownForm] = forms.ReasonForm
    states: frozenset[TownState] = LIVING
    kind: str = ""
    danger: bool = False
    possible: Callable[[], bool] = field(default=lambda: True)
    fits: Callable[[Town], bool] = field(default=lambda town: True)

    def is_offered(self, town: Town) -> bool:
        """Whether it can be done to that town now."""
        is_known = not self.kind or operations.knows(self.kind)
        return town.state in self.states and is_known and self.possible() and self.fits(town)


def several_shards() -> bool:
    """Whether there is another database to move to."""
    return len(shard_aliases()) > 1


def _suspend(operator: Account, town: Town, data: Data) -> str:
    services.set_state(town=town, to=S.SUSPENDED, actor=operator, reason=data["reason"])
    return "La commune est suspendue : son portail affiche une page de fermeture, rien n'est perdu."


def _resume(operator: Account, town: Town, data: Data) -> str:
    services.set_state(town=town, to=S.OPEN, actor=operator, reason=data["reason"])
    return "La commune est rouverte."


def _close(operator: Account, town: Town, data: Data) -> str:
    closed = town_closure.close_town(town=town, days=data["days"], reason=data["reason"], actor=operator)
    return f"La commune fermera à la fin du {closed.last_day:%d/%m/%Y}. D'ici là, « Rouvrir » annule la fermeture."


def _end_copy(operator: Account, town: Town, data: Data) -> str:
    end_copy(town=town, reason=data["reason"], actor=operator)
    return "La commune n'est plus marquée comme une copie."


def _rename(operator: Account, town: Town, data: Data) -> Operation:
    return renaming.request_renaming(town=town, slug=data["slug"], actor=operator)


def _invite(operator: Account, town: Town, data: Data) -> str:
    actor = f"operator:{operator.uuid}"  # the town does not know the operator's account
    try:
        with tenant_context(town):
            invite(actor=actor, role=Role.MANAGER, **data)
    except AccountError as error:
        raise TownError(str(error)) from None
    return f"L'invitation part à {data['email']}."


def _add_domain(operator: Account, town: Town, data: Data) -> str:
    record = domains.add_domain(town=town, host=data["host"], actor=operator)
    return f"Domaine ajouté. La commune doit publier l'enregistrement TXT « {record.name} » : {record.value}"


def _move(operator: Account, town: Town, data: Data) -> Outcome:
    asked = moving.request_move(town=town, to=data["shard"], actor=operator)
    return asked or f"La commune vit déjà dans la base « {data['shard']} »."


def _export(operator: Account, town: Town, data: Data) -> Operation:
    return exporting.request_export(town=town, actor=operator)


def _erase(operator: Account, town: Town, data: Data) -> Operation:
    return erasing.request_erasure(town=town, actor=operator, reason=data["reason"])


ACTIONS: tuple[Action, ...] = (
    Action(
        "suspendre",
        "Suspendre",
        "Le portail affiche une page de fermeture et les tâches attendent. Rien n'est perdu.",
        _suspend,
        states=frozenset({S.OPEN}),
    ),
    Action(
        "rouvrir",
        "Rouvrir",
        "Le portail répond de nouveau et les tâches qui attendaient partent.",
        _resume,
        states=frozenset({S.SUSPENDED, S.CLOSING}),
    ),
    Action(
        "lever-la-copie",
        "Ne plus marquer comme copie",
        "Elle remplace désormais la commune d'origine : son portail ne dit plus qu'il est une copie.",
        _end_copy,
        fits=lambda town: town.is_copy,
    ),
    Action(
        "inviter-un-responsable",
        "Inviter un responsable",
        "Une personne de la commune qui pourra inviter les autres. Le motif reste dans le journal de la commune.",
        _invite,
        form=forms.InviteForm,
    ),
    Action(
        "changer-adresse",
        "Changer d'adresse",
        "La commune répond à une nouvelle adresse ; l'ancienne y redirige.",
        _rename,
        form=forms.RenameForm,
        kind=renaming.KIND,
    ),
    Action(
        "ajouter-domaine",
        "Ajouter un domaine",
        "Un nom qui appartient à la commune, comme factures.pechabou.fr. Il répond une fois vérifié.",
        _add_domain,
        form=forms.DomainForm,
    ),
    Action(
        "changer-de-base",
        "Changer de base",
        "La commune passe dans une autre base de données ; on la lit pendant ce temps, on n'y écrit pas.",
        _move,
        form=forms.MoveForm,
        states=frozenset(moving.MOVABLE),
        kind=moving.KIND,
        possible=several_shards,
    ),
    Action(
        "exporter",
        "Exporter",
        "Une archive de toutes ses données et de tous ses fichiers, gardée sept jours. La commune continue.",
        _export,
        form=forms.TownForm,
        states=LIVING | {S.CLOSED},
        kind=exporting.KIND,
    ),
    Action(
        "fermer",
        "Fermer",
        "La commune s'en va : le portail répond jusqu'au dernier jour promis, puis ferme.",
        _close,
        form=forms.CloseForm,
        states=frozenset({S.OPEN, S.SUSPENDED}),
        danger=True,
    ),
    Action(
        "effacer",
        "Effacer",
        "Tout est détruit, sans retour : données, fichiers, archives gardées. Il reste un certificat.",
        _erase,
        states=frozenset(erasing.ERASABLE),
        kind=erasing.KIND,
        danger=True,
    ),
)


def offered(town: Town) -> list[Action]:
    """The actions that can be done to that town now."""
    return [action for action in ACTIONS if action.is_offered(town)]

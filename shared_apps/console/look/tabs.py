"""The tabs of a town's page, and in which of them each action is offered."""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from shared_apps.console.look import actions
from shared_apps.console.look.actions import Action
from tenants.models import Town


@dataclass(frozen=True)
class Tab:
    """`route` is the name of its page."""

    route: str
    label: str
    inside: bool = False  # it reads the town's own schema, so the town must be living


TABS = (
    Tab("town", "Santé"),
    Tab("products", "Régies et PayFiP", inside=True),
    Tab("town-team", "Équipe", inside=True),
    Tab("town-hosts", "Adresses"),
    Tab("town-operations", "Opérations"),
    Tab("town-trail", "Journal"),
    Tab("town-details", "Identité"),
)
# The actions of the other tabs; the rest is under « Opérations ».
ACTIONS = {
    "town-team": ("inviter-un-responsable",),
    "town-hosts": ("changer-adresse", "ajouter-domaine"),
}


def of(town: Town, current: str) -> list[tuple[str, str, bool]]:
    """The tabs of that town: (address, label, whether it is the page shown)."""
    found = []
    for tab in TABS:
        if tab.inside and town.state not in actions.LIVING:
            continue
        try:
            found.append((reverse(f"admin:{tab.route}", args=[town.slug]), tab.label, tab.route == current))
        except NoReverseMatch:  # of a room that has no such page
            continue
    return found


def route_of(key: str) -> str:
    """The page to come back to after the action with that key: its tab, or « Santé » for those of « Opérations »."""
    return next((route for route, keys in ACTIONS.items() if key in keys), "town")


def actions_of(town: Town, route: str) -> list[Action]:
    """The actions that are offered in the tab of that page."""
    elsewhere = {key for keys in ACTIONS.values() for key in keys}
    wanted = ACTIONS.get(route, ())
    return [
        action
        for action in actions.offered(town)
        if action.key in wanted or (route == "town-operations" and action.key not in elsewhere)
    ]

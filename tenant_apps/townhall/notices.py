"""The legal pages of a town: its own text, or a default text filled with its data."""

from dataclasses import dataclass
from enum import Enum, auto

from django.conf import settings
from django.template.loader import select_template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from tenant_apps.townhall.models import TownHall
from toolkit.words import current_language


@dataclass(frozen=True)
class Notice:
    """One page: the field of TownHall that replaces its text, and its title."""

    field: str
    title: str | Promise


NOTICES = {
    "legal": Notice("legal_notice", _("Mentions légales")),
    "privacy": Notice("privacy_notice", _("Données personnelles")),
    "accessibility": Notice("accessibility_notice", _("Accessibilité")),
}

FIELDS = tuple(notice.field for notice in NOTICES.values())


def text_of(kind: str, townhall: TownHall, *, address: str) -> str:
    """The text (toolkit.prose) of one of `NOTICES` for the town that answers at `address`."""
    own: str = getattr(townhall, NOTICES[kind].field)
    return own.strip() or default_text(kind, townhall, address=address)


class Lack(Enum):
    """What the law asks of the legal notice of a site, and the default text cannot say for this town."""

    ADDRESS = auto()  # of the publisher
    PHONE = auto()
    HOST = auto()  # who hosts the portal: the operator's setting HOSTING


def lacks(townhall: TownHall) -> set[Lack]:
    """What the legal notice lacks; nothing when the town wrote its own."""
    if townhall.legal_notice.strip():
        return set()
    known = {Lack.ADDRESS: townhall.address, Lack.PHONE: townhall.phone, Lack.HOST: settings.HOSTING}
    return {lack for lack, value in known.items() if not value.strip()}


def language_of(kind: str, townhall: TownHall) -> str:
    """The language of that text when it is not the reader's: a town writes in French."""
    own = getattr(townhall, NOTICES[kind].field).strip()
    return settings.LANGUAGE_CODE if own and current_language() != settings.LANGUAGE_CODE else ""


def default_text(kind: str, townhall: TownHall, *, address: str) -> str:
    """The text of a page that the town has not written, in the reader's language when available."""
    languages = (current_language(), settings.LANGUAGE_CODE)
    template = select_template([f"townhall/notices/{language}/{kind}.txt" for language in languages])
    where = [townhall.name, *townhall.address.splitlines(), townhall.phone]
    return template.render(
        {
            "name": townhall.name,
            "address": address,
            "contact": townhall.contact_email,
            "where": "\n".join(line.strip() for line in where if line.strip()),
            "conformity": townhall.conformity,
            "kept": townhall,
            "host": settings.HOSTING,
        }
    )


def proposals(townhall: TownHall, *, address: str) -> dict[str, str]:
    """Field → the default text, in French: what a town writes is French."""
    with override(settings.LANGUAGE_CODE):
        return {
            notice.field: default_text(kind, townhall, address=address).strip()
            for kind, notice in NOTICES.items()
        }

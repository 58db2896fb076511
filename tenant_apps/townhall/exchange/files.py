"""The file of shared settings: JSON with keys that a person can read."""

import json
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from shared_apps.mail.content import sendable
from tenant_apps.townhall.exchange.names import veiled
from tenant_apps.townhall.exchange.shared import BY_KEY, SHARED
from tenant_apps.townhall.models import TownHall

FORMAT, VERSION = "mes-factures-reglages", 1
MOST_BYTES = 256 * 1024  # three texts of 20 000 characters, the widest ones
_SHOWN = 60  # characters of a wrong key or value, in a sentence


def settings_of(townhall: TownHall) -> dict[str, Any]:
    """Field → value of all that the town may share. A text that it has not written is left out."""
    values = {one.field: getattr(townhall, one.field) for one in SHARED}
    return {field: value for field, value in values.items() if value != ""}


def written(values: Mapping[str, Any], townhall: TownHall, *, address: str) -> str:
    """The file of these `values` (by field) of the town that answers at `address`; its particulars are left out."""
    settings = {
        one.key: veiled(values[one.field], townhall, address=address) if one.is_text else values[one.field]
        for one in SHARED
        if one.field in values
    }
    document = {"format": FORMAT, "version": VERSION, "reglages": settings}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def read(content: bytes) -> dict[str, Any]:
    """Field → value of a file. Raises ValidationError: each key that is wrong, and what was expected."""
    settings = _document(content)
    problems, values = [], {}
    for key, value in settings.items():
        if key not in BY_KEY:
            problems.append(_("« %(key)s » : ce réglage n'est pas connu.") % {"key": _short(key)})
            continue
        try:
            values[BY_KEY[key].field] = BY_KEY[key].read(value)
        except ValidationError as error:
            words = {"key": key, "expected": " ".join(error.messages), "value": _short(value)}
            problems.append(_("« %(key)s » : attendu %(expected)s ; le fichier dit %(value)s.") % words)
    if problems:
        raise ValidationError(problems)
    return values


def _document(content: bytes) -> dict[str, Any]:
    if len(content) > MOST_BYTES:
        raise ValidationError(_("Ce fichier pèse plus de 256 Ko : ce n'est pas un fichier de réglages."))
    try:
        document = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise ValidationError(
            _("Ce fichier n'est pas un fichier de réglages : ce n'est pas du JSON en UTF-8.")
        ) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValidationError(_("« format » : attendu « %(format)s ».") % {"format": FORMAT})
    if type(document.get("version")) is not int or document["version"] != VERSION:
        words = {"version": VERSION, "value": _short(document.get("version"))}
        raise ValidationError(_("« version » : attendu %(version)d ; le fichier dit %(value)s.") % words)
    if unknown := sorted(set(document) - {"format", "version", "reglages"}):
        raise ValidationError(_("« %(key)s » : cette clé n'est pas connue.") % {"key": _short(unknown[0])})
    settings = document.get("reglages")
    if not isinstance(settings, dict):
        raise ValidationError(_("« reglages » : attendu un objet, avec une clé par réglage."))
    return settings


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two values for one key, nobody could say which one was meant."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValidationError(_("« %(key)s » est deux fois dans le fichier.") % {"key": _short(key)})
        found[key] = value
    return found


def _short(value: Any) -> str:
    words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    words = sendable(words)
    return words if len(words) <= _SHOWN else words[:_SHOWN] + "…"

"""The formats that can be imported: every module of `formats/`. Screens, keys, limits and the command read it."""

import importlib
import pkgutil
from functools import cache

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing import formats as package
from tenant_apps.invoices.importing.format import Companion, Format
from toolkit.reading.errors import FileError


@cache
def formats() -> tuple[Format, ...]:
    """All formats, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    found = tuple(importlib.import_module(f"{package.__name__}.{name}").FORMAT for name in names)
    if len({one.name for one in found}) < len(found):
        raise LookupError(f"two formats have one name: {[one.name for one in found]}")
    return found


def recognised(head: bytes, name: str) -> Format:
    """The format that is surest of a file that begins with `head`. Raises FileError when no format takes it."""
    sure = [(confidence, one) for one in formats() if (confidence := one.recognise(head, name)) is not None]
    if not sure:
        sentence = _("« %(name)s » n'est d'aucun des formats qui sont lus (%(formats)s).")
        raise FileError(sentence % {"name": name[:80], "formats": in_words()})
    return max(sure, key=lambda pair: pair[0])[1]


def named(name: str) -> Format:
    """The format of an import. Raises FileError when that format no longer exists."""
    found = next((one for one in formats() if one.name == name), None)
    if found is None:
        raise FileError(_("Le format de ce fichier n'est plus lu : demandez-en un autre à votre logiciel."))
    return found


def label_of(name: str) -> str:
    """The label of an import's format on screens; its name when the format no longer exists."""
    return next((str(one.label) for one in formats() if one.name == name), name)


def in_words() -> str:
    """« CSV », « CSV ou JSON », « CSV, JSON ou PES »."""
    *most, last = [str(one.label) for one in formats()]
    return _("%(most)s ou %(last)s") % {"most": ", ".join(most), "last": last} if most else last


def accepted() -> str:
    """The `accept` attribute of the field for the file."""
    return ",".join(dict.fromkeys(sign for one in formats() for sign in (*one.extensions, *one.media_types)))


def companions() -> tuple[Companion, ...]:
    """The files that may come with a format's file, each kind once."""
    return tuple(dict.fromkeys(one.documents for one in formats() if one.documents is not None))

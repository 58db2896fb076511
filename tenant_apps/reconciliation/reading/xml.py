"""What the XML readers share: no entity, no DTD, no network, and no element kept longer than it is needed."""

from decimal import Decimal, InvalidOperation
from typing import Any, BinaryIO

from django.utils.translation import gettext_lazy
from lxml import etree

from tenant_apps.reconciliation.errors import CannotRead

SETTINGS: dict[str, Any] = {
    "resolve_entities": False,
    "load_dtd": False,
    "no_network": True,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


def is_xml(stream: BinaryIO) -> bool:
    """Whether the file begins like XML. Its reader then says what is wrong with it."""
    stream.seek(0)
    start = stream.read(64).lstrip(b"\xef\xbb\xbf \r\n\t")
    stream.seek(0)
    return start.startswith(b"<")


def local(element: Any) -> str:
    """The tag without its namespace, which changes with each version of a message."""
    return str(etree.QName(element).localname) if isinstance(element.tag, str) else ""


def children(element: Any, name: str) -> list[Any]:
    """The direct children of that name."""
    return [child for child in element if local(child) == name]


def refuse_doctype(root: Any) -> None:
    """Raise CannotRead when the file has a DTD."""
    if root.getroottree().docinfo.doctype:
        raise CannotRead(
            gettext_lazy("Ce fichier XML contient une DTD : un fichier de banque ou du Trésor n'en a pas.")
        )


def forget(element: Any) -> None:
    """Free the memory of an element that was read, and of those before it."""
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]


def money(text: str) -> Decimal | None:
    """Euros with a decimal point. None below one cent, or when it is no amount."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    # Check the size first: quantize fails on a number longer than Decimal's precision.
    if not amount.is_finite() or abs(amount) > 99_999_999 or amount != amount.quantize(Decimal("0.01")):
        return None
    return amount.quantize(Decimal("0.01"))

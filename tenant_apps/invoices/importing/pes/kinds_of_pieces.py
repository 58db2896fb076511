"""What a piece asks of a resident, from its three codes: TypBord, TypPce and NatPce."""

from enum import Enum

from tenant_apps.invoices.importing.pes.pieces import Leaves, Piece


class Asks(Enum):
    """What to do with a piece."""

    INVOICE = "invoice"
    CREDIT = "credit"
    PAID = "paid"  # issued after payment
    SUMMARY = "summary"  # of other pieces
    INTERNAL = "internal"  # an entry between the town's own accounts
    RAISES = "raises"  # more for a piece that was sent before
    OF_A_MANDAT = "of_a_mandat"  # takes back what the town paid to a supplier
    UNKNOWN = "unknown"


_BY_TYPE = {
    **dict.fromkeys(("", "01", "10", "12", "15"), Asks.INVOICE),
    "05": Asks.PAID,
    **dict.fromkeys(("06", "07"), Asks.SUMMARY),
    **dict.fromkeys(("03", "04", "11", "14"), Asks.INTERNAL),
    "09": Asks.RAISES,
}
_CANCELS, _COMPLETES, _OF_A_MANDAT, _OF_AN_ENTRY = "06", "07", "09", "10"
OF_MANDATS = "02"  # NatPceOrig


def asks(bordereau: Leaves, piece: Piece) -> Asks:
    """What the piece asks. Only a correction of a titre is a credit; one of a mandat is no matter of residents."""
    type_of_piece, nature = piece.said.get("TypPce", ""), piece.said.get("NatPce", "")
    corrects_mandat = any(
        line.original and line.original.get("NatPceOrig") == OF_MANDATS for line in piece.lines
    )
    if corrects_mandat or (type_of_piece == "02" and nature == _OF_A_MANDAT):
        return Asks.OF_A_MANDAT
    if bordereau.get("TypBord") == "02" or type_of_piece == "02":
        if nature == _OF_AN_ENTRY:
            return Asks.INTERNAL
        if nature == _COMPLETES:
            return Asks.RAISES
        is_credit = nature in (_CANCELS, "") or bordereau.get("TypBord") == "02"
        return Asks.CREDIT if is_credit else Asks.UNKNOWN
    return _BY_TYPE.get(type_of_piece, Asks.UNKNOWN)

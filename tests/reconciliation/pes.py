"""A PES return, written by hand after the DGFiP's schema (PES_RecetteRetour). All people are invented."""

from xml.sax.saxutils import quoteattr

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<n:PES_Retour xmlns:n="http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/retour"><Enveloppe><Parametres>'
    '<Version V="2"/><TypFic V="PES2R_REC"/><NomFic V="R"/></Parametres></Enveloppe><EnTetePES>'
    '<DteStr V="2026-11-13"/><IdPost V="044099"/><IdColl V="21440000100019"/><CodColl V="123"/><CodBud V="00"/>'
    '</EnTetePES><PES_RecetteRetour><EnTeteRecette><TypRestit V="02"/><IdVer V="2"/><NatInf V="2"/></EnTeteRecette>'
)
FOOT = "</PES_RecetteRetour></n:PES_Retour>"


def pes(*bordereaux: str) -> str:
    return HEAD + "".join(bordereaux) + FOOT


def bordereau(*pieces: str, number: str = "57", kind: str = "06", year: str = "2026") -> str:
    return (
        f"<Bordereau><BlocBordereau>{_leaves(Exer=year, IdBord=number, TypBord=kind)}</BlocBordereau>"
        f"{''.join(pieces)}</Bordereau>"
    )


def piece(
    *lines: str, number: str = "1", debt: str = "", period: str = "0", state: str = "02", **more: str
) -> str:
    """A titre; with `debt`, an article of a rôle."""
    role = f"<InfoORMC>{_leaves(NumDette=debt, Per=period, Cle1='1', Cle2='A')}</InfoORMC>" if debt else ""
    inside = _leaves(IdPce=number, TypPce="15" if debt else "01", NatPce="01", EtatPce=state, **more)
    return f"<Piece><BlocPiece>{inside}{role}</BlocPiece>{''.join(lines)}</Piece>"


def line(
    amount: str,
    *receipts: tuple[str, str, str],
    number: str = "1",
    state: str = "05",
    who: str = "",
    **more: str,
) -> str:
    """`receipts`: (origin, day, amount). `who`: code of the debtor."""
    info = _leaves(IdLigne=number, CodProdLoc="CANT", EtatLigPce=state, MtHT=amount)
    debtor = _leaves(RefTiers=who, CatTiers="01", NatJur="01", **{"Nom": "DUPRE", **more})
    paid = "".join(
        f"<EncaissementEmargement>{_leaves(OrgEma=origin, DteReco=day, MtReco=euros)}</EncaissementEmargement>"
        for origin, day, euros in receipts
    )
    return (
        f"<LigneDePiece><BlocLignePiece><InfoLignePiece>{info}</InfoLignePiece></BlocLignePiece>"
        f"<Tiers><InfoTiers>{debtor}</InfoTiers></Tiers>{paid}</LigneDePiece>"
    )


def _leaves(**values: str) -> str:
    return "".join(f"<{name} V={quoteattr(value)}/>" for name, value in values.items() if value)

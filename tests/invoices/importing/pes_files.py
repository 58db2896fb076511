"""Writes PES files for the tests, as billing software does. Everybody in them is invented."""

import base64
import gzip
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from xml.sax.saxutils import quoteattr

NAMESPACE = "http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/aller"
Leaves = Mapping[str, str]
_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXY"


def leaves(values: Leaves) -> str:
    """<Name V="value"/> of each."""
    return "".join(f"<{name} V={quoteattr(value)}/>" for name, value in values.items() if value)


def debtor(
    code: str = "F0001", last: str = "MARTIN", first: str = "ALICE", *, kind: str = "01", **others: str
) -> str:
    """An element <Tiers>."""
    info = {
        **{
            "IdTiers": others.get("IdTiers", ""),
            "NatIdTiers": others.get("NatIdTiers", ""),
            "RefTiers": code,
        },
        **{
            "Numo": others.get("Numo", ""),
            "CatTiers": others.get("CatTiers", "01"),
            "NatJur": "01",
            "TypTiers": kind,
        },
        **{"Civilite": others.get("Civilite", "MME"), "Nom": last, "Prenom": first},
    }
    address = {
        **{"TypAdr": "1", "Adr1": others.get("Adr1", ""), "Adr2": others.get("Adr2", "1 PLACE DE LA MAIRIE")},
        **{"CP": others.get("CP", "31320"), "Ville": others.get("Ville", "PECHABOU")},
        **{"CodRes": others.get("CodRes", "0"), "CodPays": others.get("CodPays", "")},
    }
    return f"<Tiers><InfoTiers>{leaves(info)}</InfoTiers><Adresse>{leaves(address)}</Adresse></Tiers>"


def line(
    amount: str = "37.50",
    *debtors: str,
    number: str = "1",
    tax: str = "",
    product: str = "CANT",
    nature: str = "7067",
    label: str = "REPAS",
    debit: Leaves | None = None,
    original: Leaves | None = None,
    more: str = "",
) -> str:
    """An element <LigneDePiece>. Without debtors, MARTIN Alice owes it; `None` is no debtor."""
    said = {
        **{"IdLigne": number, "ObjLignePce": label, "CodProdLoc": product, "Nature": nature, "Majo": "0"},
        **{"TvaIntraCom": "0", "MtHT": amount, "MtTVA": tax},
    }
    whole = f"<InfoLignePiece>{leaves(said)}{more}</InfoLignePiece>"
    if debit is not None:
        usual = {"NatPrel": "01", "PerPrel": "07", **debit}
        rest = {
            **{
                "SequencePres": "03",
                "DateSignMandat": "2024-09-01",
                "RefUniMdt": "RUM1",
                "LibPrel": "CANTINE",
            }
        }
        whole += f"<InfoPrelevementSEPA>{leaves({**usual, **rest})}</InfoPrelevementSEPA>"
    if original is not None:
        whole += f"<RattachPiece>{leaves(original)}</RattachPiece>"
    owed = "".join(debtors or (debtor(),))
    return f"<LigneDePiece><BlocLignePiece>{whole}</BlocLignePiece>{owed}</LigneDePiece>"


NOBODY = " "  # for `line`: no debtor


def cle2(year: str, period: str, debt: str) -> str:
    """The key that checks the numbers of a rôle."""
    return _SIGNS[int(f"{year[-2:]}{period}{debt.rjust(15, '0')}") % 23]


def article(rank: str, debt: str, *lines: str, invoice: str = "", attached: str = "", **others: str) -> str:
    """A piece of a rôle (ORMC)."""
    per = others.get("Per", "9")
    said = {
        **{"IdPce": rank, "TypPce": "15", "NatPce": "01", "DteAsp": others.get("DteAsp", "")},
        **{"ObjPce": others.get("ObjPce", "CANTINE DE SEPTEMBRE"), "NumDette": debt, "Per": per, "Cle1": "0"},
        **{"Cle2": others.get("Cle2", cle2("2026", per, debt))},
    }
    number = leaves({"NumeroFacture": invoice})
    return (
        f"<Piece><BlocPiece>{leaves(said)}{attached}{number}</BlocPiece>{''.join(lines or (line(),))}</Piece>"
    )


def titre(number: str, *lines: str, attached: str = "", **others: str) -> str:
    """A titre."""
    said = {
        **{"IdPce": number, "TypPce": others.get("TypPce", "01"), "NatPce": others.get("NatPce", "01")},
        **{"DteAsp": others.get("DteAsp", ""), "ObjPce": others.get("ObjPce", "ECOLE DE MUSIQUE")},
    }
    rest = leaves({"NumeroFacture": others.get("NumeroFacture", "")})
    return (
        f"<Piece><BlocPiece>{leaves(said)}{attached}{rest}</BlocPiece>{''.join(lines or (line(),))}</Piece>"
    )


def bordereau(*pieces: str, total: str | Decimal, kind: str = "06", **others: str) -> str:
    """A bordereau of these pieces that announces this total."""
    said = {
        **{"Exer": others.get("Exer", "2026"), "IdBord": others.get("IdBord", "57")},
        **{"DteBordEm": others.get("DteBordEm", "2026-10-01"), "TypBord": kind, "NbrPce": str(len(pieces))},
        **{
            "MtBordHt": str(total),
            "MtBordTVA": others.get("MtBordTVA", ""),
            "DteAsp": others.get("DteAsp", ""),
        },
    }
    return f"<Bordereau><BlocBordereau>{leaves(said)}</BlocBordereau>{''.join(pieces)}</Bordereau>"


def attachment(unique: str, name: str, content: bytes, *, kind: str = "010", **others: str) -> str:
    """An element <PJ>. `place`: year, number and more of what it is attached to."""
    packed = base64.b64encode(gzip.compress(content, mtime=0)).decode()
    media = others.get("media", "application/pdf")
    place = ""
    if "Identifiant" in others:
        said = {
            **{"Domaine": "02", "Exercice": "2026", "TypeObjet": others.get("TypeObjet", "06")},
            **{
                "Identifiant": others["Identifiant"],
                "ComplementIdentifiant": others.get("ComplementIdentifiant", ""),
            },
        }
        place = f"<RefCompta>{leaves(said)}</RefCompta>"
    return (
        f'<PJ><Contenu><Fichier MIMEType="{media}">{packed}</Fichier></Contenu>'
        f"{leaves({'IdUnique': unique, 'NomPJ': name, 'TypePJ': kind, 'Description': name})}{place}</PJ>"
    )


def reference_to(unique: str, name: str, kind: str = "010") -> str:
    """A PJRef of a piece."""
    return f"<PJRef>{leaves({'Support': '01', 'IdUnique': unique, 'NomPJ': name, 'TypePJ': kind})}</PJRef>"


@dataclass
class File:
    """A whole PES Aller."""

    bordereaux: Sequence[str] = ()
    attachments: Iterable[str] = ()
    declared: str | None = "UTF-8"
    encoding: str = "utf-8"
    before: str = ""
    blocks: str = field(default="")

    def text(self) -> str:
        """The XML."""
        declaration = f'<?xml version="1.0" encoding="{self.declared}"?>' if self.declared else ""
        head = leaves({"Version": "2", "TypFic": "PESORMC", "NomFic": "essai"})
        sender = leaves({"Sigle": "ESSAI", "Adresse": "ESSAI"})
        town = leaves(
            {
                **{"DteStr": "2026-10-01", "IdPost": "031099", "IdColl": "21310411900013"},
                **{"CodCol": "123", "CodBud": "00"},
            }
        )
        income = ""
        if self.bordereaux:
            income = (
                f"<PES_RecetteAller><EnTeteRecette>{leaves({'IdVer': '2', 'InfoDematerialisee': '0'})}</EnTeteRecette>"
                f"{''.join(self.bordereaux)}</PES_RecetteAller>"
            )
        beside = "".join(self.attachments)
        if beside:
            beside = f"<PES_PJ><EnTetePES_PJ>{leaves({'IdVer': '1'})}</EnTetePES_PJ>{beside}</PES_PJ>"
        return (
            f'{declaration}{self.before}<n:PES_Aller xmlns:n="{NAMESPACE}"><Enveloppe><Parametres>{head}</Parametres>'
            f"<Emetteur>{sender}</Emetteur></Enveloppe><EnTetePES>{town}</EnTetePES>{income}{self.blocks}{beside}"
            "</n:PES_Aller>"
        ).replace("><", ">\n<")

    def content(self) -> bytes:
        """Its bytes."""
        return self.text().encode(self.encoding)


def of(*pieces: str, total: str | Decimal, **others: str) -> bytes:
    """A file of one bordereau."""
    return File([bordereau(*pieces, total=total, **others)]).content()

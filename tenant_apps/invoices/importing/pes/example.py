"""A small PES with invented people, for a clerk to download."""

_PIECE = """
      <Piece>
        <BlocPiece>
          <IdPce V="{rank}"/><TypPce V="15"/><NatPce V="01"/><ObjPce V="{subject}"/>
          <NumDette V="{number}"/><Per V="9"/><Cle1 V="0"/><Cle2 V="{key}"/><NumeroFacture V="{number}"/>
        </BlocPiece>
        <LigneDePiece>
          <BlocLignePiece>
            <InfoLignePiece>
              <IdLigne V="1"/><CodProdLoc V="CANT"/><Nature V="7067"/><Majo V="0"/><TvaIntraCom V="0"/>
              <MtHT V="{amount}"/>
            </InfoLignePiece>
          </BlocLignePiece>
          <Tiers>
            <InfoTiers>
              <RefTiers V="{code}"/><CatTiers V="01"/><NatJur V="01"/><TypTiers V="01"/>
              <Civilite V="{civility}"/><Nom V="{last}"/><Prenom V="{first}"/>
            </InfoTiers>
            <Adresse>
              <TypAdr V="1"/><Adr2 V="{street}"/><CP V="31320"/><Ville V="PECHABOU"/><CodRes V="0"/>
            </Adresse>
          </Tiers>
        </LigneDePiece>
      </Piece>"""
_FILE = """<?xml version="1.0" encoding="UTF-8"?>
<n:PES_Aller xmlns:n="http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/aller">
  <Enveloppe>
    <Parametres><Version V="2"/><TypFic V="PESORMC"/><NomFic V="exemple.xml"/></Parametres>
    <Emetteur><Sigle V="EXEMPLE"/><Adresse V="EXEMPLE"/></Emetteur>
  </Enveloppe>
  <EnTetePES>
    <DteStr V="2026-10-01"/><IdPost V="031099"/><IdColl V="21310411900013"/><CodCol V="123"/><CodBud V="00"/>
  </EnTetePES>
  <PES_RecetteAller>
    <EnTeteRecette><IdVer V="2"/><InfoDematerialisee V="0"/></EnTeteRecette>
    <Bordereau>
      <BlocBordereau>
        <Exer V="2026"/><IdBord V="57"/><DteBordEm V="2026-10-01"/><TypBord V="06"/><NbrPce V="2"/>
        <MtBordHt V="49.50"/><Objet V="CANTINE DE SEPTEMBRE"/>
      </BlocBordereau>{pieces}
    </Bordereau>
  </PES_RecetteAller>
</n:PES_Aller>
"""
_INVENTED = (
    {
        **{"rank": 1, "number": "4101", "key": "X", "amount": "37.50", "subject": "Cantine de septembre"},
        **{
            "code": "F0001",
            "civility": "Mme",
            "last": "MARTIN",
            "first": "Alice",
            "street": "1 place de la Mairie",
        },
    },
    {
        **{"rank": 2, "number": "4102", "key": "X", "amount": "12.00", "subject": "Garderie de septembre"},
        **{
            "code": "F0002",
            "civility": "M.",
            "last": "DURAND",
            "first": "Paul",
            "street": "3 rue des Écoles",
        },
    },
)
EXAMPLE = _FILE.format(pieces="".join(_PIECE.format(**one) for one in _INVENTED)).encode()

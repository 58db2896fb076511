"""Lines of files in which people may be mixed up."""

HEADER = "Numéro;Date;Échéance;Montant;Objet;Code redevable;Nom;Prénom;Adresse;CP;Ville;E-mail"
SIX = "Numéro;Date;Échéance;Montant;Objet;Code redevable"


def bill(
    number: str,
    code: str,
    last: str = "LEROUX",
    first: str = "Inès",
    *,
    street: str = "4 rue du Four",
    email: str = "ines@example.net",
    city: str = "Pechabou",
    amount: str = "37,50",
) -> str:
    """One line under HEADER."""
    return (
        f"{number};01/10/2026;31/12/2026;{amount};Cantine;{code};{last};{first};{street};31320;{city};{email}"
    )


def six(number: str, code: str) -> str:
    """One line under SIX."""
    return f"{number};01/11/2026;31/12/2026;12,00;Garderie;{code}"

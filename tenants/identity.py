"""The official numbers of a commune: SIREN and INSEE."""

import re

from tenants.errors import InvalidIdentity


def check_siren(siren: str) -> None:
    """Nine digits whose Luhn sum is right (INSEE), or nothing. Raises InvalidIdentity."""
    if siren and not (re.fullmatch(r"[0-9]{9}", siren) and _luhn(siren)):
        raise InvalidIdentity(
            f"Le SIREN « {siren} » n'existe pas : neuf chiffres, dont le dernier vérifie les autres."
        )


def check_insee(insee: str) -> None:
    """A commune's code: five characters, 2A and 2B for Corsica, or nothing. Raises InvalidIdentity."""
    if insee and not re.fullmatch(r"[0-9]{5}|2[AB][0-9]{3}", insee):
        raise InvalidIdentity(f"Le code INSEE « {insee} » ne convient pas : cinq chiffres (ou 2A…, 2B…).")


def _luhn(digits: str) -> bool:
    doubled = [int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(digits))]
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0

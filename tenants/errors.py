"""What can go wrong with a town."""


class TownError(Exception):
    """Base: the message is a French sentence for the operator."""


class InvalidSlug(TownError):
    """The address asked for is malformed or reserved."""


class TownExists(TownError):
    """A town or a host of that name exists already."""


class WrongState(TownError):
    """The town is not in a state from which this can be done."""


class TemplateMissing(TownError):
    """The template schema has not been built: run `migrate_towns`."""


class OtherHistory(TownError):
    """The database was made by another set of migrations, which the code's own do not continue."""

    def __init__(self, home: str) -> None:
        super().__init__(
            f"La base « {home} » a été faite par une version dont celle-ci ne sait pas reprendre les données."
        )


class InvalidIdentity(TownError):
    """A SIREN or an INSEE code that cannot be one."""


class ShardSilent(TownError):
    """The database where the town lives, or should, does not answer."""

    def __init__(self, shard: str) -> None:
        super().__init__(f"La base « {shard} » ne répond pas : vérifiez-la, puis recommencez.")


class ReadOnly(TownError):
    """The town is being moved: nothing may be written in it for a few minutes."""

    def __init__(self) -> None:
        super().__init__("La commune est en lecture seule pendant son déménagement.")


class InvalidHost(TownError):
    """A host name that cannot be a town's own domain."""


class NotProven(TownError):
    """The DNS does not show, or not yet, that the domain is the town's."""


class LookupFailed(TownError):
    """The DNS could not be asked, or has nothing under that name."""


class Busy(TownError):
    """Another operation on the town is waiting or running."""

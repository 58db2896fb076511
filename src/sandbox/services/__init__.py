"""The servers that the portal needs, in the order in which they are started."""

from sandbox.home import Home
from sandbox.process.part import Part
from sandbox.services import caught_mail, payfip, postgres, redis, s3


def parts(home: Home, *, for_tests: bool = False) -> list[Part]:
    """PostgreSQL, Redis, S3, mail and the PayFiP simulator. `for_tests` trades durability for speed."""
    return [
        postgres.part(home, for_tests=for_tests),
        redis.part(home, for_tests=for_tests),
        s3.part(home),
        caught_mail.part(home),
        *payfip.parts(home),
    ]

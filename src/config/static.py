"""Static files: hashed names once collected, plain names from the packages on a laptop."""

from django.conf import settings
from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):
    """Hashed names when a manifest exists; otherwise the finders' own names, so a laptop needs no collect step."""

    manifest_strict = False

    def url(self, name: str | None, force: bool = False) -> str:
        if not self.hashed_files and name is not None:
            return f"{settings.STATIC_URL}{name}"
        return super().url(name, force)

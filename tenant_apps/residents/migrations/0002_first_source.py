"""Every town has one source to begin with: files that name none come from it."""

from django.db import migrations

FIRST = """
INSERT INTO residents_source (uuid, name, created_at) VALUES (gen_random_uuid(), 'Fichier de facturation', now())
"""


class Migration(migrations.Migration):
    dependencies = [("residents", "0001_initial")]
    operations = [migrations.RunSQL(FIRST, "DELETE FROM residents_source")]

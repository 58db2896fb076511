"""An index for « who did what »: exact names, and names that begin with a word (`LIKE 'operator:%'`)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    code_can_wait = True

    dependencies = [
        ("audit", "0001_initial"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                fields=["actor", "-id"], name="audit_by_actor", opclasses=["varchar_pattern_ops", "int8_ops"]
            ),
        ),
    ]

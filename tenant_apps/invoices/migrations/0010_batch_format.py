"""An import knows the format of its file."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("invoices", "0009_interrupted_imports")]
    operations = [
        migrations.AddField(
            "batch", "format", models.CharField(default="csv", max_length=20), preserve_default=False
        ),
    ]

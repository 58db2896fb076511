"""A statement waits a little after a failure that may pass, as an import does."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0003_accounts_returns_and_progress")]
    operations = [migrations.AddField("statement", "next_try_at", models.DateTimeField(null=True))]

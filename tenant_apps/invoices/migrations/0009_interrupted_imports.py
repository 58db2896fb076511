"""An import that cannot go on ends in a state with its reason."""

from django.db import migrations, models

from tenant_apps.invoices.states import BatchState


class Migration(migrations.Migration):
    dependencies = [("invoices", "0008_what_files_say_of_payers")]
    operations = [
        migrations.AddField("batch", "attempts", models.PositiveSmallIntegerField(db_default=0, default=0)),
        migrations.AddField("batch", "next_try_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "batch", "failure", models.CharField(blank=True, db_default="", default="", max_length=300)
        ),
        migrations.AlterField(
            "batch", "state", models.CharField(choices=BatchState.choices, default="uploaded", max_length=10)
        ),
    ]

"""What billing or staff take away: an address leaves a mark, and an access says which address gave it (decision 47)."""

import django.db.models.deletion
from django.db import migrations, models

SOURCES = [("import", "facturation"), ("staff", "mairie"), ("account", "usager")]


class Migration(migrations.Migration):
    dependencies = [("residents", "0004_one_index_a_column")]

    operations = [
        migrations.AddField(
            model_name="access",
            name="lapsed",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="access",
            name="through",
            field=models.EmailField(blank=True, db_default="", default="", max_length=254),
        ),
        migrations.AddField(
            model_name="payeremail",
            name="added_by",
            field=models.CharField(blank=True, db_default="", default="", max_length=254),
        ),
        migrations.AlterField(
            model_name="payeremail",
            name="source",
            field=models.CharField(choices=SOURCES, default="import", max_length=20),
        ),
        migrations.CreateModel(
            name="RemovedEmail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email", models.EmailField(max_length=254)),
                ("source", models.CharField(choices=SOURCES, max_length=20)),
                ("refused_alerts", models.JSONField(db_default=[], default=list)),
                ("removed_at", models.DateTimeField()),
                ("removed_by", models.CharField(blank=True, max_length=254)),
                (
                    "payer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="removed_emails",
                        to="residents.payer",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("payer", "email"), name="removed_email_once")],
            },
        ),
    ]

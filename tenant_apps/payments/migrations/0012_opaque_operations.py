"""What only a provider understands is opaque: its operation, its answer, the product's number there."""

from django.db import migrations, models

STAGES = [("T", "test"), ("X", "activation"), ("W", "en service")]


def _of(model: str) -> list[migrations.operations.base.Operation]:
    return [
        migrations.RenameField(model, "numcli", "merchant"),
        migrations.AlterField(model, "merchant", models.CharField(max_length=40)),
        migrations.AlterField(model, "idop", models.CharField(max_length=64, null=True)),
        migrations.RenameField(model, "idop", "operation"),
        migrations.RenameField(model, "last_answer", "answer"),
        migrations.AddField(model, "outcome", models.CharField(blank=True, default="", max_length=16), preserve_default=False),
        migrations.AlterField(model, "mode", models.CharField(choices=STAGES, max_length=1)),
        migrations.AddConstraint(
            model,
            models.UniqueConstraint(fields=("operation", "provider"), name=f"{model}_operation_once"),
        ),
    ]


class Migration(migrations.Migration):
    dependencies = [("payments", "0011_one_spelling")]

    operations = [
        *_of("attempt"),
        *_of("trial"),
        migrations.AlterField(
            model_name='attempt',
            name='state',
            field=models.CharField(choices=[('created', 'préparé'), ('started', 'en attente de réponse'), ('reported', 'annoncé payé, à confirmer'), ('paid', 'payé'), ('refused', 'refusé'), ('abandoned', 'abandonné'), ('expired', 'expiré'), ('failed', 'non abouti'), ('review', 'à examiner')], default='created', max_length=10),
        ),
        migrations.AlterField(
            model_name='trial',
            name='state',
            field=models.CharField(choices=[('created', 'préparé'), ('started', 'en attente de réponse'), ('paid', 'réussi'), ('refused', 'refusé'), ('abandoned', 'abandonné'), ('expired', 'sans réponse'), ('failed', "refusé à l'ouverture"), ('review', 'réponse inattendue')], default='created', max_length=10),
        ),
    ]

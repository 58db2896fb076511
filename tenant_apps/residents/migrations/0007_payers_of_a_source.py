"""A payer is (source, code), and no longer a code alone; every town has one source to begin with."""

import uuid

import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

FIRST = "INSERT INTO residents_source (uuid, name, created_at) VALUES (gen_random_uuid(), 'Fichier de facturation', now())"
ALL = "UPDATE residents_payer SET source_id = (SELECT min(id) FROM residents_source)"


class Migration(migrations.Migration):
    dependencies = [("residents", "0006_one_spelling")]

    operations = [
        migrations.CreateModel(
            name='Source',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=80, verbose_name='provenance')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'verbose_name': 'provenance',
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('name'), name='source_name_once')],
            },
        ),
        migrations.RunSQL(FIRST, "DELETE FROM residents_source"),
        migrations.AddField(
            model_name='payer',
            name='is_draft',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='payer',
            name='also_written',
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AlterField(
            model_name='payer',
            name='reference',
            field=models.CharField(max_length=40, verbose_name='code redevable'),
        ),
        migrations.AddField(
            model_name='payer',
            name='source',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='payers', to='residents.source'),
        ),
        migrations.RunSQL(ALL, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='payer',
            name='source',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='payers', to='residents.source'),
        ),
        migrations.AddIndex(
            model_name='payer',
            index=models.Index(models.F('source'), models.Func(django.db.models.functions.text.Lower('reference'), models.Value('0'), function='ltrim'), name='payer_by_bare_code'),
        ),
        migrations.AddConstraint(
            model_name='payer',
            constraint=models.UniqueConstraint(fields=('source', 'reference'), name='payer_once_a_source'),
        ),
    ]

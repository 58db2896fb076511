"""What a file says of payers is a row a payer; a batch has its source; a PDF may come after its invoice."""

import django.db.models.deletion
from django.db import migrations, models

ALL = "UPDATE invoices_batch SET source_id = (SELECT min(id) FROM residents_source)"


class Migration(migrations.Migration):
    dependencies = [
        ('invoices', '0007_states_and_references_guarded'),
        ('residents', '0007_payers_of_a_source'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='invoice',
            name='staged',
        ),
        migrations.AddField(
            model_name='batch',
            name='change_count',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='batch',
            name='late_count',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='batch',
            name='question_count',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='batch',
            name='source',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='residents.source'),
        ),
        migrations.RunSQL(ALL, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='batch',
            name='source',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='residents.source'),
        ),
        migrations.CreateModel(
            name='PayerUpdate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.PositiveIntegerField()),
                ('said', models.JSONField(default=dict)),
                ('was', models.JSONField(default=dict)),
                ('is_new', models.BooleanField(default=False)),
                ('changes', models.BooleanField(default=False)),
                ('asks', models.CharField(blank=True, choices=[('person', 'est-ce la même personne ?'), ('code', 'est-ce un redevable connu ?')], max_length=6)),
                ('reasons', models.JSONField(default=list)),
                ('answer', models.CharField(blank=True, choices=[('same', 'la même personne'), ('other', 'une autre personne')], max_length=5)),
                ('answered_by', models.CharField(blank=True, max_length=254)),
                ('answered_at', models.DateTimeField(null=True)),
                ('applied_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['batch', 'line', 'id'],
            },
        ),
        migrations.AddField(
            model_name='document',
            name='late_for',
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddIndex(
            model_name='document',
            index=models.Index(fields=['sha256'], name='document_by_sha256'),
        ),
        migrations.AddField(
            model_name='payerupdate',
            name='batch',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='payer_updates', to='invoices.batch'),
        ),
        migrations.AddField(
            model_name='payerupdate',
            name='looks_like',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='residents.payer'),
        ),
        migrations.AddField(
            model_name='payerupdate',
            name='payer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='residents.payer'),
        ),
        migrations.AddConstraint(
            model_name='payerupdate',
            constraint=models.UniqueConstraint(fields=('batch', 'payer'), name='payer_update_once'),
        ),
    ]

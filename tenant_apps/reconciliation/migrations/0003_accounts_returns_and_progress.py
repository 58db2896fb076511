"""A statement's account and progress, a line's identity, what is taken back, and one line for many payments."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('invoices', '0006_one_index_a_column'),
        ('payments', '0010_ledger'),
        ('reconciliation', '0002_one_index_a_column'),
    ]

    operations = [
        migrations.CreateModel(
            name='LinePayment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='line',
            name='payment_on_one_line',
        ),
        migrations.AddField(
            model_name='line',
            name='doubt',
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name='line',
            name='outgoing',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='line',
            name='pay_state',
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddField(
            model_name='line',
            name='rank',
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AddField(
            model_name='line',
            name='return_reason',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name='line',
            name='returned',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='line',
            name='twin',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='reconciliation.line'),
        ),
        migrations.AddField(
            model_name='line',
            name='used',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='line',
            name='weak',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='statement',
            name='account',
            field=models.CharField(blank=True, max_length=40, verbose_name='compte'),
        ),
        migrations.AddField(
            model_name='statement',
            name='attempts',
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='statement',
            name='beat_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='statement',
            name='delimiter',
            field=models.CharField(blank=True, max_length=1),
        ),
        migrations.AddField(
            model_name='statement',
            name='done',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='statement',
            name='imported_by',
            field=models.CharField(blank=True, max_length=254),
        ),
        migrations.AddField(
            model_name='statement',
            name='problem',
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name='statement',
            name='started_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='statement',
            name='state',
            field=models.CharField(choices=[('received', 'colonnes à vérifier'), ('reading', 'lecture en cours'), ('done', 'importé'), ('failed', 'lecture interrompue')], default='received', max_length=8),
        ),
        migrations.AddField(
            model_name='statement',
            name='step',
            field=models.CharField(blank=True, max_length=10),
        ),
        migrations.AddField(
            model_name='statement',
            name='titles_line',
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='statement',
            name='total',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='statement',
            name='withdrawn_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='statement',
            name='withdrawn_by',
            field=models.CharField(blank=True, max_length=254),
        ),
        migrations.AlterField(
            model_name='line',
            name='checksum',
            field=models.CharField(max_length=64),
        ),
        migrations.AlterField(
            model_name='line',
            name='state',
            field=models.CharField(choices=[('matched', 'rapprochée'), ('unmatched', 'inconnue'), ('doubtful', 'douteuse'), ('duplicate', 'en double'), ('unreadable', 'illisible'), ('ignored', 'écartée'), ('known', 'déjà connue')], default='unmatched', max_length=10),
        ),
        migrations.AddIndex(
            model_name='line',
            index=models.Index(condition=models.Q(('twin__isnull', False)), fields=['twin'], name='line_twin'),
        ),
        migrations.AddIndex(
            model_name='line',
            index=models.Index(condition=models.Q(('used', True)), fields=['statement'], name='line_used'),
        ),
        migrations.AddIndex(
            model_name='statement',
            index=models.Index(condition=models.Q(('state', 'reading')), fields=['id'], name='statement_to_read'),
        ),
        migrations.AddConstraint(
            model_name='line',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'known'), _negated=True), fields=('checksum', 'rank'), name='line_once'),
        ),
        migrations.AddConstraint(
            model_name='line',
            constraint=models.UniqueConstraint(condition=models.Q(('returned', False), ('state', 'matched')), fields=('kind', 'payment'), name='payment_on_one_line'),
        ),
        migrations.AddConstraint(
            model_name='line',
            constraint=models.UniqueConstraint(condition=models.Q(('returned', True), ('state', 'matched')), fields=('kind', 'payment'), name='payment_back_on_one_line'),
        ),
        migrations.AddField(
            model_name='linepayment',
            name='line',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='reconciliation.line'),
        ),
        migrations.AddField(
            model_name='linepayment',
            name='payment',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='total_line', to='payments.payment'),
        ),
    ]


import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0003_online_and_waiting'),
        ('patients', '0006_messages_in_own_words'),
        ('treatments', '0011_notes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Syringe',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('label', models.CharField(max_length=1, verbose_name='syringe')),
                ('prepared_at', models.DateTimeField(blank=True, null=True)),
                ('discard_by', models.DateTimeField(blank=True, null=True)),
                ('pharmacy', models.CharField(blank=True, max_length=160, verbose_name='made up by a pharmacy')),
                ('appearance', models.CharField(blank=True, choices=[('limpid', 'limpid'), ('turbid', 'turbid'), ('milky', 'milky'), ('coloured', 'coloured'), ('particles', 'with particles')], default='', max_length=10, verbose_name='it looks')),
                ('discarded_ml', models.DecimalField(blank=True, decimal_places=2, max_digits=6, null=True, verbose_name='discarded')),
                ('prepared_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('session', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='syringes', to='treatments.session')),
            ],
            options={
                'ordering': ['session_id', 'label'],
                'constraints': [models.UniqueConstraint(fields=('session', 'label'), name='syringe_label_once'), models.CheckConstraint(condition=models.Q(('label__in', ('A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'))), name='syringe_label_known'), models.CheckConstraint(condition=models.Q(('discarded_ml__isnull', True), ('discarded_ml__gte', 0), _connector='OR'), name='syringe_discarded_not_negative', violation_error_message='A volume cannot be negative.'), models.CheckConstraint(condition=models.Q(('discard_by__isnull', True), ('discard_by__gte', models.F('prepared_at')), _connector='OR'), name='syringe_kept_after_it_was_prepared'), models.CheckConstraint(condition=models.Q(models.Q(('prepared_at__isnull', True), ('prepared_by__isnull', True)), models.Q(('prepared_at__isnull', False), ('prepared_by__isnull', False)), _connector='OR'), name='syringe_prepared_by_someone')],
            },
        ),
        migrations.RemoveConstraint(
            model_name='mixcomponent',
            name='mix_lot_once',
        ),
        migrations.AddField(
            model_name='session',
            name='diastolic_mmhg',
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='diastolic'),
        ),
        migrations.AddField(
            model_name='session',
            name='identity_checked_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='session',
            name='needles_changed',
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='needles used'),
        ),
        migrations.AddField(
            model_name='session',
            name='next_due_on',
            field=models.DateField(blank=True, null=True, verbose_name='next session due'),
        ),
        migrations.AddField(
            model_name='session',
            name='photos',
            field=models.CharField(blank=True, choices=[('taken', 'taken'), ('declined', 'the patient declined'), ('not-needed', 'not needed today')], db_default='', default='', max_length=10, verbose_name='photos'),
        ),
        migrations.AddField(
            model_name='session',
            name='pulse_bpm',
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='pulse'),
        ),
        migrations.AddField(
            model_name='session',
            name='released_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='session',
            name='saved_as',
            field=models.CharField(blank=True, db_default='', default='', max_length=36),
        ),
        migrations.AddField(
            model_name='session',
            name='systolic_mmhg',
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='systolic'),
        ),
        migrations.AddField(
            model_name='treatedarea',
            name='intended',
            field=models.JSONField(blank=True, db_default=[], default=list),
        ),
        migrations.AddField(
            model_name='treatedarea',
            name='minutes',
            field=models.DecimalField(blank=True, decimal_places=1, max_digits=5, null=True, verbose_name='minutes'),
        ),
        migrations.AddField(
            model_name='treatedarea',
            name='modality',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='treatments.modality'),
        ),
        migrations.AddField(
            model_name='treatedarea',
            name='programme',
            field=models.CharField(blank=True, db_default='', default='', max_length=80, verbose_name='programme'),
        ),
        migrations.AddField(
            model_name='treatedarea',
            name='settings',
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AddConstraint(
            model_name='session',
            constraint=models.CheckConstraint(condition=models.Q(('released_at__isnull', True), ('released_at__gte', models.F('started_at')), _connector='OR'), name='session_released_after_start', violation_error_message='The patient cannot leave before the session began.'),
        ),
        migrations.AddConstraint(
            model_name='session',
            constraint=models.CheckConstraint(condition=models.Q(('systolic_mmhg__isnull', True), ('diastolic_mmhg__isnull', True), ('systolic_mmhg__gt', models.F('diastolic_mmhg')), _connector='OR'), name='session_pressure_in_order', violation_error_message='The upper pressure is above the lower one.'),
        ),
        migrations.AddField(
            model_name='mixcomponent',
            name='syringe',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='components', to='treatments.syringe'),
        ),
        migrations.AddField(
            model_name='treatedarea',
            name='syringe',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='areas', to='treatments.syringe'),
        ),
        migrations.AddConstraint(
            model_name='mixcomponent',
            constraint=models.UniqueConstraint(condition=models.Q(('syringe__isnull', False)), fields=('session', 'syringe', 'lot'), name='mix_lot_once_per_syringe'),
        ),
        migrations.AddConstraint(
            model_name='mixcomponent',
            constraint=models.UniqueConstraint(condition=models.Q(('syringe__isnull', True)), fields=('session', 'lot'), name='mix_lot_once_without_syringe'),
        ),
        migrations.AddConstraint(
            model_name='treatedarea',
            constraint=models.CheckConstraint(condition=models.Q(('minutes__isnull', True), models.Q(('minutes__gt', 0), ('minutes__lte', 180)), _connector='OR'), name='treated_area_minutes_possible'),
        ),
    ]

"""The tables of this wing, with what the database itself holds them to."""

import clinic.places.models
import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import phonenumber_field.modelfields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [
        ('clinic', '0001_initial'),
        ('clinic', '0002_places_and_hours'),
        ('clinic', '0003_online_and_waiting'),
        ('clinic', '0004_audit_refusals'),
        ('clinic', '0005_time_to_think'),
        ('clinic', '0006_rights'),
        ('clinic', '0007_staff_phone'),
        ('clinic', '0008_age_of_majority'),
    ]

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name='AuditSeal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sealed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('entries', models.TextField()),
                ('first_id', models.BigIntegerField()),
                ('last_id', models.BigIntegerField()),
                ('count', models.PositiveIntegerField()),
                ('previous_hash', models.CharField(max_length=64)),
                ('hash', models.CharField(max_length=64, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name='Heartbeat',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200, unique=True)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Staff',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('email', models.EmailField(max_length=254, verbose_name='e-mail')),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('role', models.CharField(choices=[('practitioner', 'Practitioner'), ('front_desk', 'Front desk'), ('manager', 'Manager')], max_length=20, verbose_name='role')),
                ('registration_number', models.CharField(blank=True, max_length=60, verbose_name='professional registration number')),
                ('phone', phonenumber_field.modelfields.PhoneNumberField(blank=True, db_default='', default='', max_length=128, region=None, verbose_name='mobile phone')),
                ('language', models.CharField(default='en', max_length=8, verbose_name='language')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='staff_email_unique', violation_error_message='Someone already signs in with this e-mail.'), models.CheckConstraint(condition=models.Q(('role__in', ['practitioner', 'front_desk', 'manager'])), name='staff_role_known')],
            },
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('actor_kind', models.CharField(db_default='database', max_length=10)),
                ('actor_id', models.BigIntegerField(null=True)),
                ('who', models.CharField(db_default='', max_length=200)),
                ('role', models.CharField(db_default='', max_length=20)),
                ('patients', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), db_default=[], size=None)),
                ('action', models.CharField(choices=[('create', 'created'), ('change', 'changed'), ('delete', 'deleted'), ('read', 'read'), ('refuse', 'was refused a change to')], max_length=6)),
                ('what', models.CharField(max_length=100)),
                ('object_id', models.CharField(db_default='', max_length=60)),
                ('request_id', models.CharField(db_default='', max_length=36)),
                ('before', models.JSONField(null=True)),
                ('after', models.JSONField(null=True)),
            ],
            options={
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['patients'], name='audit_entry_patients')],
            },
        ),
        migrations.CreateModel(
            name='CountryProfile',
            fields=[
                ('code', models.CharField(max_length=2, primary_key=True, serialize=False, verbose_name='country code')),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('emergency_number', models.CharField(max_length=20, verbose_name='emergency number')),
                ('cooling_off_hours', models.PositiveIntegerField(default=0, verbose_name='hours between reading and signing')),
                ('mixing_in_pharmacy_only', models.BooleanField(default=False, verbose_name='mixes only from a pharmacy')),
                ('adults_only_toxin_filler', models.BooleanField(default=False, verbose_name='no toxin or filler under 18')),
                ('blocks_warned_substances', models.BooleanField(default=False, verbose_name='blocks substances with a warning')),
                ('retention_years', models.PositiveSmallIntegerField(db_default=8, default=8, verbose_name='years for which records are kept')),
                ('minors_until_age', models.PositiveSmallIntegerField(db_default=25, default=25, verbose_name='records of minors are kept until the age of')),
                ('age_of_majority', models.PositiveSmallIntegerField(db_default=18, default=18, verbose_name='age from which a person consents alone')),
                ('source', models.TextField(verbose_name='source')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('age_of_majority__gte', 14), ('age_of_majority__lte', 25)), name='country_age_of_majority_possible', violation_error_message='The age of majority is from 14 to 25 years.')],
            },
        ),
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file', models.BigIntegerField()),
                ('due_on', models.DateField()),
                ('ground', models.CharField(max_length=300)),
                ('decided_by', models.CharField(max_length=200)),
                ('decided_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('kept', models.JSONField(default=list)),
                ('erased', models.JSONField(default=list)),
                ('files', models.JSONField(default=list)),
                ('done_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('file',), name='erased_once'), models.CheckConstraint(condition=models.Q(models.Q(('ground', ''), _negated=True), models.Q(('decided_by', ''), _negated=True)), name='erasure_says_why')],
            },
        ),
        migrations.CreateModel(
            name='Location',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('timezone', models.CharField(max_length=60, validators=[clinic.places.models.validate_zone], verbose_name='time zone')),
                ('language', models.CharField(default='en', max_length=8, verbose_name='language')),
                ('address', models.TextField(verbose_name='address')),
                ('phone', models.CharField(max_length=40, verbose_name='phone in hours')),
                ('phone_out_of_hours', models.CharField(max_length=40, verbose_name='phone out of hours')),
                ('email', models.EmailField(max_length=254, verbose_name='e-mail')),
                ('opens_at', models.TimeField(verbose_name='opens')),
                ('closes_at', models.TimeField(verbose_name='closes')),
                ('closed_weekdays', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')]), blank=True, default=list, size=None)),
                ('closes_on_holidays', models.BooleanField(default=False, verbose_name='closed on public holidays')),
                ('holiday_region', models.CharField(blank=True, max_length=10, verbose_name='region, for its holidays')),
                ('allows_overlap', models.BooleanField(default=False, verbose_name='the desk may book over what is taken, with a reason')),
                ('online_booking', models.BooleanField(db_default=True, default=True, verbose_name='patients may book, move and cancel by their link')),
                ('online_notice_hours', models.PositiveSmallIntegerField(db_default=4, default=4, verbose_name='hours ahead to book by link')),
                ('online_days_ahead', models.PositiveSmallIntegerField(db_default=60, default=60, verbose_name='days ahead to book by link')),
                ('change_notice_hours', models.PositiveSmallIntegerField(db_default=24, default=24, verbose_name='hours ahead to move or cancel by link')),
                ('waiting_automatic', models.BooleanField(db_default=False, default=False, verbose_name='offer freed times to the waiting list by itself')),
                ('hold_minutes', models.PositiveSmallIntegerField(db_default=15, default=15, verbose_name='minutes an offered time is held')),
                ('most_offers', models.PositiveSmallIntegerField(db_default=3, default=3, verbose_name='offers for one freed time, at most')),
                ('cooling_off_hours', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='hours between reading and signing a consent')),
                ('retention_years', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='years for which records are kept')),
                ('minors_until_age', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='records of minors are kept until the age of')),
                ('country', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='clinic.countryprofile', verbose_name='country')),
            ],
            options={
                'ordering': ['name'],
                'constraints': [models.CheckConstraint(condition=models.Q(('closes_at__gt', models.F('opens_at'))), name='location_closes_after_it_opens', violation_error_message='Closing time must be after opening time.'), models.CheckConstraint(condition=models.Q(('change_notice_hours__lte', 720), ('online_days_ahead__gte', 1), ('online_days_ahead__lte', 365), ('online_notice_hours__lte', 720)), name='location_online_rules_possible', violation_error_message='By link: up to 720 hours of notice, and from 1 to 365 days ahead.'), models.CheckConstraint(condition=models.Q(('cooling_off_hours__isnull', True), ('cooling_off_hours__lte', 720), _connector='OR'), name='location_cooling_off_possible', violation_error_message='The time to think is 720 hours at most.'), models.CheckConstraint(condition=models.Q(models.Q(('retention_years__isnull', True), models.Q(('retention_years__gte', 1), ('retention_years__lte', 60)), _connector='OR'), models.Q(('minors_until_age__isnull', True), models.Q(('minors_until_age__gte', 18), ('minors_until_age__lte', 40)), _connector='OR')), name='location_retention_possible', violation_error_message='Records are kept for 1 to 60 years, those of minors until 18 to 40.'), models.CheckConstraint(condition=models.Q(('hold_minutes__gte', 5), ('hold_minutes__lte', 240), ('most_offers__gte', 1), ('most_offers__lte', 20)), name='location_offer_rules_possible', violation_error_message='A time is held for 5 to 240 minutes, and offered to 1 to 20 people.')],
            },
        ),
        migrations.CreateModel(
            name='Device',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=40, verbose_name='kind')),
                ('make', models.CharField(max_length=80, verbose_name='make')),
                ('model', models.CharField(max_length=80, verbose_name='model')),
                ('serial_number', models.CharField(max_length=80, unique=True, verbose_name='serial number')),
                ('is_active', models.BooleanField(default=True, verbose_name='in use')),
                ('location', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='devices', to='clinic.location')),
            ],
            options={
                'ordering': ['location_id', 'make', 'model'],
            },
        ),
        migrations.CreateModel(
            name='DayHours',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='day')),
                ('starts_at', models.TimeField(blank=True, null=True, verbose_name='from')),
                ('ends_at', models.TimeField(blank=True, null=True, verbose_name='until')),
                ('reason', models.CharField(blank=True, max_length=120, verbose_name='reason')),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='day_hours', to=settings.AUTH_USER_MODEL)),
                ('location', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='day_hours', to='clinic.location')),
            ],
            options={
                'ordering': ['staff_id', 'day'],
                'constraints': [models.UniqueConstraint(fields=('staff', 'location', 'day'), name='day_hours_once', violation_error_message='There is an entry for this day already.'), models.CheckConstraint(condition=models.Q(models.Q(('ends_at__isnull', True), ('starts_at__isnull', True)), ('ends_at__gt', models.F('starts_at')), _connector='OR'), name='day_hours_end_after_start', violation_error_message='The end must be after the start.')],
            },
        ),
        migrations.CreateModel(
            name='LocationDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='day')),
                ('opens_at', models.TimeField(blank=True, null=True, verbose_name='opens')),
                ('closes_at', models.TimeField(blank=True, null=True, verbose_name='closes')),
                ('reason', models.CharField(blank=True, max_length=120, verbose_name='reason')),
                ('location', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='days', to='clinic.location')),
            ],
            options={
                'ordering': ['location_id', 'day'],
                'constraints': [models.UniqueConstraint(fields=('location', 'day'), name='location_day_once', violation_error_message='There is an entry for this day already.'), models.CheckConstraint(condition=models.Q(models.Q(('closes_at__isnull', True), ('opens_at__isnull', True)), ('closes_at__gt', models.F('opens_at')), _connector='OR'), name='location_day_closes_after_it_opens', violation_error_message='Closing time must be after opening time.')],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to='clinic.location')),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('staff', 'location'), name='membership_once')],
            },
        ),
        migrations.CreateModel(
            name='Room',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('kind', models.CharField(choices=[('treatment', 'Treatment room'), ('consultation', 'Consultation room')], default='treatment', max_length=12, verbose_name='kind')),
                ('is_active', models.BooleanField(default=True, verbose_name='in use')),
                ('location', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rooms', to='clinic.location')),
            ],
            options={
                'ordering': ['location_id', 'name'],
                'constraints': [models.UniqueConstraint(fields=('location', 'name'), name='room_name_once_per_location')],
            },
        ),
        migrations.CreateModel(
            name='WorkingHours',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weekday', models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')], validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(6)], verbose_name='weekday')),
                ('starts_at', models.TimeField(verbose_name='from')),
                ('ends_at', models.TimeField(verbose_name='until')),
                ('location', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='working_hours', to='clinic.location')),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='working_hours', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['staff_id', 'weekday', 'starts_at'],
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='working_hours_end_after_start', violation_error_message='The end must be after the start.'), models.CheckConstraint(condition=models.Q(('weekday__lte', 6)), name='working_hours_weekday_real'), django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('staff', '='), ('weekday', '='), (clinic.places.models.MinuteRange(clinic.places.models.Minutes('starts_at'), clinic.places.models.Minutes('ends_at')), '&&')], name='working_hours_not_twice', violation_error_message='These hours overlap others of the same person.')],
            },
        ),
        migrations.CreateModel(
            name='DeviceCleaning',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cleaned_at', models.DateTimeField(verbose_name='cleaned at')),
                ('agent', models.CharField(max_length=120, verbose_name='with')),
                ('note', models.CharField(blank=True, max_length=300, verbose_name='note')),
                ('cleaned_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('device', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='cleanings', to='clinic.device')),
            ],
            options={
                'ordering': ['-cleaned_at'],
                'indexes': [models.Index(fields=['device', '-cleaned_at'], name='cleaning_of_device')],
            },
        ),
    ]

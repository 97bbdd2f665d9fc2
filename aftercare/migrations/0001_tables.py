"""The tables of this wing, with what the database itself holds them to."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [
        ('aftercare', '0001_initial'),
        ('aftercare', '0002_printings'),
        ('aftercare', '0003_safety'),
        ('aftercare', '0004_sheets_in_versions'),
        ('aftercare', '0005_watch_in_full'),
        ('aftercare', '0006_alerts_and_revisions'),
        ('aftercare', '0007_look_back_places'),
        ('aftercare', '0008_sheet_phrases'),
        ('aftercare', '0009_course_summary'),
    ]

    initial = True

    dependencies = [
        ('clinic', '0001_tables'),
        ('patients', '0002_tables'),
        ('treatments', '0001_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='CheckIn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('step', models.SlugField(max_length=40)),
                ('hours', models.PositiveIntegerField(blank=True, null=True)),
                ('due_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('planned', 'Planned'), ('open', 'Sent, no answer yet'), ('answered', 'Answered'), ('silent', 'No answer'), ('missed', 'Never asked'), ('cancelled', 'Cancelled')], default='planned', max_length=10)),
                ('asked', models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list)),
                ('answers', models.JSONField(blank=True, null=True)),
                ('signs', django.contrib.postgres.fields.ArrayField(base_field=models.SlugField(), blank=True, default=list, size=None)),
                ('note', models.CharField(blank=True, max_length=1000, verbose_name='anything else')),
                ('own_value', models.DecimalField(blank=True, decimal_places=2, max_digits=7, null=True)),
                ('colour', models.CharField(blank=True, choices=[('green', 'As expected'), ('amber', 'Call by the next working day'), ('red', 'Call now')], max_length=6)),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('stop_reason', models.CharField(blank=True, db_default='', default='', max_length=300, verbose_name='reason')),
                ('message', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='check_ins', to='patients.message')),
                ('own_scale', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='treatments.scale')),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='check_ins', to='patients.patient')),
                ('photo', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.photo')),
                ('session', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='check_ins', to='treatments.session')),
                ('stopped_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('time', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='treatments.checkintime')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'planned')), fields=['due_at'], name='check_in_due'), models.Index(fields=['patient', 'due_at'], name='check_in_of_patient'), models.Index(condition=models.Q(('state__in', ['open', 'silent', 'missed'])), fields=['-due_at'], name='check_in_silent')],
                'constraints': [models.UniqueConstraint(fields=('session', 'step'), name='check_in_step_once'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'answered'), _negated=True), models.Q(('answered_at__isnull', False), models.Q(('colour', ''), _negated=True)), _connector='OR'), name='check_in_answer_has_colour'), models.CheckConstraint(condition=models.Q(('own_value__isnull', True), models.Q(('own_scale__isnull', False), ('state', 'answered')), _connector='OR'), name='check_in_own_score_of_a_scale')],
            },
        ),
        migrations.CreateModel(
            name='Call',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('reason', models.CharField(choices=[('answer', 'what the patient said'), ('silence', 'no answer')], db_default='answer', default='answer', max_length=8)),
                ('is_red', models.BooleanField()),
                ('due_at', models.DateTimeField()),
                ('taken_at', models.DateTimeField(blank=True, null=True)),
                ('told_at', models.DateTimeField(blank=True, null=True)),
                ('escalate_at', models.DateTimeField(blank=True, null=True)),
                ('everyone_told_at', models.DateTimeField(blank=True, null=True)),
                ('outcome', models.TextField(blank=True, max_length=2000, verbose_name='outcome')),
                ('ending', models.CharField(blank=True, choices=[('advice', 'advice was enough'), ('seen', 'seen, or an appointment given'), ('emergency', 'sent to emergency care'), ('event', 'an adverse event was opened'), ('given-up', 'could not be reached')], db_default='', default='', max_length=10, verbose_name='how it ended')),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('done_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinic.location')),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='calls', to='patients.patient')),
                ('taken_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('check_in', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='call', to='aftercare.checkin')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('done_at__isnull', True)), fields=['location', 'due_at'], name='call_waiting'), models.Index(condition=models.Q(('done_at__isnull', True), ('everyone_told_at__isnull', True)), fields=['escalate_at'], name='call_to_escalate')],
                'constraints': [models.CheckConstraint(condition=models.Q(('done_at__isnull', True), models.Q(models.Q(('outcome', ''), _negated=True), ('done_by__isnull', False)), _connector='OR'), name='call_done_has_outcome')],
            },
        ),
        migrations.CreateModel(
            name='AdverseEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('onset_at', models.DateTimeField(verbose_name='began')),
                ('is_timed', models.BooleanField(default=False)),
                ('grade', models.PositiveSmallIntegerField(choices=[(1, '1 mild: no intervention'), (2, '2 moderate: local or non-invasive intervention'), (3, '3 severe: hospital, or disabling'), (4, '4 life-threatening'), (5, '5 death')], verbose_name='grade')),
                ('relatedness', models.CharField(choices=[('unrelated', 'unrelated'), ('possible', 'possible'), ('probable', 'probable'), ('definite', 'definite')], max_length=10, verbose_name='related to the treatment')),
                ('side', models.CharField(choices=[('none', 'midline'), ('left', 'left'), ('right', 'right'), ('both', 'both sides')], default='none', max_length=5, verbose_name='side')),
                ('chart', models.SlugField(blank=True, db_default='', default='', max_length=40)),
                ('point_x', models.FloatField(blank=True, null=True)),
                ('point_y', models.FloatField(blank=True, null=True)),
                ('description', models.TextField(max_length=4000, verbose_name='what is seen')),
                ('action_taken', models.TextField(blank=True, max_length=4000, verbose_name='what was done')),
                ('outcome', models.CharField(choices=[('ongoing', 'ongoing'), ('recovering', 'recovering'), ('resolved', 'recovered'), ('resolvedWithSequelae', 'recovered with lasting effects'), ('fatal', 'death'), ('unknown', 'not known')], default='ongoing', max_length=20, verbose_name='outcome')),
                ('follow_up_on', models.DateField(verbose_name='look at it again on')),
                ('expected_until', models.DateField(blank=True, null=True)),
                ('facts', models.JSONField(default=dict)),
                ('revision', models.PositiveIntegerField(db_default=0, default=0)),
                ('earlier', models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('closing_words', models.TextField(blank=True, max_length=4000, verbose_name='closing words')),
                ('area', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='treatments.area', verbose_name='area')),
                ('closer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('kind', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='treatments.adverseeventtype', verbose_name='what it is')),
                ('location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinic.location')),
                ('opened_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='adverse_events', to='patients.patient')),
                ('session', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='adverse_event_records', to='treatments.session')),
                ('call', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='adverse_events', to='aftercare.call')),
                ('check_in', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='adverse_events', to='aftercare.checkin')),
            ],
            options={
                'indexes': [models.Index(fields=['patient', '-onset_at'], name='adverse_event_of_patient'), models.Index(fields=['location', '-onset_at'], name='adverse_event_at_place'), models.Index(condition=models.Q(('closed_at__isnull', True)), fields=['location', 'follow_up_on'], name='adverse_event_open')],
                'constraints': [models.CheckConstraint(condition=models.Q(('grade__gte', 1), ('grade__lte', 5)), name='adverse_event_grade_possible', violation_error_message='The grade is from 1 to 5.'), models.CheckConstraint(condition=models.Q(('closed_at__isnull', True), models.Q(('closer__isnull', False), models.Q(('closing_words', ''), _negated=True), ('outcome__in', ['resolved', 'resolvedWithSequelae', 'fatal', 'unknown'])), _connector='OR'), name='adverse_event_closed_in_words', violation_error_message='An event is closed with an outcome and in words.'), models.CheckConstraint(condition=models.Q(models.Q(('point_x__isnull', True), ('point_y__isnull', True)), models.Q(('point_x__gte', 0), ('point_x__lte', 1), ('point_y__gte', 0), ('point_y__lte', 1), models.Q(('chart', ''), _negated=True)), _connector='OR'), name='adverse_event_point_on_a_chart'), models.CheckConstraint(condition=models.Q(('description', ''), _negated=True), name='adverse_event_is_described'), models.CheckConstraint(condition=models.Q(models.Q(('grade', 5), _negated=True), ('outcome', 'fatal'), _connector='OR'), name='adverse_event_death_is_fatal', violation_error_message='Grade 5 is death: the outcome must say so.')],
            },
        ),
        migrations.CreateModel(
            name='CourseSummary',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('document', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='course_summary', to='patients.document')),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='course_summaries', to='patients.patient')),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='summaries', to='treatments.plan')),
            ],
            options={
                'indexes': [models.Index(fields=['plan', '-id'], name='course_summary_of_plan')],
            },
        ),
        migrations.CreateModel(
            name='EventAddendum',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('text', models.TextField(max_length=4000, verbose_name='addendum')),
                ('reason', models.CharField(max_length=300, verbose_name='reason')),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='addenda', to='aftercare.adverseevent')),
                ('written_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'event addenda',
                'ordering': ['created_at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='EventPhoto',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='photos', to='aftercare.adverseevent')),
                ('photo', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.photo')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('event', 'photo'), name='event_photo_once')],
            },
        ),
        migrations.CreateModel(
            name='EventReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('to', models.CharField(choices=[('authority', 'The authority'), ('maker', 'The maker')], max_length=10)),
                ('document', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='event_report', to='patients.document')),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reports', to='aftercare.adverseevent')),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='LookBack',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=160, verbose_name='title')),
                ('since', models.DateField(verbose_name='treated from')),
                ('until', models.DateField(verbose_name='to')),
                ('made_at', models.DateTimeField()),
                ('location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinic.location')),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('until__gte', models.F('since'))), name='look_back_dates_in_order', violation_error_message='The last day is before the first.'), models.CheckConstraint(condition=models.Q(('title', ''), _negated=True), name='look_back_has_title')],
            },
        ),
        migrations.CreateModel(
            name='LookBackCase',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('onset_on', models.DateField(verbose_name='began on')),
                ('added_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('event', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='aftercare.adverseevent')),
                ('look_back', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cases', to='aftercare.lookback')),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.patient')),
            ],
            options={
                'ordering': ['onset_on', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('look_back', 'patient'), name='look_back_case_once', violation_error_message='This patient is a case already.')],
            },
        ),
        migrations.CreateModel(
            name='LookBackPlace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinic.location')),
                ('look_back', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='aftercare.lookback')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('look_back', 'location'), name='look_back_place_once')],
            },
        ),
        migrations.AddField(
            model_name='lookback',
            name='places',
            field=models.ManyToManyField(related_name='+', through='aftercare.LookBackPlace', to='clinic.location', verbose_name='locations'),
        ),
        migrations.CreateModel(
            name='Printing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('with_photos', models.BooleanField(default=False, verbose_name='with the photos')),
                ('document', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='printing', to='patients.document')),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='printings', to='patients.patient')),
                ('session', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='printings', to='treatments.session')),
            ],
            options={
                'indexes': [models.Index(fields=['patient', '-id'], name='printing_of_patient')],
                'constraints': [models.CheckConstraint(condition=models.Q(('session__isnull', True), ('with_photos', False), _connector='OR'), name='printing_photos_of_whole_record')],
            },
        ),
        migrations.CreateModel(
            name='Recall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('lot', 'Lot'), ('container', 'Opened container'), ('mix', 'Mixture'), ('product', 'Product'), ('device', 'Device'), ('room', 'Room'), ('practitioner', 'Practitioner'), ('technique', 'Technique'), ('window', 'Dates')], max_length=12)),
                ('key', models.JSONField(default=list)),
                ('since', models.DateField(blank=True, null=True)),
                ('until', models.DateField(blank=True, null=True)),
                ('words', models.CharField(max_length=400)),
                ('reason', models.CharField(max_length=500, verbose_name='why')),
                ('letter_words', models.TextField(blank=True, max_length=2000, verbose_name='what the letter says')),
                ('opened_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('closing_words', models.TextField(blank=True, max_length=2000, verbose_name='closing words')),
                ('closer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinic.location')),
                ('opened_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('closed_at__isnull', True)), fields=('location', 'kind', 'key', 'since', 'until'), name='recall_open_once', nulls_distinct=False, violation_error_message='A recall of this is open already.'), models.CheckConstraint(condition=models.Q(('closed_at__isnull', True), models.Q(('closer__isnull', False), models.Q(('closing_words', ''), _negated=True)), _connector='OR'), name='recall_closed_in_words'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='recall_says_why')],
            },
        ),
        migrations.CreateModel(
            name='RecallContact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('exposed_file', models.BigIntegerField()),
                ('sessions', models.PositiveIntegerField()),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
                ('asked_at', models.DateTimeField(blank=True, null=True)),
                ('told_at', models.DateTimeField(blank=True, null=True)),
                ('letter', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='recall_contact', to='patients.document')),
                ('location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinic.location')),
                ('message', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='recall_contact', to='patients.message')),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='recall_contacts', to='patients.patient')),
                ('recall', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contacts', to='aftercare.recall')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('asked_at__isnull', False), ('told_at__isnull', True)), fields=['asked_at'], name='recall_contact_to_tell'), models.Index(fields=['recall', 'id'], name='recall_contact_in_order')],
                'constraints': [models.UniqueConstraint(fields=('recall', 'exposed_file'), name='recall_contact_once'), models.CheckConstraint(condition=models.Q(('sessions__gt', 0)), name='recall_contact_was_exposed')],
            },
        ),
        migrations.CreateModel(
            name='Attempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('outcome', models.CharField(choices=[('reached', 'spoken with'), ('no-answer', 'no answer'), ('left-word', 'left word to call back'), ('wrong-number', 'wrong number'), ('posted', 'letter posted')], max_length=12, verbose_name='what came of it')),
                ('note', models.CharField(blank=True, max_length=500, verbose_name='note')),
                ('at', models.DateTimeField()),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('contact', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attempts', to='aftercare.recallcontact')),
            ],
            options={
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Sheet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('version', models.PositiveSmallIntegerField(db_default=1, default=1)),
                ('language', models.CharField(max_length=8)),
                ('content', models.JSONField()),
                ('opened_at', models.DateTimeField(blank=True, null=True)),
                ('first_read_at', models.DateTimeField(blank=True, null=True)),
                ('document', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='sheet', to='patients.document')),
                ('given_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sheets', to='patients.patient')),
                ('session', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sheets', to='treatments.session')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('session', 'version'), name='sheet_version_once')],
            },
        ),
        migrations.CreateModel(
            name='SheetDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('personal_line', models.CharField(blank=True, max_length=500, verbose_name='your line')),
                ('language', models.CharField(max_length=8, verbose_name='language')),
                ('session', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='sheet_draft', to='treatments.session')),
                ('written_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='SheetWords',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(max_length=80, verbose_name='code')),
                ('version', models.PositiveIntegerField(default=1, verbose_name='version')),
                ('is_current', models.BooleanField(default=True)),
                ('origin', models.CharField(choices=[('shipped', 'shipped with the product'), ('clinic', 'edited by the clinic')], default='shipped', max_length=8)),
                ('name_en', models.CharField(max_length=200, verbose_name='name in English')),
                ('name_fr', models.CharField(max_length=200, verbose_name='name in French')),
                ('source_refs', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), blank=True, default=list, size=None)),
                ('source_note', models.TextField(blank=True, verbose_name='what the source says')),
                ('general_knowledge', models.BooleanField(default=False, verbose_name='general knowledge, unverified')),
                ('shipped_hash', models.CharField(blank=True, editable=False, max_length=64)),
                ('approved_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('words', models.JSONField(default=dict)),
                ('phrases', models.JSONField(blank=True, db_default={}, default=dict)),
                ('approved_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('made_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'sheet words',
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('code', 'version'), name='sheetwords_version_once'), models.UniqueConstraint(condition=models.Q(('is_current', True)), fields=('code',), name='sheetwords_one_current')],
            },
        ),
        migrations.CreateModel(
            name='WatchRules',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('red_minutes', models.PositiveSmallIntegerField(default=30, validators=[django.core.validators.MinValueValidator(5), django.core.validators.MaxValueValidator(1440)], verbose_name='minutes until a red flag is late')),
                ('escalate_minutes', models.PositiveSmallIntegerField(db_default=15, default=15, validators=[django.core.validators.MinValueValidator(2), django.core.validators.MaxValueValidator(1440)], verbose_name='minutes until everybody is told of a red flag that nobody has taken')),
                ('silent_hours', models.PositiveSmallIntegerField(default=48, validators=[django.core.validators.MinValueValidator(4), django.core.validators.MaxValueValidator(336)], verbose_name='hours without an answer until it is silence')),
                ('least_patients', models.PositiveSmallIntegerField(default=10, validators=[django.core.validators.MinValueValidator(3), django.core.validators.MaxValueValidator(1000)], verbose_name='patients a result needs to be shown')),
                ('location', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='watch_rules', to='clinic.location')),
            ],
            options={
                'verbose_name_plural': 'watch rules',
                'constraints': [models.CheckConstraint(condition=models.Q(('escalate_minutes__range', (2, 1440)), ('least_patients__range', (3, 1000)), ('red_minutes__range', (5, 1440)), ('silent_hours__range', (4, 336))), name='watch_rules_possible')],
            },
        ),
        migrations.CreateModel(
            name='AlsoTold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('location', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='also_told', to='clinic.location')),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'people told besides',
                'constraints': [models.UniqueConstraint(fields=('location', 'staff'), name='also_told_once')],
            },
        ),
        migrations.CreateModel(
            name='Alert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('to_everyone', models.BooleanField(db_default=False, default=False)),
                ('message', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='alert', to='patients.message')),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='alerts', to='aftercare.call')),
            ],
            options={
                'ordering': ['pk'],
                'indexes': [models.Index(fields=['call', 'id'], name='alert_of_call')],
            },
        ),
        migrations.CreateModel(
            name='CallAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now, editable=False)),
                ('at', models.DateTimeField()),
                ('result', models.CharField(choices=[('reached', 'spoke to the patient'), ('no-answer', 'nobody answered'), ('left-word', 'left a message to call back'), ('wrong-number', 'wrong number')], max_length=12)),
                ('words', models.TextField(blank=True, max_length=2000)),
                ('again_at', models.DateTimeField(blank=True, null=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('call', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attempts', to='aftercare.call')),
            ],
            options={
                'ordering': ['pk'],
                'indexes': [models.Index(fields=['call', 'id'], name='call_attempt_of_call')],
            },
        ),
    ]

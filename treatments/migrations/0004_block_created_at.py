"""When a block was made, so that what was booked over it on purpose is told from what was not."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("treatments", "0003_times_needed")]
    operations = [
        migrations.AddField(
            model_name="block",
            name="created_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(), editable=False
            ),
        ),
    ]

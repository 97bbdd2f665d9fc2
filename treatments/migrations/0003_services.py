"""The services a clinic starts with; it may change or add to them."""

from django.db import migrations

SERVICES = (
    ("consultation", "Consultation", "Consultation", 30),
    ("session", "Treatment session", "Séance de traitement", 45),
    ("review", "Review", "Visite de contrôle", 20),
)


def add_services(apps, schema_editor):
    service = apps.get_model("treatments", "Service")
    for kind, name_en, name_fr, minutes in SERVICES:
        if not service.objects.filter(kind=kind).exists():
            service.objects.create(kind=kind, name_en=name_en, name_fr=name_fr, minutes=minutes)


class Migration(migrations.Migration):
    replaces = [("treatments", "0002_services")]
    dependencies = [("treatments", "0002_rules")]
    operations = [migrations.RunPython(add_services, migrations.RunPython.noop)]

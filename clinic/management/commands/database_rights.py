"""`manage.py database_rights`: what the application's database role may do."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, transaction

from clinic.audit.install import APPEND_ONLY

APP_ROLE = "clinic_app"
ENTRY_COLUMNS = (
    "actor_kind, actor_id, who, role, patients, action, what, object_id, request_id, before, after"
)
"""What the application says of an entry; its id and its time are the database's own."""


@transaction.atomic
def grant_rights(role: str = APP_ROLE) -> bool:
    """Give the role rows, not tables: no DDL, and of the audit trail only insert and read.

    Run as the owner after each migrate. False where the server has no such role.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is None:
            return False
        cursor.execute(f'GRANT USAGE ON SCHEMA public TO "{role}"')
        cursor.execute(
            f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "{role}"'
        )
        cursor.execute(f'GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO "{role}"')
        for table in APPEND_ONLY:
            cursor.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM "{role}"')
        cursor.execute(f'REVOKE INSERT ON clinic_auditentry FROM "{role}"')
        cursor.execute(f'GRANT INSERT ({ENTRY_COLUMNS}) ON clinic_auditentry TO "{role}"')
    return True


class Command(BaseCommand):
    help = "Grant the application's role its rights on the tables; run as the owner after migrate."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--role", default=APP_ROLE)

    def handle(self, *args: Any, **options: Any) -> None:
        if grant_rights(options["role"]):
            self.stdout.write(f"{options['role']} may read and write rows.")
        else:
            self.stdout.write(f"No role {options['role']} here: nothing to grant.")

"""How a signed-in person is fetched: one query, locations included, refused once inactive."""

from __future__ import annotations

from allauth.account.auth_backends import AuthenticationBackend

from clinic.access.models import Staff


class StaffBackend(AuthenticationBackend):
    def get_user(self, user_id: int) -> Staff | None:
        """The active staff member, or None, asked afresh for every request."""
        return Staff.objects.signed_in(user_id)

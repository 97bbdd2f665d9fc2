"""Staff: the people who work here, their role, and the locations they belong to."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from clinic.access.permissions import GRANTS, Permission, Role

# In SQL because every request asks it: composed by the ORM it took longer to write than to answer.
SIGNED_IN = """
SELECT s.*, p.location_ids, p.location_names, p.location_zones
FROM clinic_staff s CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(l.id ORDER BY l.id), '{}') AS location_ids,
        coalesce(array_agg(l.name ORDER BY l.id), '{}') AS location_names,
        coalesce(array_agg(l.timezone ORDER BY l.id), '{}') AS location_zones
    FROM clinic_membership m JOIN clinic_location l ON l.id = m.location_id
    WHERE m.staff_id = s.id
) AS p
WHERE s.id = %s AND s.is_active
"""


class StaffQuerySet(models.QuerySet["Staff"]):
    def practising_at(self, location_id: int) -> StaffQuerySet:
        """The active practitioners of a location, by name."""
        return self.working_at(location_id, Role.PRACTITIONER)

    def employed_at(self, location_id: int) -> StaffQuerySet:
        """The active people of a location, by name."""
        return self.filter(is_active=True, memberships__location_id=location_id).order_by("name")

    def working_at(self, location_id: int, role: str) -> StaffQuerySet:
        """The active people of a role at a location, by name."""
        return self.employed_at(location_id).filter(role=role)


class StaffManager(BaseUserManager["Staff"].from_queryset(StaffQuerySet)):  # type: ignore[misc]
    def signed_in(self, pk: int) -> Staff | None:
        """The active person with `location_ids`, `location_names` and `location_zones`; one query.

        None for anyone else.
        """
        found: Staff | None = next(iter(self.raw(SIGNED_IN, [pk])), None)
        return found

    def create_user(self, email: str, password: str | None = None, **fields: object) -> Staff:
        """A staff member with a hashed password; without one, sign-in waits for a reset."""
        staff: Staff = self.model(email=self.normalize_email(email).lower(), **fields)
        staff.set_password(password)
        staff.save(using=self._db)
        return staff


class Staff(AbstractBaseUser):
    """A person who works here. One role; one or more locations through `Membership`."""

    email = models.EmailField(_("e-mail"))
    name = models.CharField(_("name"), max_length=120)
    role = models.CharField(_("role"), max_length=20, choices=Role)
    registration_number = models.CharField(
        _("professional registration number"), max_length=60, blank=True
    )
    phone = PhoneNumberField(_("mobile phone"), blank=True, default="", db_default="")
    language = models.CharField(_("language"), max_length=8, default="en")
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[StaffManager] = StaffManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    audit_always = True
    audit_exclude = ("password", "last_login")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="staff_email_unique",
                violation_error_message=_("Someone already signs in with this e-mail."),
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="staff_role_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def may(self, permission: Permission) -> bool:
        """Whether this person's role holds the permission, as of now."""
        return self.is_active and permission in GRANTS.get(self.role, frozenset())

    @cached_property
    def place_ids(self) -> list[int]:
        """Ids of the locations this person belongs to."""
        loaded = getattr(self, "location_ids", None)
        if loaded is not None:
            return list(loaded)
        return list(self.memberships.order_by("location_id").values_list("location_id", flat=True))

    @property
    def is_licensed(self) -> bool:
        """May sign a session: a practitioner with a registration number."""
        return self.role == Role.PRACTITIONER and bool(self.registration_number)


class Membership(models.Model):
    """A staff member works at a location."""

    staff = models.ForeignKey(Staff, models.CASCADE, related_name="memberships")
    location = models.ForeignKey("clinic.Location", models.PROTECT, related_name="memberships")

    audit_always = True

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["staff", "location"], name="membership_once")
        ]

    def __str__(self) -> str:
        return f"{self.staff_id} at {self.location_id}"

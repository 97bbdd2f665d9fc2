"""Is this copy what the clinic gave out? The answer says when it was made, and nothing of whom."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from clinic.rendering.checking import Seen, look_at
from patients.documents.models import Document, SealCertificate


class Verdict(TextChoices):
    """What is found out about a file."""

    UNCHANGED = "unchanged", _("Unchanged, and sealed by this clinic")
    KEPT = "kept", _("Unchanged; from before the clinic sealed its documents")
    SEALED = "sealed", _("Unchanged since this clinic sealed it, but not among its documents")
    ALTERED = "altered", _("Altered after this clinic sealed it")
    UNKNOWN_KEY = "unknown_key", _("Sealed with a key that is not this clinic’s")
    NOT_OURS = "not_ours", _("No document of this clinic, or changed beyond recognition")


@dataclass(frozen=True)
class Checked:
    """The verdict on a file; `made_at` is known where something of ours says it."""

    verdict: Verdict
    made_at: datetime | None = None

    @property
    def is_genuine(self) -> bool:
        """Whether the file is, to the last byte, one that the clinic keeps."""
        return self.verdict in (Verdict.UNCHANGED, Verdict.KEPT)


def check_copy(pdf: bytes) -> Checked:
    """Compare a file with what is kept; where none is the same, look at the seal it carries.

    Raises `clinic.rendering.checking.CheckingFailed` for a file too large or too slow to look at.
    """
    sha256 = hashlib.sha256(pdf).hexdigest()
    same = Document.objects.with_content(sha256).only("ready_at", "seal_id").first()
    if same:
        return Checked(Verdict.UNCHANGED if same.seal_id else Verdict.KEPT, same.ready_at)
    seen = look_at(pdf)
    if seen is None:
        return Checked(Verdict.NOT_OURS)
    return _judged(seen)


def _judged(seen: Seen) -> Checked:
    if SealCertificate.objects.filter(fingerprint=seen.certificate).exists():
        return Checked(Verdict.SEALED if seen.holds else Verdict.ALTERED, seen.moment)
    # The moment is only what a stranger's seal claims, so it is not passed on.
    return Checked(Verdict.UNKNOWN_KEY if seen.holds else Verdict.NOT_OURS)

"""Asking for a document, rendering the next one, trying a failed one again."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from clinic.rendering.pdf import Rendered, RenderingError, render_sealed
from clinic.rendering.sealing import SealUnavailable, fingerprint
from clinic.vault import StoredFileDamaged, keep, read_kept
from clinic.wake import wake
from patients.documents.evidence import Evidence, with_evidence
from patients.documents.models import Document, SealCertificate
from patients.documents.pictures import with_pictures
from patients.registry.models import Patient

LEASE = timedelta(seconds=45)
"""Longer than a rendering may take, so that only a dead worker's lease runs out."""
MOST_ATTEMPTS = 5
RENDER_TASK = "patients.render_documents"


@transaction.atomic
def request_document(
    *,
    patient: Patient,
    kind: str,
    title: str,
    language: str,
    html: str,
    by: str,
    evidence: Evidence | None = None,
) -> Document:
    """A queued document whose words are fixed now. `html`: a page that extends pdf/base.html.

    `by` names who asked, fit to show. With `evidence` it ends with a page of it, in `language`.
    """
    public_id = uuid.uuid4()
    if evidence:
        html = with_evidence(html, evidence, number=public_id, language=language)
    document = Document.objects.create(
        patient=patient,
        public_id=public_id,
        kind=kind,
        title=title,
        language=language,
        html=html,
        file_name=f"documents/{uuid.uuid4().hex}",
        created_by=by[:200],
    )
    wake(RENDER_TASK)
    return document


@transaction.atomic
def retry_document(*, by: Staff, document: Document) -> Document:
    """Queue a failed document once more. Raises `ActionRefused` when it has not failed."""
    locked = Document.objects.select_for_update().get(pk=document.pk)
    if locked.state != Document.State.FAILED:
        raise ActionRefused(_("This document has not failed."))
    locked.state, locked.attempts, locked.error = Document.State.QUEUED, 0, ""
    locked.lease_until = None
    locked.save(update_fields=["state", "attempts", "error", "lease_until"])
    wake(RENDER_TASK)
    return locked


def render_next(*, at: datetime | None = None) -> Document | None:
    """Claim the oldest document that waits, render it, seal it, store it. None when nothing waits.

    What the renderer answers is final: the same words would end the same way. A document whose
    worker died, or that cannot be sealed now, is taken up again, at most `MOST_ATTEMPTS` times.
    """
    document = claim_next(at=at or timezone.now())
    if document is None or document.state == Document.State.FAILED:
        return document
    try:
        rendered = render_sealed(with_pictures(document.html, document.patient_id))
    except SealUnavailable as error:
        return _put_off(document, str(error))
    except RenderingError as error:
        return _fail(document, str(error))
    return _store(document, rendered)


@transaction.atomic
def claim_next(*, at: datetime) -> Document | None:
    """The oldest document to render, marked as this worker's until the lease runs out.

    One that has used up its attempts comes back failed instead.
    """
    document = Document.objects.to_render(at).select_for_update(skip_locked=True).first()
    if document is None:
        return None
    if document.attempts >= MOST_ATTEMPTS:
        document.state = Document.State.FAILED
        document.error = document.error or _(
            "The worker was lost %(count)d times while making this document."
        ) % {"count": document.attempts}
    else:
        document.state = Document.State.RENDERING
        document.attempts += 1
        document.lease_until = at + LEASE
    document.save(update_fields=["state", "attempts", "lease_until", "error"])
    return document


def _still_ours(document: Document) -> Document | None:
    """The row, locked, if no other worker has claimed it since; the attempt is the proof."""
    return (
        Document.objects.select_for_update()
        .filter(pk=document.pk, state=Document.State.RENDERING, attempts=document.attempts)
        .first()
    )


@transaction.atomic
def _store(document: Document, rendered: Rendered) -> Document:
    """Keep the PDF under the row's own name. A file left by a lost worker is replaced."""
    ours = _still_ours(document)
    if ours is None:
        return document
    ours.sha256, ours.size = keep(ours.file_name, rendered.pdf), len(rendered.pdf)
    ours.state, ours.ready_at = Document.State.READY, timezone.now()
    ours.pages, ours.seal = rendered.pages, _known(rendered.certificate)
    ours.lease_until, ours.error = None, ""
    ours.save(
        update_fields=[
            *("state", "ready_at", "sha256", "size", "pages", "seal", "lease_until", "error")
        ]
    )
    return ours


def _known(certificate: bytes) -> SealCertificate | None:
    if not certificate:
        return None
    return SealCertificate.objects.get_or_create(
        fingerprint=fingerprint(certificate), defaults={"certificate": certificate}
    )[0]


@transaction.atomic
def _put_off(document: Document, reason: str) -> Document:
    """Leave it claimed with the reason: when the lease has run out it is tried again."""
    ours = _still_ours(document)
    if ours is None:
        return document
    ours.error = reason[:500]
    ours.save(update_fields=["error"])
    return ours


@transaction.atomic
def _fail(document: Document, reason: str) -> Document:
    ours = _still_ours(document)
    if ours is None:
        return document
    ours.state, ours.error, ours.lease_until = Document.State.FAILED, reason[:500], None
    ours.save(update_fields=["state", "error", "lease_until"])
    return ours


def read_pdf(document: Document) -> bytes:
    """The stored PDF. Raises `ActionRefused` when it is gone or no longer what was stored."""
    try:
        return read_kept(document.file_name, sha256=document.sha256)
    except StoredFileDamaged as error:
        raise ActionRefused(_("The stored document is damaged.")) from error

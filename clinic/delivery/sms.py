"""One SMS over the gateway that `SMS_URL` names, in Apprise's notation."""

from __future__ import annotations

import apprise
from django.conf import settings
from django.utils.translation import gettext as _

from clinic.delivery.outcome import Rejected, Unknown


def send_sms(*, to: str, body: str, reference: str = "") -> None:
    """Send a text to one number (E.164). Raises `Rejected` or `Unknown`.

    The number replaces `{to}` in `SMS_URL`, else it becomes its last part, as gateways expect; our
    `reference` replaces `{ref}`, for a gateway that reports what became of the text.
    Apprise tells only yes or no, so a no may hide a text that went out: `Unknown`.
    """
    if not settings.SMS_URL:
        raise Rejected(_("No SMS gateway is set up: set SMS_URL."))
    gateway = apprise.Apprise()
    if not gateway.add(_address(settings.SMS_URL.replace("{ref}", reference), to)):
        raise Rejected(_("The SMS gateway in SMS_URL is not one that is known."))
    if not gateway.notify(body=body, body_format=apprise.NotifyFormat.TEXT):
        raise Unknown(_("The SMS gateway did not confirm the text."))


def _address(url: str, number: str) -> str:
    if "{to}" in url:
        return url.replace("{to}", number)
    base, mark, query = url.partition("?")
    return f"{base.rstrip('/')}/{number}{mark}{query}"

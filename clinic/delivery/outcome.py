"""How a message may not certainly arrive. Coming back without one of these means: sent."""

from __future__ import annotations


class DeliveryError(Exception):
    """The message is fit to show; it holds no text of the message."""


class NotHandedOver(DeliveryError):
    """It certainly did not leave: trying again later is safe."""


class Rejected(DeliveryError):
    """The other side will never take it: trying again is of no use."""


class Unknown(DeliveryError):
    """It may have arrived: sending it again could be sending it twice."""

"""The models of every room of this wing."""

from aftercare.sheets.models import Sheet
from aftercare.story.models import Printing
from aftercare.watch.models import Call, CheckIn

__all__ = ["Call", "CheckIn", "Printing", "Sheet"]

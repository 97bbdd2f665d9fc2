"""The camera is off for every page; a view that needs it is marked with `with_camera`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django_permissions_policy.decorators import permissions_policy_override

Policy = dict[str, str | list[str] | tuple[str]]
View = TypeVar("View", bound=Callable[..., Any])


def with_camera(view: View) -> View:
    """Let the page of this view use the device's camera, itself and no frame of it."""
    policy: Policy = {**settings.PERMISSIONS_POLICY, "camera": ["self"]}
    return permissions_policy_override(policy)(view)

"""Addresses of the demo's mailbox."""

from django.urls import path

from clinic.delivery import mailbox

urlpatterns = [
    path("", mailbox.mailbox, name="mailbox"),
    path("<slug:name>/", mailbox.mailbox_message, name="mailbox-message"),
    path(
        "<slug:name>/<int:number>/",
        mailbox.mailbox_attachment,
        name="mailbox-attachment",
    ),
]

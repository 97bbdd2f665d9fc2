"""Addresses under /gateway/, for machines."""

from django.urls import path

from patients.messages import report_views

app_name = "gateway"
urlpatterns = [path("sms/<str:secret>/", report_views.sms_report, name="sms-report")]

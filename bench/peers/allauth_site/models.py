"""Whose a phone is; allauth leaves that to the site."""
# mypy: ignore-errors

from __future__ import annotations

from django.conf import settings
from django.db import models


class Phone(models.Model):
    """One phone of one user."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    phone = models.CharField(max_length=20, unique=True)
    verified = models.BooleanField(default=False)

"""`python -m allauth_site.seed PEOPLE`: the tables, and people with a phone."""
# mypy: ignore-errors

from __future__ import annotations

import sys

import django

django.setup()

from allauth_site.models import Phone  # noqa: E402 - after Django knows its settings
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402

call_command("migrate", run_syncdb=True, verbosity=0)
for number in range(int(sys.argv[1])):
    user = get_user_model().objects.create(username=f"u{number}", email=f"u{number}@example.org")
    Phone.objects.create(user=user, phone=f"+8455070{number:04d}", verified=True)

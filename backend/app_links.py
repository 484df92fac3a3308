"""Whose app opens our addresses under `/app`, as Android and iOS ask it of us (rule 807).

Android asks for a package and the fingerprints of the certificates that it may be signed with, iOS for team and bundle.
"""

from __future__ import annotations

import re
from typing import Any

from backend.settings import PREFIX, Settings

Document = dict[str, Any] | list[dict[str, Any]]
FORMS = {
    "android_package": (
        re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", re.ASCII),
        "must be a package name, as vn.example.app",
    ),
    "apple_team_id": (re.compile(r"[A-Z0-9]{10}"), "must be the ten characters of a team"),
    "apple_bundle_id": (
        re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"),
        "must be a bundle's identifier, as vn.example.app",
    ),
}
FINGERPRINT = re.compile(r"([0-9A-F]{2}:){31}[0-9A-F]{2}")
PAIRS = (("android_package", "android_fingerprints"), ("apple_team_id", "apple_bundle_id"))  # both or none


def asset_links(settings: Settings) -> Document | None:
    """What Android fetches (Digital Asset Links); nothing where no Android app is named."""
    if not settings.android_package:
        return None
    target = {
        "namespace": "android_app",
        "package_name": settings.android_package,
        "sha256_cert_fingerprints": fingerprints(settings),
    }
    return [{"relation": ["delegate_permission/common.handle_all_urls"], "target": target}]


def site_association(settings: Settings) -> Document | None:
    """What Apple's servers fetch (Universal Links, of iOS 13 and later); nothing where no iOS app is named."""
    if not settings.apple_team_id:
        return None
    app = f"{settings.apple_team_id}.{settings.apple_bundle_id}"
    return {"applinks": {"details": [{"appIDs": [app], "components": [{"/": "/app/*"}]}]}}


def fingerprints(settings: Settings) -> list[str]:
    """SHA-256 of each certificate, in the spelling of `keytool`."""
    return [one.strip().upper() for one in settings.android_fingerprints.split(",") if one.strip()]


def problems(settings: Settings) -> list[str]:
    """One line per value that cannot be what it should be, and per half that has no other."""
    found = [
        f"{PREFIX}{name.upper()}: {remedy}"
        for name, (form, remedy) in FORMS.items()
        if (value := getattr(settings, name)) and not form.fullmatch(value)
    ]
    found += [
        f"{PREFIX}ANDROID_FINGERPRINTS: {one!r} is no SHA-256 of 32 pairs with colons, as `keytool -list -v` prints it"
        for one in fingerprints(settings)
        if not FINGERPRINT.fullmatch(one)
    ]
    return found + [
        f"{PREFIX}{pair[not here].upper()}: is required beside {PREFIX}{pair[here].upper()}"
        for pair in PAIRS
        for here in (False, True)
        if getattr(settings, pair[here]) and not getattr(settings, pair[not here])
    ]

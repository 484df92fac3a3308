"""How far a limit may be stretched where real people are: the most that production takes of each.

A limit without an end is no limit: a million guesses open every code. Each stands beside its default in
docs/settings.md.
"""

from __future__ import annotations

from backend.limits import Limits

HOUR, DAY = 3600, 86400
KIB, MIB = 1 << 10, 1 << 20

MOST: dict[str, float] = {
    # one-time codes
    "otp_lifetime": 600,
    "otp_attempts": 10,
    "otp_resend_after": 600,
    "otp_per_hour": 20,
    "otp_per_day": 50,
    "otp_per_address_per_hour": 100_000,
    "otp_per_network_per_hour": 100_000,
    "otp_per_block_per_hour": 100_000,
    "sms_per_five_minutes": 20_000,
    "sms_per_day": 500_000,
    "sms_reserved_percent": 90,
    "sms_timeout": 60,
    "otp_total_lifetime": 900,
    "accounts_per_phone": 50,
    "otp_attempts_careful": 5,
    "mail_otp_resend_after": HOUR,
    "mail_otp_per_day": 10,
    "wrong_codes_per_day": 50,
    "wrong_reset_codes_per_hour": 5000,
    "wrong_reset_codes_per_network_per_hour": 1000,
    # passwords, registration, recovery
    "password_tries": 20,
    "password_tries_per_day": 1000,
    "captcha_seconds": HOUR,
    "captcha_cost": 100_000,
    "registrations_per_address_per_hour": 100_000,
    "recoveries_per_address_per_hour": 100_000,
    "logins_per_network_per_hour": 1_000_000,
    "hashes_at_once": 64,
    "hash_wait": 30,
    # identity, personal data, support
    "caution": 30 * DAY,
    "kept_days": 90,
    "reauth_phone": HOUR,
    "reauth_data": HOUR,
    "reauth_bulk": HOUR,
    "slip_days": 30,
    "history_days": 3660,
    "session_days": 3660,
    "case_days": 3660,
    "notice_days": 3660,
    "delivery_days": 3660,
    "registry_timeout": 60,
    "sim_rest": 30 * DAY,
    "certificate_challenge": 600,
    "certificate_check_timeout": 30,
    "crl_bytes": 64 * MIB,
    "crl_keep": DAY,
    "reconcile_every": 31_536_000,
    "cases_per_hour": 100,
    "desk_lookups_per_hour": 200,
    "support_codes_per_address_per_hour": 1000,
    "support_code_life": 7 * DAY,
    "notice_deny_days": 366,
    "desk_join_life": 14 * DAY,
    # sign-in and sessions
    "flow_lifetime": HOUR,
    "provider_timeout": 60,
    "workspace_code_lifetime": 300,
    "workspace_codes_per_hour": 100,
    "state_lifetime": HOUR,
    "access_lifetime": HOUR,
    "refresh_idle": 90 * DAY,
    "refresh_absolute": 366 * DAY,
    "refresh_grace": 300,
    "workspace_idle": 8 * HOUR,
    "workspace_absolute": DAY,
    "proof_past": 300,
    "proof_future": 60,
    "takeover_report_window": 7 * DAY,
    # roles and delivery
    "undo_window": 300,
    "bulk_most": 1000,
    "schedule_ahead_days": 3660,
    "step_days": 60,
    "review_grace_days": 90,
    "review_notice_days": 30,
    "request_pushes_per_hour": 100,
    "delegation_days": 366,
    "mass_change_percent": 50,
    "lease": 600,
    "delivery_attempts": 1000,
    "retry_first": 600,
    "retry_most": DAY,
    "delivery_timeout": 120,
    "secret_overlap": 30 * DAY,
    "reply_bytes": 16 * MIB,
    "list_bytes": 256 * MIB,
    # edge
    "body_bytes": MIB,
    "body_bytes_sign_in": 64 * KIB,
    "upload_bytes": 64 * MIB,
    "json_depth": 128,
    "json_keys": 10_000,
    "header_bytes": 64 * KIB,
    "header_seconds": 60,
    "request_seconds": 120,
    "drain": 600,
    "idle_seconds": 600,
}


def beyond(limits: Limits) -> list[tuple[str, float]]:
    """The limits that are stretched too far for production, each with the most that it may be."""
    return [(name, most) for name, most in MOST.items() if getattr(limits, name) > most]

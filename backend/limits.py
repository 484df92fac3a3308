"""The numbers of the rules, each with its unit and its reason."""

from __future__ import annotations

import msgspec

COUNTS = (  # 0 switches one off, or everything that needs it; production refuses both
    "otp_attempts",
    "otp_resend_after",
    "otp_per_hour",
    "otp_per_day",
    "otp_per_address_per_hour",
    "otp_per_network_per_hour",
    "otp_per_block_per_hour",
    "sms_per_five_minutes",
    "sms_per_day",
    "otp_attempts_careful",
    "mail_otp_resend_after",
    "mail_otp_per_day",
    "wrong_codes_per_day",
    "wrong_reset_codes_per_hour",
    "wrong_reset_codes_per_network_per_hour",
    "password_tries",
    "password_tries_per_day",
    "captcha_seconds",
    "registrations_per_address_per_hour",
    "recoveries_per_address_per_hour",
    "logins_per_network_per_hour",
    "workspace_codes_per_hour",
    "cases_per_hour",
    "desk_lookups_per_hour",
    "support_codes_per_address_per_hour",
    "accounts_per_phone",
    "captcha_cost",
    "hashes_at_once",
    "caution",
    "kept_days",
    "sim_rest",
    "bulk_most",
    "review_notice_days",
    "request_pushes_per_hour",
    "delivery_attempts",
    "json_depth",
    "json_keys",
)


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Counts and lifetimes (seconds unless named); environment variables may change the first group."""

    # one-time codes, rule 201
    otp_lifetime: int = 300  # from each sending; never past `otp_total_lifetime`
    otp_attempts: int = 5  # guesses compared per code, whatever is re-sent
    otp_resend_after: int = 60  # gap between two sendings of a flow
    otp_per_hour: int = 5  # sendings to one phone, across accounts; and for one account, across phones
    otp_per_day: int = 10  # the same in a rolling day
    otp_per_address_per_hour: int = (
        240  # sendings asked for from one network address (offices and carriers share one)
    )
    otp_per_network_per_hour: int = 2400  # the same from one /24, to numbers that nobody has confirmed
    otp_per_block_per_hour: int = 1200  # the same to one block of ten thousand numbers
    sms_per_five_minutes: int = 1500  # codes of the whole province: what a flood may cost (case TO12)
    sms_per_day: int = 20000
    sms_reserved_percent: int = 20  # of these two, kept for confirmed numbers
    sms_timeout: float = 10.0  # patience with the SMS centre, within the gap between two sendings
    otp_total_lifetime: int = 600  # a code dies ten minutes after its first sending (rule 203)
    accounts_per_phone: int = 5  # families share a phone (source 001: the number may serve other accounts)

    otp_attempts_careful: int = 3  # recovery and phone change (rule 202)
    mail_otp_resend_after: int = 300  # the mail guide's pause (source 000, 2), and its two a day
    mail_otp_per_day: int = 2
    wrong_codes_per_day: int = 10  # on one account; then codes rest for two hours, other ways stay open
    wrong_reset_codes_per_hour: int = 200  # in all; then only on known devices (case TO18)
    wrong_reset_codes_per_network_per_hour: int = 30  # of one /24, or /48 of IPv6; then the same there

    # passwords, registration, recovery
    password_tries: int = (
        5  # wrong ones in five minutes for one account and address; 40 times that for an address
    )
    password_tries_per_day: int = 100  # wrong ones for one account from anywhere
    captcha_seconds: int = 300
    captcha_cost: int = 500  # the work of one challenge: PBKDF2 rounds per try
    registrations_per_address_per_hour: int = 120
    recoveries_per_address_per_hour: int = 60
    logins_per_network_per_hour: int = (
        3600  # sign-ins begun in one /24, or /48 of IPv6; known devices count apart
    )
    hashes_at_once: int = 2
    hash_wait: float = 5.0

    # identity, personal data, support
    caution: int = 86400  # after a phone change or a recovery, security-relevant acts want VNeID (rule 162)
    kept_days: int = (
        30  # a way in that was kept when the owner came is gone if nobody has confirmed it by then
    )
    reauth_phone: int = 300  # how old a sign-in may be to change phone or sign-in methods
    reauth_data: int = 600  # ... to export or erase one's data
    reauth_bulk: int = 900  # ... to decide about many people at once at the workspace
    slip_days: int = 7
    history_days: int = 365
    session_days: int = 365  # an over session is remembered so long: its device is one that the account knows
    case_days: int = 730  # a closed case is still there to be looked at
    notice_days: int = 366  # a read notice, and an announcement that is over
    delivery_days: int = 365  # whether one decision has reached a system; what a system holds is kept anyway
    registry_timeout: float = 5.0
    sim_rest: int = 72 * 3600  # so long a changed SIM brings no password back (case TO20)
    certificate_challenge: int = 120
    certificate_check_timeout: float = 3.0
    crl_bytes: int = 4 << 20  # a whole authority's list is far longer than any other reply
    crl_keep: int = 3600  # a revocation that only a list tells goes unnoticed no longer than this
    cases_per_hour: int = 10
    desk_lookups_per_hour: int = 20  # personal numbers that one clerk types; five times that in a day
    support_codes_per_address_per_hour: int = 20
    support_code_life: int = 86400  # after the desk last wrote
    notice_deny_days: int = 30
    desk_join_life: int = 3 * 86400  # in which a second clerk may confirm a join of two accounts, or a name

    # sign-in
    flow_lifetime: int = 900
    provider_timeout: float = 8.0
    workspace_code_lifetime: int = 120  # of a QR code that lets a browser in (rule 313)
    workspace_codes_per_hour: int = 20  # answered by one account: whoever is pressed to go on is stopped
    state_lifetime: int = 600  # state, nonce and verifier of one sign-in (rule 411)

    # sessions (rule 309)
    access_lifetime: int = 300
    refresh_idle: int = 30 * 86400
    refresh_absolute: int = 90 * 86400
    refresh_grace: int = 30  # the same key may ask again when the answer was lost (rule 305)
    workspace_idle: int = 1800
    workspace_absolute: int = 12 * 3600
    proof_past: int = 60  # DPoP proof window (rule 306)
    proof_future: int = 10
    takeover_report_window: int = 86400

    # roles
    undo_window: int = 10  # a decision's deliveries wait this long (rule 702)
    bulk_most: int = 100
    schedule_ahead_days: int = 366
    step_days: int = 3  # worked days for one word; then the unit above may say it as well (rule 626)
    review_grace_days: int = 7  # after its last day a review's unconfirmed roles end (rule 642)
    review_notice_days: int = 3  # lived through from announcement to announcement, and to the end
    request_pushes_per_hour: int = 5  # for one applicant, to those who decide; three times that in a day
    delegation_days: int = 180  # from a delegation's first day to its last; then whoever lends looks again
    mass_change_percent: int = 10  # of what exists: an import that changes or ends more wants --brake-off

    # delivery
    lease: int = 30
    delivery_attempts: int = (
        64  # with the pauses below about two and a half days (rule 704: 48 hours at least)
    )
    retry_first: int = 5
    retry_most: int = 3600
    delivery_timeout: float = 15.0
    secret_overlap: int = 86400  # a webhook's secret that was changed signs beside the new one for so long
    reconcile_every: int = 86400  # each system is compared so often, by the worker, in the night
    reply_bytes: int = 65536  # replies of other systems are cut here (rule 705)
    list_bytes: int = 16 << 20  # ... and here where they say who is in a group: 50,000 people are about 10 MB

    # edge (rule 805)
    body_bytes: int = 65536
    body_bytes_sign_in: int = 4096
    upload_bytes: int = 8 << 20  # a file at a page that takes one, of somebody who is signed in
    json_depth: int = 32
    json_keys: int = 200
    header_bytes: int = 16384
    header_seconds: int = 10  # from the first moment of a connection, whether or not a byte comes
    request_seconds: int = 30  # for a body
    drain: int = 10  # seconds that a server which is told to stop gives what is under way
    idle_seconds: int = 75  # for a connection between two requests, and for an answer that nobody fetches

    @property
    def longest_body(self) -> int:
        """What no call exceeds; the edge cuts shorter by the kind of call."""
        return max(self.body_bytes, self.upload_bytes)

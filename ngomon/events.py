"""What each line of the log says, as a sentence: for `ngomon logs` and for docs/events.md (cases O11, O20).

A line of the log is `log.warning("name", field=...)`: the name in small letters with underscores, what is of no
person in fields. A test finds a name that has no sentence here.
"""

from __future__ import annotations

SENTENCES = {
    "alarm": "ALARM: {alarm}",
    "bell_disconnected": "the connection that wakes workers was lost ({error}); it is made again",
    "certificate_accepted_unchecked": "a certificate was accepted without knowing whether it was revoked: {reason}",
    "claim_dropped": "the e-ID said something of the claim {claim} that cannot be; it was left out",
    "clock_was_ahead": "{rows} rows were put off for longer than may be, by a clock that ran ahead: they are due now",
    "code_uncertain": "a code may or may not have left ({purpose}): the SMS centre gave no whole answer",
    "comparison_lost": "the comparison of system {system} was stopped: another worker has it, or somebody asked anew",
    "database_trouble": "the database does not answer ({error})",
    "delivery_broke": "delivery {delivery} met a mistake of ours; it is tried again",
    "emergency_switch": "NGOMON_CERTIFICATE_UNCHECKED: revoked certificates may be accepted",
    "journal_head": "the journal's head: {head}",
    "journal_head_not_kept": "the journal's head could not be appended to its file ({kind})",
    "line_broke": "the line of a system met a mistake of ours; it is opened again",
    "login_refused": "an answer of the e-ID does not verify: {reason}",
    "mail_left": "a mail was left to the desk: too many from one address",
    "mail_not_given": "the mail server lists the mail {uid} and does not give it: it is asked for again",
    "mail_not_sent": "a mail of the desk met a mistake of ours; the others are sent",
    "mail_not_taken_in": "a mail to the desk met a mistake of ours; the others are taken in",
    "mail_password_not_set": "the password of an official mailbox was not set: {error}",
    "mail_password_uncertain": "the mail directory broke off at the password of a mailbox: it may be set or not",
    "mail_refused": "a mail server refused a mail: {cause}; it is tried again later",
    "mail_server_away": "a mail server is out of reach: {cause}",
    "mail_unreadable": "a mail to the desk cannot be read ({cause})",
    "message_broke": "a message to a person ({about}) met a mistake of ours",
    "message_not_sent": "a message to a person ({about}) was not taken ({error}); it is tried again later",
    "message_uncertain": "a text message ({about}) may or may not have left: no whole answer, or the process ended",
    "morning_held_up": "the mail of the morning to account {account} met a mistake of ours; the others have theirs",
    "not_delivered": "delivery {delivery} did not arrive: {error}",
    "not_reconciled": "system {system} could not be compared: {error}; it is tried again in a quarter of an hour",
    "one_left": "{job}: row {row} cannot be dealt with ({error}); it is left, and the others go on",
    "post_broke": "reading or sending mail met a mistake of ours; it goes on",
    "provider_refuses_us": "the e-ID does not accept our client: {reason}",
    "provider_unavailable": "the e-ID does not answer as it should: {reason}",
    "reconciled": "system {system} was compared: {compared} people, {drift} differed and are healed",
    "reconciled_in_part": "of system {system} {unread} people or groups could not be read, {unproved} rights were not "
    "proved gone",
    "registry_unavailable": "a registry does not answer as it should: {reason}",
    "reorganisation_stands": "reorganisation {run} met a mistake of ours; the next look tries again",
    "request": "{method} {path} was answered {status} in {ms} ms",
    "revocation_unchecked": "nobody can say whether a certificate was revoked: {reason}",
    "role_not_ended": "the end of a role that nobody confirmed met a mistake of ours; the next round tries again",
    "roll_broke": "putting into force what has come due met a mistake of ours; the next round tries again",
    "roll_held_up": "what is due for account or appointment {account} met a mistake of ours; the others go on",
    "round_broke": "something that runs again and again met a mistake of ours; the next round tries again",
    "turn_lost": "delivery {delivery} was taken over by another worker",
    "unhandled": "request {request} met a mistake of ours",
    "workspace_fault": "a page of the workspace met a mistake of ours: {path}",
}

"""Which tests run by which target: said here, and nowhere else.

Most tests of rules and calls run once on each database. `make test` runs every test, and of such a pair the one on
PostgreSQL only where locks, types or SQL differ (BOTH); `make test-all` runs what that leaves: the other twins.
`make quick` runs what needs nothing installed beside the Python packages, and is over soon. `make browsers` runs what
wants Firefox and WebKit as well, which no other target installs or waits for.

All of `make test` is over in eight minutes on two cores, and `make quick` in ninety seconds, whatever is added: who
makes it slower makes something faster. The end of every run says how many tests there were and which files took longest.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

BOTH = {
    "tests/backend/accounts/test_importing.py": "wide statements over many rows",
    "tests/backend/accounts/test_importing_phones.py": "wide statements over many rows",
    "tests/backend/outbox/test_batches.py": "acknowledgements in wide statements",
    "tests/backend/outbox/test_circuit.py": "a pause that many processes see",
    "tests/backend/outbox/test_crash.py": "leases of a process that is gone",
    "tests/backend/outbox/test_held.py": "turns, and what is held",
    "tests/backend/outbox/test_queue.py": "two who write the same delivery",
    "tests/backend/outbox/test_turns.py": "turns and leases",
    "tests/backend/outbox/test_worker.py": "the bell between processes",
    "tests/backend/roles/test_appointments.py": "rows that somebody else holds are passed over",
    "tests/backend/roles/test_catalogue.py": "what is stored as text here and as its own type there",
    "tests/backend/roles/test_catalogue_races.py": "locks",
    "tests/backend/roles/test_confirming.py": "the SQL of the list, and wide statements",
    "tests/backend/roles/test_deciding.py": "the SQL of a decision, and what it locks",
    "tests/backend/roles/test_delegations.py": "what a word locks, and the SQL of lent rights",
    "tests/backend/roles/test_differences.py": "the SQL of lists: order, pages",
    "tests/backend/roles/test_findable.py": "the SQL of lists: order, pages, search",
    "tests/backend/roles/test_inbox.py": "the SQL of lists: order, pages, search",
    "tests/backend/roles/test_overdue.py": "what is locked by whom is passed over, and the SQL of the lists",
    "tests/backend/roles/test_official_addresses.py": "two who write the same value",
    "tests/backend/roles/test_queue.py": "the SQL of lists: order, pages, search",
    "tests/backend/roles/test_races.py": "locks",
    "tests/backend/roles/test_reorganising.py": "wide statements over many rows, and what they lock",
    "tests/backend/roles/test_reorganising_twice.py": "locks",
    "tests/backend/roles/test_staff.py": "wide statements over many rows",
    "tests/backend/roles/test_timeline.py": "rows that somebody else holds are passed over",
    "tests/backend/roles/test_read_at_size.py": "a province's statistics",
    "tests/backend/roles/test_told_races.py": "locks",
    "tests/backend/roles/test_units.py": "wide statements over many rows",
    "tests/backend/support/test_codes.py": "a number that is drawn once",
    "tests/backend/support/test_post.py": "a mail that two read is taken once",
    "tests/backend/test_database.py": "locks and types",
    "tests/backend/test_journal.py": "entries sealed in one order",
    "tests/backend/test_journal_keys.py": "entries sealed in one order",
    "tests/backend/test_statements.py": "what each engine makes of a statement",
    "tests/backend/test_transaction.py": "who says BEGIN and COMMIT",
    "tests/backend/test_throttle.py": "a budget that many spend at once",
    "tests/attacks/test_account_races.py": "locks",
    "tests/attacks/test_accounts_locks.py": "locks",
    "tests/attacks/test_certificates_bytes.py": "bytes as they are stored",
    "tests/attacks/test_codes.py": "guesses at once",
    "tests/attacks/test_erasure_in_files.py": "what the files of the database keep",
    "tests/attacks/test_floods.py": "many at once",
    "tests/attacks/test_odd_values.py": "text and numbers that one of them refuses",
    "tests/attacks/test_one_device.py": "locks",
    "tests/attacks/test_sms_budget.py": "a budget that many spend at once",
    "tests/journeys/test_five_minutes.py": "the whole product, once on each",
    "tests/ngomon/test_admission.py": "two processes over one database",
    "tests/ngomon/test_backup.py": "every type of column, out of one and into the other",
    "tests/ngomon/test_catalogue_command.py": "a process that writes beside another",
    "tests/ngomon/test_heads.py": "two processes over one database",
    "tests/promises/test_declared.py": "types of columns",
    "tests/promises/test_migrations.py": "the schema",
    "tests/promises/test_old_accounts.py": "the schema",
    "tests/promises/test_old_steps.py": "the schema",
}
APART = {"tests/browsers": "Firefox and WebKit"}  # a target of its own
PARTS = {  # fixtures of what somebody has to install
    "browser",
    "directory",
    "kannel",
    "mailbox",
    "oidc_provider",
    "postgres",
    "_postgres",
}
QUICK = {
    "tests/backend": "the rules",
    "tests/promises": "what holds for every file",
    "tests/mobile_api/test_logins.py": "the calls: one way in",
    "tests/mobile_api/test_roles.py": "the calls: from a request to a role",
    "tests/workspace/test_deciding.py": "the pages: a decision",
    "tests/workspace/test_words.py": "the pages: both languages",
}
NOT_QUICK = {
    "tests/backend/outbox": "systems that do not answer, and are waited for",
    "tests/backend/outside/test_ldap.py": "a directory",
    "tests/backend/outside/test_ldap_silence.py": "a directory",
    "tests/backend/outside/test_ldap_trouble.py": "a directory",
    "tests/backend/outside/test_conformance.py": "a hundred answers of each connector",
    "tests/backend/roles/test_audit_places.py": "every page of the journal, found in two ways",
    "tests/backend/roles/test_confirming.py": "reviews that last for weeks",
    "tests/backend/roles/test_import_neighbours.py": "a hundred imports",
    "tests/backend/roles/test_read_at_size.py": "a province's statistics",
    "tests/backend/roles/test_told_races.py": "every order of two",
    "tests/backend/support/test_four_hundred_days.py": "four hundred days",
    "tests/backend/test_any_input.py": "whatever may be sent",
    "tests/backend/test_lists.py": "forty thousand at once",
    "tests/promises/test_circles.py": "every import; `make gates` says most of the same",
    "tests/promises/test_demo_apart.py": "processes",
    "tests/promises/test_docs.py": "generated pages; `make gates` says the same",
    "tests/promises/test_layers.py": "processes; `make gates` says the same",
    "tests/promises/test_migrations.py": "every migration from the first",
    "tests/promises/test_old_accounts.py": "every migration from the first",
    "tests/promises/test_old_steps.py": "every migration from the first",
    "tests/promises/test_openapi.py": "the whole document, shape by shape",
    "tests/promises/test_retention.py": "every table in turn",
    "tests/promises/test_rules.py": "every citation in every file",
}


class Test(Protocol):
    """What a choice looks at."""

    @property
    def nodeid(self) -> str:
        """Where it stands, and what it is called."""


def twins(tests: Iterable[Test]) -> set[str]:
    """The names of tests on PostgreSQL that are there on SQLite too."""
    names = {test.nodeid for test in tests}
    return {name for name in names if (other := _on_sqlite(name)) != name and other in names}


def of_test(test: Test, pairs: set[str]) -> bool:
    """Whether `make test` runs it."""
    path = test.nodeid.partition("::")[0]
    return not _stands_in(path, APART) and (test.nodeid not in pairs or _stands_in(path, BOTH))


def of_test_all(test: Test, pairs: set[str]) -> bool:
    """Whether `make test-all` runs it: what `make test` does not."""
    return not of_test(test, pairs) and not of_browsers(test, pairs)


def of_browsers(test: Test, _pairs: set[str]) -> bool:
    """Whether `make browsers` runs it."""
    return _stands_in(test.nodeid.partition("::")[0], APART)


def of_quick(test: Test, _pairs: set[str]) -> bool:
    """Whether `make quick` runs it."""
    path = test.nodeid.partition("::")[0]
    return (
        _on_sqlite(test.nodeid) == test.nodeid
        and is_quick(path)
        and not PARTS & set(getattr(test, "fixturenames", ()))
    )


def is_quick(path: str) -> bool:
    """Whether `make quick` looks into a file, or has to go through a folder."""
    within = _stands_in(path, QUICK) or any(place.startswith(f"{path}/") for place in QUICK)
    return within and not _stands_in(path, NOT_QUICK)


SELECTIONS = {"test": of_test, "test-all": of_test_all, "quick": of_quick, "browsers": of_browsers}


def _on_sqlite(name: str) -> str:
    return name.replace("postgresql", "sqlite").replace("postgres", "sqlite")


def _stands_in(path: str, places: Iterable[str]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)

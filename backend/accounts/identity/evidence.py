"""What a way in has proved: whom, by whose word, how strongly; and nothing that it has not.

Every way in states its evidence here and asks `joining` what follows. Whoever reads a field that the
provider did not state finds nothing there, and nothing agrees with nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from backend.accounts.identity.numbers import NATIONAL_ID, OLD_ID, TAX_CODE, kind_of
from backend.names import clean_name, read_birth_date
from backend.outside.eid.eid_claims import Person

if TYPE_CHECKING:  # what is only named here would bring certificates and a client of the network along
    from backend.outside.certificates.certificates import Holder
    from backend.outside.registries import Insured, Subscriber

VNEID, CERTIFICATE, POST_OFFICE = "vneid", "certificate", "post_office"
SUBSCRIBER, SOCIAL_INSURANCE, IMPORTED = "subscriber", "social_insurance", "imported"
PROVIDERS = (VNEID, CERTIFICATE, POST_OFFICE, SUBSCRIBER, SOCIAL_INSURANCE)
VOUCHED_BY = (*PROVIDERS, IMPORTED)  # what an account may stand on: a list of old accounts is nobody's way in
KEPT_AS_TYPED = (SUBSCRIBER, SOCIAL_INSURANCE, IMPORTED)  # asked once: no sign-in brings their word again

SURE = 2  # VNeID's level from which a number is proved and not only stated (source 003, II)
CERTIFICATE_LEVEL = 3


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody as one provider has proved them; `by` is the provider, `source` its name in full.

    `subject` is what an e-ID calls the person, `key` the thumbprint of the certificate whose key has signed.
    """

    full_name: str
    level: int
    by: str = msgspec.field(name="vouched_by")
    source: str
    identifiers: dict[str, str]
    kind: str = "citizen"
    birth_date: str | None = None
    gender: str | None = None
    subject: str | None = None
    key: bytes | None = None

    @property
    def vouches(self) -> bool:
        """Whether this stands for the person: what came before it, and it does not know, has to go."""
        return vouches(self.by, self.level)


def vouches(by: str, level: int) -> bool:
    """Whether a provider's word of this level proves who somebody is: VNeID from level 2, or a certificate's key."""
    return by == CERTIFICATE or (by == VNEID and level >= SURE)


def of_person(person: Person, by: str) -> Evidence:
    """What an e-ID states."""
    return Evidence(
        full_name=person.full_name,
        level=level_of(person, by),
        by=by,
        source=person.issuer,
        identifiers=numbers_of(person),
        kind=person.kind,
        birth_date=person.birth_date,
        gender=person.gender,
        subject=person.subject,
    )


def of_holder(holder: Holder) -> Evidence:
    """What a certificate states whose key has signed our challenge: no birth date."""
    return Evidence(
        full_name=holder.name,
        level=CERTIFICATE_LEVEL,
        by=CERTIFICATE,
        source=CERTIFICATE,
        identifiers={holder.identifier_kind: holder.identifier},
        kind=holder.kind,
        key=holder.thumbprint,
    )


def of_registry(found: Subscriber | Insured, by: str) -> Evidence:
    """Whom a registry names; the identity is taken from it (source 001, 1.2)."""
    return Evidence(
        full_name=clean_name(found.full_name),
        level=2,
        by=by,
        source=by,
        identifiers={kind_of(found.national_id): found.national_id},
        birth_date=read_birth_date(found.birth_date),
    )


def numbers_of(person: Person) -> dict[str, str]:
    """The numbers that an e-ID states, by kind."""
    stated = {NATIONAL_ID: person.national_id, OLD_ID: person.old_id_number, TAX_CODE: person.tax_code}
    return {kind: value for kind, value in stated.items() if value}


def level_of(person: Person, by: str) -> int:
    """The assurance level that a sign-in is worth: only VNeID's own word goes beyond 2."""
    return person.level if by == VNEID else 2

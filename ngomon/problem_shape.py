"""The shape of a problem, with every member that a refusal of ours brings beside the six of RFC 9457 (case D03)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from litestar.openapi.spec import OpenAPIFormat, OpenAPIType, Reference, Schema

from backend.accounts.recovery.recovery import WAYS
from backend.accounts.self.consents import CONTRACT, PUBLIC_DUTY
from backend.flows import Step
from workspace import labels

TEXT, NUMBER = Schema(type=OpenAPIType.STRING), Schema(type=OpenAPIType.INTEGER)
MOMENT = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.DATE_TIME)
UUID = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.UUID)
ALWAYS = {**dict.fromkeys(("type", "title", "detail", "instance", "code"), TEXT), "status": NUMBER}
FIRST = tuple(ALWAYS)


def one_of(values: tuple[str, ...]) -> Schema:
    """A text that is one of these."""
    return Schema(type=OpenAPIType.STRING, enum=list(values))


def many(items: Schema | Reference) -> Schema:
    """A list of them."""
    return Schema(type=OpenAPIType.ARRAY, items=items)


def shape(parts: Mapping[str, Schema | Reference], *needed: str) -> Schema:
    """An object with these parts; of the Problem's own shapes every part is there unless `needed` names some."""
    return Schema(type=OpenAPIType.OBJECT, properties=dict(parts), required=list(needed))


def at(name: str) -> Reference:
    """Where a shape stands."""
    return Reference(f"#/components/schemas/{name}")


def shapes() -> dict[str, Schema]:
    """The problem and what it is made of, by name; made anew, for the document changes what it is given."""
    return {
        "Problem": shape({**ALWAYS, **MEMBERS}, *FIRST),
        "ProblemField": shape(dict.fromkeys(("field", "code", "message"), TEXT), "field", "code", "message"),
        "ProblemRequired": shape({"level": NUMBER, "method": one_of(("vneid",)), "max_age": NUMBER}),
        "ProblemSlip": shape({"code": TEXT, "valid_until": MOMENT}, "code", "valid_until"),
        "ProblemDevice": shape({"name": TEXT, "at": MOMENT}, "name"),
        "ProblemReason": shape({"what": one_of(KEPT), "basis": TEXT, "until": OPEN_DAY}, "what", "basis"),
    }


KEPT = ("role", "role_request", "manager", "support_staff")  # for which the law keeps an account
OPEN_DAY = Schema(one_of=[TEXT, Schema(type=OpenAPIType.NULL)])
MEMBERS: dict[str, Schema | Reference] = {
    "errors": many(at("ProblemField")),
    "step": one_of(get_args(Step)),
    "attempts_left": NUMBER,
    "required": at("ProblemRequired"),
    "ways": many(one_of(WAYS)),
    "slip": at("ProblemSlip"),
    "replaced_by": at("ProblemDevice"),
    "reason": TEXT,
    "request_id": UUID,
    "request_status": one_of(tuple(labels.STATUSES)),
    "decision": one_of(tuple(labels.DECISIONS)),
    "outcome": one_of(("approved", "wrong_number")),
    "at": Schema(type=[OpenAPIType.STRING, OpenAPIType.INTEGER]),
    "challenge": at("CaptchaChallenge"),
    "attribute": TEXT,
    "conflicts": many(one_of(tuple(labels.JOIN_CONFLICTS))),
    "basis": one_of((PUBLIC_DUTY, CONTRACT)),
    "reasons": many(at("ProblemReason")),
    "posts": many(TEXT),
    "most": NUMBER,
    "hotlines": Schema(type=OpenAPIType.OBJECT, additional_properties=TEXT),
    "constant": TEXT,
}

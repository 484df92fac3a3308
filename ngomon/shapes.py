"""The shapes of the OpenAPI document, made such that generators of clients understand them (D01, D02).

Our own types say which parts an answer has at which step, and a call that can answer with one of several is a union.
Generators for Kotlin, Dart and others make one class of a union, with every part of every member required, which no
answer fits. So the document has one flat shape for each flow: `step` is an enum of all its steps, what every answer
has is required, and each other part says at which steps it is there. The wire is what it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from litestar.openapi.spec import (
    Example,
    OpenAPI,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Reference,
    Schema,
)

from ngomon import samples, telling

METHODS = ("get", "put", "post", "delete", "patch")
COMPONENTS = "#/components/schemas/"
FLOWS = {
    "/v1/logins": "LoginFlow",
    "/v1/registrations": "RegistrationFlow",
    "/v1/recoveries": "RecoveryFlow",
    "/v1/phone-changes": "PhoneChangeFlow",
    "/v1/me/auth-methods": "AuthMethodFlow",
    "/v1/me/joins": "JoinFlow",
}  # where a flow lives, and what its answers are called
# Names that say nothing outside of their module, and what the field calls the thing: generated classes are called so.
NAMES = {
    "AccessList": "AccessHistory",
    "AccessOut": "AccessHistoryEntry",
    "AttributesIn": "IdentityAttributesIn",
    "CaseCopy": "SupportCaseCopy",
    "CaseIn": "SupportCaseIn",
    "CaseList": "SupportCaseList",
    "CaseOut": "SupportCaseOut",
    "CaseRow": "SupportCaseRow",
    "ChallengeOut": "CaptchaChallenge",
    "ChangeOut": "CorrectionOut",
    "ChoiceOut": "OtpNumber",
    "CodeIn": "OtpIn",
    "CodeOut": "SupportCodeOut",
    "Correction": "CorrectionCopy",
    "DeskOut": "SupportDesk",
    "Difference": "CorrectedFieldCopy",
    "DifferenceOut": "CorrectedField",
    "Draft": "RoleRequestIn",
    "FactOut": "JournalEntryCopy",
    "FieldOut": "FormField",
    "Hotline": "HotlineOut",
    "MessageOut": "SupportMessage",
    "Method": "AuthMethodCopy",
    "MethodIn": "AuthMethodIn",
    "MethodList": "AuthMethodList",
    "MethodOut": "AuthMethodOut",
    "NoticeView": "NoticeOut",
    "OptionOut": "FormOption",
    "OwnRequest": "RoleRequestCopy",
    "Page": "IdentityPage",
    "PhoneIn": "LoginPhoneIn",
    "ProofOut": "ConsentProof",
    "ReplacedOut": "ReplacedDevice",
    "RoleView": "RoleOut",
    "Shown": "IdentityAttribute",
    "SignIn": "SignatureIn",  # nobody signs in with it
    "SlipOut": "PhoneChangeSlip",
    "StaffPerson": "StaffEntryCopy",
    "Standardization": "IdentityStandardization",
    "Standing": "ConsentOut",
    "StepView": "RoleRequestStepCopy",
    "SyncOut": "RoleSync",
    "SyncState": "RoleSyncCopy",
    "TakeoverOut": "TakeoverReportOut",
    "UnitView": "UnitOut",
}


def understood(document: OpenAPI) -> None:
    """Lay the flows flat, give every shape a name of the field, and leave out what nothing points at any more."""
    shapes: dict[str, Any] = document.components.schemas
    for top, name in FLOWS.items():
        answers = [media for media in _answers(document, top) if _has_steps(shapes, media)]
        members = {ref: shapes[ref] for media in answers for ref in _members(media)}
        shapes[name] = _flat(list(members.values()))
        for media in answers:
            steps = sorted({step for ref in _members(media) for step in _steps(shapes[ref])})
            media.examples = {step: Example() for step in steps}  # which samples.py fills in
            media.schema = Reference(COMPONENTS + name)
    _drop_unused(document)
    for pointer in _references(document):
        pointer.ref = COMPONENTS + NAMES.get(pointer.value, pointer.value)
    document.components.schemas = named = {NAMES.get(name, name): shape for name, shape in shapes.items()}
    for name, shape in named.items():
        shape.title = name
    telling.tell(document, {new: old for old, new in NAMES.items()})
    samples.show(document)


def operations(document: OpenAPI, top: str = "/v1") -> Iterator[tuple[str, str, Operation]]:
    """Every call at or under an address: its method, its path, and what is said of it."""
    for path, item in (document.paths or {}).items():
        for method in METHODS if path == top or path.startswith(f"{top}/") else ():
            if (operation := getattr(item, method)) is not None:
                yield method.upper(), path, operation


def _answers(document: OpenAPI, top: str) -> Iterator[OpenAPIMediaType]:
    for _, _, operation in operations(document, top):
        for status, told in (operation.responses or {}).items():
            if status.startswith("2") and isinstance(told, OpenAPIResponse):
                yield from (told.content or {}).values()


def _members(media: OpenAPIMediaType) -> list[str]:
    shape = media.schema
    several = shape.one_of or () if isinstance(shape, Schema) else (shape,)
    return [one.value for one in several if isinstance(one, Reference)]


def _has_steps(shapes: Mapping[str, Schema], media: OpenAPIMediaType) -> bool:
    return any("step" in (shapes[name].properties or {}) for name in _members(media))


def _flat(members: Sequence[Schema]) -> Schema:
    """One shape for all members; a part that two of them have is the same in both."""
    parts: dict[str, Any] = {}
    for member in members:
        for name, part in (member.properties or {}).items():
            if name != "step" and parts.setdefault(name, part) != part:
                raise ValueError(f"{name} differs between {[one.title for one in members]}")
    steps = sorted({step for member in members for step in _steps(member)})
    required = set.intersection(*(set(member.required or ()) for member in members))
    told = {name: _with_steps(name, part, members, required) for name, part in parts.items()}
    told["step"] = Schema(type=OpenAPIType.STRING, enum=steps)
    return Schema(type=OpenAPIType.OBJECT, properties=told, required=sorted(required))


def _steps(member: Schema) -> list[str]:
    step = (member.properties or {})["step"]
    assert isinstance(step, Schema)
    return [step.const] if step.const is not None else list(step.enum or ())


def _with_steps(name: str, part: Any, members: Iterable[Schema], required: set[str]) -> Any:
    """The part, saying at which steps it is there where that is not every one."""
    if name in required:
        return part
    having = {step for member in members if name in (member.properties or {}) for step in _steps(member)}
    always = having - {
        step for member in members if name not in (member.required or ()) for step in _steps(member)
    }
    words = ", ".join(f"`{step}`" + ("" if step in always else " (not always)") for step in sorted(having))
    return replace(part, description=f"With step {words}")


def _drop_unused(document: OpenAPI) -> None:
    while True:
        used = {pointer.value for pointer in _references(document)}
        spare = set(document.components.schemas) - used
        if not spare:
            return
        for name in spare:
            del document.components.schemas[name]


def _references(node: Any) -> Iterator[Reference]:
    """Every pointer to a shape below a part of the document, each object once for every place where it stands."""
    if isinstance(node, Reference):
        yield from [node] if node.ref.startswith(COMPONENTS) else []
    elif isinstance(node, Mapping):
        for inner in node.values():
            yield from _references(inner)
    elif isinstance(node, list | tuple):
        for inner in node:
            yield from _references(inner)
    elif is_dataclass(node):
        for field in fields(node):
            yield from _references(getattr(node, field.name))

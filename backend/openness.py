"""How open a door is: each handler says it as its `open_to`, and one that says nothing is closed (rule 801)."""

from __future__ import annotations

from enum import Enum


class Openness(Enum):
    """What a call must bring to be let in; whoever brings a session besides is known by it."""

    ANYBODY = "nothing"
    EITHER = "a proof of a device key if there is one, which then binds what is begun"
    PROOF = "a proof of a device key"
    NONCED = "a proof of a device key that carries our nonce"
    SESSION = "a session on a phone, with a proof of the key that it is bound to"
    REPLACED = "the same, be it one that another device has replaced"
    BROWSER = "a session of the workspace in a browser"
    MANAGER = "the same of somebody who manages a unit"
    ROOT = "the same of somebody who manages a root unit, and for everybody else nothing"
    CLERK = "the same of somebody who works at a help desk"
    OPERATOR = "the operator's own token"

    @property
    def is_open(self) -> bool:
        """Whether a call comes in without a session."""
        return self in (Openness.ANYBODY, Openness.EITHER, Openness.PROOF, Openness.NONCED)

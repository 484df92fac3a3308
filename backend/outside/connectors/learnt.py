"""What a downstream system has turned out not to do: learnt once, kept with the system, shown on its page.

Everything here has been seen in its answers. What it does not keep is no drift; what it cannot do is done another way.
"""

from __future__ import annotations

import msgspec

LEARNT_WORDS = (
    "no_patch",
    "no_filters",
    "no_members_filter",
    "no_groups",
    "no_renaming",
    "hides_inactive",
    "spells_names",
    "no_read_back",  # not learnt: a kind of system that cannot be asked (connectors.kinds)
)


class Learnt(msgspec.Struct, omit_defaults=True):
    """Written by the connector while it works; `loses` names the fields of Desired that the system does not keep."""

    since: str = ""  # when the system was (last) connected: whatever was learnt before then is forgotten
    no_patch: bool = False
    no_filters: bool = False
    members_filter: bool | None = None  # nothing: neither proved nor refuted yet
    no_groups: bool = False
    no_renaming: bool = False  # a userName that was given once stays
    hides_inactive: bool = False  # who is switched off cannot be found any more, and keeps the name
    spells_names: bool = False  # a userName comes back in other letters, capital or small
    loses: list[str] = []

    def does_not_keep(self, field: str) -> None:
        """The system took a value twice, and did not have it afterwards."""
        if field not in self.loses:
            self.loses = sorted([*self.loses, field])

    def keeps(self, field: str) -> None:
        """The system has it after all."""
        if field in self.loses:
            self.loses = [other for other in self.loses if other != field]

    @property
    def words(self) -> list[str]:
        """For people: LEARNT_WORDS that are so, and `loses:<field>`."""
        so = {word: getattr(self, word, False) for word in LEARNT_WORDS}
        so["no_members_filter"] = self.members_filter is False
        return [word for word in LEARNT_WORDS if so[word]] + [f"loses:{field}" for field in self.loses]


def read_learnt(text: str) -> Learnt:
    """As it is kept with the system."""
    return msgspec.json.decode(text or "{}", type=Learnt)


def written(learnt: Learnt) -> str:
    """As it is kept."""
    return msgspec.json.encode(learnt).decode()

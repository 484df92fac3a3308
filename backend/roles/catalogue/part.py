"""One table of a catalogue's file, read key by key: what is wrong is remembered with table, entry, key and line."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from backend.imports.rows import RowError
from backend.roles.catalogue.places import Path, Places
from backend.typed import BadText, clean, shown

CODE = re.compile(r"[a-z0-9][a-z0-9_-]*")
CODE_LONGEST, LABEL_LONGEST = 40, 120
ENTRIES_MOST = 1000


class File:
    """The text that is read, and everything that is wrong with it."""

    def __init__(self, text: str) -> None:
        self.places, self.errors = Places(text), list[RowError]()


class Part:
    """One table; `named` is the key that says which one it is."""

    def __init__(self, file: File, path: Path, data: object, *, named: str = "code", above: str = "") -> None:
        self._file, self.path = file, path
        self._data: dict[str, Any] = data if isinstance(data, dict) else {}
        self._asked: set[str] = set()
        called = self._data.get(named)
        if isinstance(called, list):
            called = "+".join(map(str, called))
        number = path[-1] + 1 if path and isinstance(path[-1], int) else ""
        self.name = f"{above}{shown(called) if isinstance(called, str) and called else f'#{number}'}"
        if not isinstance(data, dict):
            self.wrong("", "wrong_kind", example="[[…]]")

    @property
    def line(self) -> int:
        """Where it begins."""
        return self._file.places.line(self.path)

    def wrong(self, key: str, reason: str, **values: object) -> None:
        """Remember what is wrong with a key, or with the whole entry."""
        table = f"[[{self.path[0]}]] {self.name}" if self.path else ""
        where = ", ".join(word for word in (table, shown(key)) if word)
        line = self._file.places.line((*self.path, key) if key else self.path)
        said = {name: str(value) for name, value in values.items()}
        self._file.errors.append(RowError(line, where, reason, said))

    def has(self, key: str) -> bool:
        """Whether the file says anything of it."""
        return key in self._data

    def text(self, key: str, *, longest: int) -> str:
        """A text that has to be there; empty after an error."""
        found = self._value(key, str, '"…"')
        if found is None:
            return ""
        try:
            tidy = clean(found, longest=longest)
        except BadText as bad:
            self.wrong(key, bad.code)
            return ""
        if not tidy:
            self.wrong(key, "required")
        return tidy

    def words(self) -> dict[str, str]:
        """The label in both languages."""
        return {key: self.text(key, longest=LABEL_LONGEST) for key in ("label", "label_en")}

    def code(self, key: str = "code", *, longest: int = CODE_LONGEST) -> str:
        """By what others name it."""
        return self._coded(key, self.text(key, longest=longest), longest)

    def codes(self, key: str, *, required: bool = False, longest: int = CODE_LONGEST) -> tuple[str, ...]:
        """Codes of other entries."""
        return tuple(self._coded(key, text, longest) for text in self.texts(key, required=required))

    def texts(self, key: str, *, required: bool = False, longest: int = 80) -> tuple[str, ...]:
        """Several texts, each once."""
        found = self._value(key, list, '["…"]', required=required) or []
        texts = [one for one in found if isinstance(one, str) and 0 < len(one) <= longest]
        if len(texts) < len(found):
            self.wrong(key, "wrong_kind", example='["…"]')
        if required and not found and self.has(key):
            self.wrong(key, "required")
        return tuple(dict.fromkeys(texts))

    def number(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number within bounds."""
        found = self._value(key, int, "1", required=default is None)
        if found is not None and not low <= found <= high:
            self.wrong(key, "out_of_range", low=low, high=high)
            found = None
        return found if found is not None else default if default is not None else low

    def flag(self, key: str, *, required: bool = False) -> bool:
        """Yes or no, and no where nothing is said."""
        return self._value(key, bool, "true", required=required) or False

    def day(self, key: str) -> date | None:
        """A day, if one is said."""
        found: date | None = self._value(key, date, "2026-12-31", required=False)
        return found

    def choice(self, key: str, known: Sequence[str]) -> str:
        """One of a few words."""
        found = self._value(key, str, f'"{known[0]}"')
        if found is None or found in known:
            return found or known[0]
        self.wrong(key, "bad_choice", known=", ".join(known))
        return known[0]

    def parts(self, key: str, *, named: str = "code") -> list[Part]:
        """The tables below a key."""
        found = self._value(key, list, f"[[{key}]]", required=False) or []
        if len(found) > ENTRIES_MOST:
            self.wrong(key, "too_many", most=ENTRIES_MOST)
        above = f"{self.name}." if self.path else ""
        return [
            Part(self._file, (*self.path, key, number), one, named=named, above=above)
            for number, one in enumerate(found[:ENTRIES_MOST])
        ]

    def known(self, key: str, codes: Collection[str], there: Collection[str], table: str) -> None:
        """Say which of the codes no entry of a table has."""
        for code in codes:
            if code not in there:
                self.wrong(key, "unknown_code", code=shown(code), table=table)

    def end(self, *, tables: bool = False) -> None:
        """Say which keys nobody knows."""
        for key in self._data:
            if key not in self._asked:
                there = ", ".join(sorted(self._asked))
                self.wrong(key, "unknown_table" if tables else "unknown_key", known=there)

    def _coded(self, key: str, text: str, longest: int) -> str:
        if text and (not CODE.fullmatch(text) or len(text) > longest):
            self.wrong(key, "bad_code", most=longest)
        return text

    def _value(self, key: str, kind: type[Any], example: str, *, required: bool = True) -> Any:
        """The value of that kind and nothing else, where it is one; `True` is no number, and an hour is no day."""
        self._asked.add(key)
        if key not in self._data:
            if required:
                self.wrong(key, "key_missing", example=example)
            return None
        found = self._data[key]
        odd = (isinstance(found, bool) and kind is not bool) or isinstance(found, datetime)
        if odd or not isinstance(found, kind):
            self.wrong(key, "wrong_kind", example=example)
            return None
        return found

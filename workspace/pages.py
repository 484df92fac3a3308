"""Draws a page: template files only, everything escaped, in the reader's language and light (rule 825).

A page is the same with and without scripts: htmx asks for the whole page and takes out what it needs,
so there is one template per thing and one route per page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response
from litestar.datastructures import Cookie
from litestar.enums import MediaType
from litestar.response import Redirect

from backend.branding.brand import Brand
from backend.errors import FieldsInvalid, Refusal
from backend.names import masked, written_date
from backend.outside.clock import LOCAL
from backend.words import gettext, language, say, written
from backend.words import mark as _
from workspace import field_labels, labels, static_files, sync_labels
from workspace.auth import TOKEN_FIELD, Visit
from workspace.forms import UNSENT
from workspace.headers import NONCE

THEMES = ("auto", "light", "dark")
CHOICES = ("lang", "theme", "keys")  # what a reader may choose by a link, remembered in cookies
PREFERENCE_AGE = 365 * 86400


def moment(at: datetime) -> str:
    """A time as people in Việt Nam write it."""
    return at.astimezone(LOCAL).strftime("%d/%m/%Y %H:%M")


def day(on: date) -> str:
    """A day as people in Việt Nam write it."""
    return on.strftime("%d/%m/%Y")


def clock_time(at: datetime) -> str:
    """Hour, minute and second, for what is a matter of seconds."""
    return at.astimezone(LOCAL).strftime("%H:%M:%S")


def ages(visit: Visit, now: datetime) -> Callable[[datetime], str]:
    """How long ago something was, in words, for one page."""
    lang = lang_of(visit)

    def age(at: datetime) -> str:
        minutes = max(0, int((now - at).total_seconds() // 60))
        if minutes < 1:
            return say(_("vừa xong"), lang)
        if minutes < 60:
            return say(_("{n} phút trước"), lang, n=minutes)
        if minutes < 1440:
            return say(_("{n} giờ trước"), lang, n=minutes // 60)
        return say(_("{n} ngày trước"), lang, n=minutes // 1440)

    return age


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["words"], made.globals["sync_words"] = labels, sync_labels
    made.globals["field_words"] = field_labels
    made.filters.update(
        written=written,
        moment=moment,
        day=day,
        clock_time=clock_time,
        masked=masked,
        written_date=written_date,
    )
    return made


_templates = _environment()


def page(
    visit: Visit,
    template: str,
    /,
    *,
    refusal: Refusal | None = None,
    here: str | None = None,
    **given: object,
) -> Response[str]:
    """A whole page; `here` is the address that shows it again, where that is not the one asked for.

    A page that says no carries the status and the Retry-After of its `refusal`.
    """
    preferences = _preferences(visit)
    place, brand = here or _place(visit), brand_of(visit)
    context = {
        "_": gettext(preferences["lang"]),
        **preferences,
        "nonce": visit.scope["state"][NONCE],
        "csrf": visit.scope["state"].get(TOKEN_FIELD, ""),
        "unsent": visit.scope["state"].get(UNSENT, ""),
        "manager": visit.scope["state"].get("manager"),
        "clerk": visit.scope["state"].get("clerk"),
        "officer": visit.scope["state"].get("officer"),
        "brand": brand,
        "files": static_files.paths(brand),
        "here": place,
        "here_with": Switcher(place),
        **given,
    }
    return Response(
        _templates.get_template(template).render(context),
        media_type=MediaType.HTML,
        status_code=refusal.status if refusal else 200,
        headers={"Retry-After": str(refusal.retry_after)} if refusal and refusal.retry_after else None,
        cookies=_remembered(visit),
    )


def go(visit: Visit, path: str) -> Response[Any]:
    """On to another page; htmx is told to load it whole, where it is not the page that it shows already."""
    shows = urlsplit(visit.headers.get("hx-current-url", path)).path
    if visit.headers.get("hx-request") and shows != urlsplit(path).path:
        return Response(None, status_code=200, headers={"HX-Redirect": path})
    return Redirect(path, status_code=303)


def errors_of(refusal: Refusal | None, boxes: Iterable[str] = ()) -> list[dict[str, str]]:
    """What is wrong, field by field in the order of the form's `boxes`, or the one sentence of another refusal."""
    if isinstance(refusal, FieldsInvalid):
        nth = {name: place for place, name in enumerate(boxes)}
        return [one.as_dict() for one in sorted(refusal.fields, key=lambda one: _place_among(nth, one.field))]
    return [{"message": refusal.title}] if refusal else []


def _place_among(nth: Mapping[str, int], field: str) -> int:
    """Where a field's box stands; what a catalogue's form asks may stand there by its plain name. Others go last."""
    return nth.get(field, nth.get(field.removeprefix("fields."), len(nth)))


def lang_of(visit: Visit) -> str:
    """Vietnamese unless English was chosen here; the browser's own language does not decide (rule 820)."""
    return language(None, visit.cookies.get("lang"), visit.query_params.get("lang"))


def brand_of(visit: Visit) -> Brand:
    """Whose workspace this is."""
    brand: Brand = visit.app.state.brand
    return brand


def _preferences(visit: Visit) -> dict[str, str]:
    theme = visit.query_params.get("theme") or visit.cookies.get("theme")
    keys = visit.query_params.get("keys") or visit.cookies.get("keys")
    return {
        "lang": lang_of(visit),
        "theme": theme if theme in THEMES else "auto",
        "keys": "off" if keys == "off" else "on",
    }


def _remembered(visit: Visit) -> list[Cookie]:
    chosen = _preferences(visit)
    return [
        Cookie(name, value=chosen[name], path="/", max_age=PREFERENCE_AGE, samesite="lax", httponly=True)
        for name in CHOICES
        if name in visit.query_params
    ]


def with_choices(path: str, visit: Visit) -> str:
    """Another address of ours, with the language and looks that this one was asked for in."""
    chosen = {name: visit.query_params[name] for name in CHOICES if name in visit.query_params}
    return path + (("&" if "?" in path else "?") + urlencode(chosen) if chosen else "")


def _place(visit: Visit) -> str:
    if visit.method != "GET":
        return "/workspace"
    kept = [(name, value) for name, value in parse_qsl(visit.url.query) if name not in CHOICES]
    return visit.url.path + (f"?{urlencode(kept)}" if kept else "")


class Switcher:
    """Addresses of the page at hand with something about it changed."""

    def __init__(self, place: str) -> None:
        self._path, _, query = place.partition("?")
        self._query: Mapping[str, str] = dict(parse_qsl(query))

    def __call__(self, **changes: str) -> str:
        """The same page with these parameters; an empty one is left out."""
        merged = {name: value for name, value in {**self._query, **changes}.items() if value}
        return self._path + (f"?{urlencode(merged)}" if merged else "")

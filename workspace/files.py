"""A file that comes with a form: read into rows beside the server's loop, and kept nowhere as it came."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

from litestar.datastructures import UploadFile
from litestar.exceptions import ClientException
from litestar.handlers import BaseRouteHandler

from backend.errors import FieldError, FieldsInvalid, Refusal
from backend.imports import files
from backend.imports.rows import Record, RowError, told
from backend.words import mark as _
from workspace.auth import TOKEN_FIELD, Connection, Visit
from workspace.forms import FormMalformed
from workspace.pages import lang_of

ENDING = re.compile(r"\.[a-z]{1,7}")
BAD_MOST = 200  # wrong cells on a page


TOO_LARGE = _(
    "Tệp không được lớn hơn {most} MB. Chưa có gì thay đổi; hãy chia thành các tệp nhỏ hơn rồi gửi lại."
)


class FileTooLarge(Refusal):
    """The file is longer than the page takes; the edge has let it pass unread (rule 805)."""

    status = 413
    code = "file_too_large"
    title = "Tệp gửi lên quá lớn"

    def __init__(self, most: int) -> None:
        super().__init__(TOO_LARGE, most=most >> 20)


async def expect_short(connection: Connection, _: BaseRouteHandler) -> None:
    """Guard that says so before the form is asked for its token, which went by with the file: raises FileTooLarge."""
    most = connection.scope.get("too_large")
    if isinstance(most, int):
        raise FileTooLarge(most)


async def sent(visit: Visit, names: Collection[str]) -> dict[str, UploadFile]:
    """The files of a form that has files only, by the name of the field. Raises FormMalformed."""
    try:
        form = await visit.form()
    except (ClientException, ValueError) as error:
        raise FormMalformed from error
    found: dict[str, UploadFile] = {}
    for name in dict.fromkeys(form.keys()):
        values = form.getall(name)
        if name == TOKEN_FIELD:
            continue
        if name not in names or len(values) > 1:
            raise FormMalformed
        if isinstance(values[0], UploadFile):
            found[name] = values[0]
        elif values[0]:
            raise FormMalformed  # a browser sends an empty text where no file was chosen
    return found


async def rows(file: UploadFile | None, columns: Sequence[str], *, required: Sequence[str]) -> list[Record]:
    """The rows of a file that was sent. Raises ImportRefused, and FieldsInvalid where there is none."""
    if file is None:
        raise FieldsInvalid(FieldError("file", "required", _("Hãy chọn một tệp CSV hoặc XLSX")))
    content = await file.read()
    await file.close()
    ending = Path(file.filename).suffix.lower()
    name = f"file{ending if ENDING.fullmatch(ending) else ''}"
    return await asyncio.to_thread(_read, name, content, columns, required)


def bad_cells(visit: Visit, errors: Sequence[RowError]) -> list[tuple[int, str, str]]:
    """Line, column, and what is wrong with its remedy, in the page's language."""
    lang = lang_of(visit)
    return [(error.line, error.column, told(error, lang)) for error in errors[:BAD_MOST]]


def _read(name: str, content: bytes, columns: Sequence[str], required: Sequence[str]) -> list[Record]:
    with tempfile.TemporaryDirectory() as folder:  # nobody else may enter, and it is gone with this line
        path = Path(folder, name)
        path.write_bytes(content)
        return files.read(path, columns, required=required)

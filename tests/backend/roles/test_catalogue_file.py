"""The file of a catalogue: what it may say, and what is said of a wrong one (rule 602)."""

from __future__ import annotations

from backend.roles.catalogue.entries import MOVEMENTS, FieldType
from backend.roles.catalogue.in_force import SHIPPED, catalogue_of, shipped, text_of
from backend.roles.catalogue.reading import read
from backend.roles.catalogue.writing import written


def test_the_shipped_file_is_written_and_read_back_as_it_was() -> None:
    text = written(shipped())
    assert read(text.encode(), {}).catalogue == shipped()
    assert written(read(text.encode(), {}).catalogue) == text
    assert catalogue_of(text_of(shipped())) == shipped()


def test_the_shipped_file_says_what_was_said_before_it_was_one() -> None:
    kinds = shipped().subject_types
    assert list(kinds) == ["can_bo", "cong_chuc", "vien_chuc", "nguoi_lao_dong"]
    assert {(kind.grants, kind.floor, kind.vouched_by) for kind in kinds.values()} == {
        (("staff",), 2, ("vneid",))
    }
    assert [field.name for field in kinds["cong_chuc"].fields] == [
        "employee_code",
        "official_email",
        "rank",
        "decision_number",
        "decision_date",
    ]
    number = kinds["nguoi_lao_dong"].field("contract_number")
    assert number is not None and number.required and number.type is FieldType.TEXT
    assert len(shipped().positions) == 29 and list(shipped().grants)[:2] == ["staff", "leader"]
    assert [grant.code for grant in shipped().grants_of("cong_chuc", "van_thu", "x")] == ["staff", "clerk"]
    assert tuple(shipped().movements) == MOVEMENTS and shipped().movements["secondment"].longest_days == 1096
    assert shipped().concurrent_limit == 3 and {rule.needs for rule in shipped().approvals} == {1}
    assert SHIPPED.read_text(encoding="utf-8").startswith("# Danh mục")


def test_the_first_shipped_pair_are_two_ordinary_posts_that_nobody_holds_at_once() -> None:
    first = shipped().incompatible[0]
    posts = [shipped().positions[code] for code in first.positions]
    assert not first.two_people and not any(post.leading for post in posts)
    assert set(posts[0].subject_types) & set(posts[1].subject_types)
    assert shipped().conflict(*reversed(first.positions)) == first
    assert shipped().conflict("ke_toan", "giao_vien") is None
    assert shipped().needs("register", "giam_doc") == 1

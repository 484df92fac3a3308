"""The LDAP connector against slapd (rules 710, 712)."""

from __future__ import annotations

from uuid import uuid4

import msgspec
import pytest

from backend.outbox.reconcile import difference
from backend.outside.connectors import DeliveryError, GroupRef, LostTurn
from tests.backend.outside.errands import mine, not_mine
from tests.backend.outside.ldap_people import DOCS, NAME, OFFICE, REFORM, connected, somebody
from tests.parts.directory import Directory

SELF = f"cn={OFFICE.external_id},{Directory.groups_dn}"


async def test_a_new_person_arrives_exactly_as_the_contract_says(directory: Directory) -> None:
    wanted = somebody()
    receipt = await (await connected(directory)).apply(wanted, None, mine)
    entry = directory.entry("anh@hue.example")
    assert receipt.changed
    assert entry["dn"] == [f"uid=anh,{directory.people_dn}"]
    assert "inetOrgPerson" in entry["objectClass"]
    assert entry["employeeNumber"] == [wanted.external_id]
    assert entry["cn"] == entry["displayName"] == [NAME]
    assert entry["sn"] == ["Nguyễn"]
    assert entry["title"] == ["Chuyên viên"]
    assert entry["ou"] == ["Văn phòng"]
    assert entry["departmentNumber"] == ["H57.01"]
    assert "userPassword" not in entry
    assert directory.members("H57.01") == entry["dn"]
    assert directory.members(DOCS.external_id) == []


@pytest.mark.parametrize("mail", [None, "#1@hue.example", "no#1@hue.example"])
async def test_who_has_no_usable_mail_is_named_by_the_account(directory: Directory, mail: str | None) -> None:
    wanted = somebody(mail=mail)
    await (await connected(directory)).apply(wanted, None, mine)
    (entry,) = directory.entries(f"(employeeNumber={wanted.external_id})")
    assert entry["uid"] == [wanted.external_id]
    assert entry.get("mail") == ([mail] if mail else None)


async def test_sending_the_same_twice_writes_nothing(directory: Directory) -> None:
    connector, wanted = await connected(directory), somebody()
    first = await connector.apply(wanted, None, mine)
    before = directory.entries("(objectClass=*)", "*", "entryCSN")
    again = await connector.apply(wanted, first.remote_id, mine)
    assert (again.remote_id, again.changed) == (first.remote_id, False)
    assert directory.entries("(objectClass=*)", "*", "entryCSN") == before


async def test_who_has_a_mailbox_already_is_taken_over_by_address(directory: Directory) -> None:
    dn = directory.add_mail_user("Anh@hue.example", "mật-khẩu cũ", name="Nguyen Thi Anh")
    more = f"dn: {dn}\nchangetype: modify\nadd: mail\nmail: ngoc.anh@hue.example\n-\nadd: telephoneNumber\n"
    directory.modify(f"{more}telephoneNumber: 0550000111\n-\nadd: employeeNumber\nemployeeNumber: 17\n")
    connector, wanted = await connected(directory), somebody(address_proved=True)
    await connector.apply(wanted, None, mine)
    entry = directory.entry("anh@hue.example")
    assert entry["dn"] == [dn]
    assert entry["employeeNumber"] == [wanted.external_id]
    assert entry["cn"] == entry["displayName"] == [NAME]
    assert entry["mail"] == ["Anh@hue.example", "ngoc.anh@hue.example"]
    assert entry["telephoneNumber"] == ["0550000111"]
    assert directory.imap_sign_in("anh@hue.example", "mật-khẩu cũ")
    held = await connector.read(wanted.external_id, None)
    assert held is not None
    assert difference(uuid4(), connector.kept(wanted, held), held, connector.holds).kind == "same"


async def test_an_entry_that_is_named_by_its_cn_keeps_its_name(directory: Directory) -> None:
    dn = f"cn=Anh Nguyen,{directory.people_dn}"
    directory.add(
        f"dn: {dn}\nobjectClass: inetOrgPerson\ncn: Anh Nguyen\nsn: Nguyen\nmail: anh@hue.example\n"
    )
    connector, wanted = await connected(directory), somebody(address_proved=True)
    await connector.apply(wanted, None, mine)
    entry = directory.entry("anh@hue.example")
    assert entry["dn"] == [dn]
    assert sorted(entry["cn"]) == ["Anh Nguyen", NAME]
    assert not (await connector.apply(wanted, None, mine)).changed


async def test_an_address_of_another_person_is_parked(directory: Directory) -> None:
    connector = await connected(directory)
    await connector.apply(somebody(), None, mine)
    for proved in (False, True):
        with pytest.raises(DeliveryError) as refused:
            await connector.apply(somebody(address_proved=proved), None, mine)
        assert (refused.value.code, refused.value.permanent) == ("user_name_taken", True)


async def test_a08_an_entry_that_is_there_is_taken_over_by_a_proved_address_only(
    directory: Directory,
) -> None:
    dn = directory.add_mail_user("admin@hue.example", name="Quản trị")
    connector, newcomer = await connected(directory), somebody(mail="admin@hue.example")
    with pytest.raises(DeliveryError) as refused:
        await connector.apply(newcomer, None, mine)
    assert (refused.value.code, refused.value.permanent) == ("belongs_to_somebody", True)
    entry = directory.entry("admin@hue.example")
    assert (entry["cn"], "employeeNumber" in entry, directory.members(OFFICE.external_id)) == (
        ["Quản trị"], False, []
    )  # fmt: skip
    await connector.apply(msgspec.structs.replace(newcomer, address_proved=True), None, mine)
    assert directory.entry("admin@hue.example")["employeeNumber"] == [newcomer.external_id]
    assert directory.members(OFFICE.external_id) == [dn]


async def test_b21_two_people_of_one_local_part_both_get_an_entry(directory: Directory) -> None:
    connector = await connected(directory)
    first, second = somebody(mail="binh@syt.hue.example"), somebody(mail="binh@snv.hue.example")
    for person in (first, second):
        await connector.apply(person, None, mine)
    assert directory.entry("binh@syt.hue.example")["uid"] == ["binh"]
    assert directory.entry("binh@snv.hue.example")["uid"] == [second.external_id]
    assert len(directory.members(OFFICE.external_id)) == 2
    for person in (first, second):
        assert not (await connector.apply(person, None, mine)).changed


async def test_b21_a_local_part_that_somebody_elses_entry_bears_is_left_to_it(directory: Directory) -> None:
    directory.add_mail_user("binh@mail.example", name="Người khác")
    connector, person = await connected(directory), somebody(mail="binh@hue.example")
    await connector.apply(person, None, mine)
    assert directory.entry("binh@mail.example")["cn"] == ["Người khác"]
    assert directory.entry("binh@hue.example")["uid"] == [person.external_id]


async def test_the_successor_gets_the_address_that_a_leaver_had(directory: Directory) -> None:
    connector = await connected(directory)
    old = somebody(mail="vanthu@hue.example")
    await connector.apply(old, None, mine)
    await connector.apply(somebody(old.external_id, active=False), None, mine)
    new = somebody(mail="vanthu@hue.example", address_proved=True)
    await connector.apply(new, None, mine)
    entry = directory.entry("vanthu@hue.example")  # one only
    assert (entry["employeeNumber"], directory.members(OFFICE.external_id)) == (
        [new.external_id],
        entry["dn"],
    )


async def test_at_a_transfer_the_old_groups_are_gone_whatever_else_is_refused(directory: Directory) -> None:
    connector = await connected(directory)
    person = somebody()
    await connector.apply(person, None, mine)
    moved = msgspec.structs.replace(person, groups=[GroupRef("NV-2", "Phòng 2")], title="\0")
    with pytest.raises(DeliveryError):
        await connector.apply(moved, None, mine)
    assert directory.entry("anh@hue.example")["dn"][0] not in directory.members(OFFICE.external_id)


async def test_a_new_address_replaces_the_old_and_the_entry_keeps_its_name(directory: Directory) -> None:
    connector, account = await connected(directory), uuid4()
    await connector.apply(somebody(account), None, mine)
    await connector.apply(somebody(account, mail="ngoc.anh@hue.example"), None, mine)
    assert directory.entry("ngoc.anh@hue.example")["dn"] == [f"uid=anh,{directory.people_dn}"]
    assert directory.entries("(mail=anh@hue.example)") == []


async def test_moving_leaves_the_old_group_and_joins_the_new(directory: Directory) -> None:
    connector, account, other = await connected(directory), uuid4(), somebody(mail="binh@hue.example")
    await connector.apply(somebody(account), None, mine)
    await connector.apply(other, None, mine)
    moved = somebody(account, groups=[REFORM], department=REFORM.display_name, unit_code=REFORM.external_id)
    await connector.apply(moved, None, mine)
    assert directory.members("H57.01") == [f"uid=binh,{directory.people_dn}"]
    assert directory.members("H57.02") == [f"uid=anh,{directory.people_dn}"]
    assert directory.entry("anh@hue.example")["departmentNumber"] == ["H57.02"]


async def test_a_group_that_nobody_is_left_in_holds_itself_until_somebody_joins(directory: Directory) -> None:
    connector, account = await connected(directory), uuid4()
    await connector.apply(somebody(account), None, mine)
    await connector.apply(somebody(account, active=False), None, mine)
    assert directory.members("H57.01") == [SELF]
    await connector.apply(somebody(account), None, mine)
    assert directory.members("H57.01") == [f"uid=anh,{directory.people_dn}"]


async def test_who_has_no_role_leaves_every_group_and_keeps_the_entry(directory: Directory) -> None:
    connector, account = await connected(directory), uuid4()
    await connector.apply(somebody(account), None, mine)
    person = f"uid=anh,{directory.people_dn}"
    directory.add(
        f"dn: ou=old,{directory.groups_dn}\nobjectClass: organizationalUnit\nou: old\n\n"
        f"dn: cn=H1,ou=old,{directory.groups_dn}\nobjectClass: groupOfNames\ncn: H1\nmember: {person}\nmember: cn=x\n"
    )
    receipt = await connector.apply(somebody(account, active=False), None, mine)
    entry = directory.entry("anh@hue.example")
    assert receipt.changed
    assert {"title", "ou", "departmentNumber"}.isdisjoint(entry)
    assert entry["employeeNumber"] == [str(account)]
    assert directory.entries(f"(member={person})") == []
    assert not (await connector.apply(somebody(account, active=False), None, mine)).changed


async def test_who_left_and_was_never_known_is_not_made(directory: Directory) -> None:
    receipt = await (await connected(directory)).apply(somebody(active=False), None, mine)
    assert (receipt.remote_id, receipt.changed) == (None, False)
    assert directory.entries("(objectClass=inetOrgPerson)") == []


async def test_groups_elsewhere_are_not_ours(directory: Directory) -> None:
    connector, wanted = await connected(directory), somebody()
    await connector.apply(wanted, None, mine)
    club = f"cn=club,{directory.base_dn}"
    person = f"uid=anh,{directory.people_dn}"
    directory.add(f"dn: {club}\nobjectClass: groupOfNames\ncn: club\nmember: {person}\n")
    await connector.apply(somebody(wanted.external_id, groups=[REFORM]), None, mine)
    assert directory.members("club") == [person]


async def test_places_that_are_missing_are_made(directory: Directory) -> None:
    for place in (directory.people_dn, directory.groups_dn):
        directory.modify(f"dn: {place}\nchangetype: delete\n")
    await (await connected(directory)).apply(somebody(), None, mine)
    assert directory.members("H57.01") == directory.entry("anh@hue.example")["dn"]


HOSTILE = ["a*)(uid=*", "a,ou=groups", "a+b=c", 'q"q', "a\\2a", "a;b<c>d", "o'hara", "a=b"]


@pytest.mark.parametrize("word", HOSTILE)
async def test_names_and_codes_are_escaped(directory: Directory, word: str) -> None:
    connector = await connected(directory)
    bystander = somebody(mail="binh@hue.example")
    await connector.apply(bystander, None, mine)
    unit = GroupRef(f"H {word}", "x")
    wanted = somebody(mail=f"{word}@hue.example", unit_code=unit.external_id, groups=[unit], title=word)
    await connector.apply(wanted, None, mine)
    (entry,) = directory.entries(f"(employeeNumber={wanted.external_id})")
    assert (entry["uid"], entry["title"]) == ([word], [word])
    (group,) = [
        one for one in directory.entries("(objectClass=groupOfNames)") if one["cn"] == [unit.external_id]
    ]
    assert len(group["member"]) == 1
    assert not (await connector.apply(wanted, None, mine)).changed
    held = await connector.read(wanted.external_id, None)
    assert held is not None
    assert difference(uuid4(), connector.kept(wanted, held), held, connector.holds).kind == "same"
    await connector.apply(somebody(wanted.external_id, active=False), None, mine)
    assert directory.members("H57.01") == [f"uid=binh,{directory.people_dn}"]


async def test_a_nul_byte_ends_no_text_early(directory: Directory) -> None:
    with pytest.raises(DeliveryError) as refused:
        await (await connected(directory)).apply(somebody(mail="anh\0@hue.example"), None, mine)
    assert (refused.value.code, refused.value.permanent) == ("rejected", True)
    assert directory.entries("(objectClass=inetOrgPerson)") == []


async def test_nothing_is_written_when_the_turn_is_lost(directory: Directory) -> None:
    with pytest.raises(LostTurn):
        await (await connected(directory)).apply(somebody(), None, not_mine)
    assert directory.entries("(objectClass=inetOrgPerson)") == []


async def test_reading_back_names_what_differs(directory: Directory) -> None:
    connector, wanted = await connected(directory), somebody()
    assert await connector.read(wanted.external_id, None) is None
    await connector.apply(wanted, None, mine)
    person = f"dn: uid=anh,{directory.people_dn}\nchangetype: modify\n"
    directory.modify(f"{person}replace: title\ntitle: Giám đốc\n-\nreplace: mail\nmail: x@hue.example\n")
    held = await connector.read(wanted.external_id, None)
    assert held is not None
    found = difference(uuid4(), connector.kept(wanted, held), held, connector.holds)
    assert (found.kind, found.fields) == ("different", ("title", "email"))
    gone = somebody(wanted.external_id, active=False)
    assert difference(uuid4(), connector.kept(gone, held), held, connector.holds).kind == "extra"
    await connector.apply(gone, None, mine)
    held = await connector.read(wanted.external_id, None)
    assert held is not None
    assert difference(uuid4(), connector.kept(gone, held), held, connector.holds).kind == "same"

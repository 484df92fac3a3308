"""A directory with a mail server that asks it for passwords: slapd and Dovecot, both real, both on loopback."""

from __future__ import annotations

import base64
import imaplib
import re
import subprocess
from pathlib import Path

import msgspec

from tests.parts.dovecot import Asked, dovecot, program
from tests.parts.processes import Part, free_port, listens, scratch

BASE = "dc=hue,dc=example"
SLAPD = """
modulepath /usr/lib/ldap
moduleload back_mdb
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
database mdb
suffix "{base}"
rootdn "cn=admin,{base}"
rootpw {password}
directory {folder}/data
maxsize 33554432
index objectClass,uid,mail,employeeNumber,member eq
limits dn.exact="cn=short,{base}" size=1
limits dn.exact="cn=paged,{base}" size.soft=3 size.hard=3 size.prtotal=unlimited
access to attrs=userPassword by dn.exact="cn=ngomon,{base}" write by anonymous auth by * none
access to dn.subtree="ou=sealed,{base}" by dn.exact="cn=ngomon,{base}" read by * none
access to * by dn.exact="cn=ngomon,{base}" write by dn.exact="cn=paged,{base}" write by dn.exact="cn=short,{base}" read by anonymous auth by * none
"""
WHOLE = """dn: {base}
objectClass: dcObject
objectClass: organization
o: Huế
dc: hue

dn: cn=ngomon,{base}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: ngomon
userPassword: {password}

dn: cn=short,{base}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: short
userPassword: {password}

dn: cn=paged,{base}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: paged
userPassword: {password}

dn: ou=people,{base}
objectClass: organizationalUnit
ou: people

dn: ou=groups,{base}
objectClass: organizationalUnit
ou: groups
"""


class Directory:
    """`url`, `bind_dn`, `password`, `base_dn` are for `ngomon systems add --kind ldap`; mail is read by IMAP."""

    bind_dn = f"cn=ngomon,{BASE}"
    password = "a-secret-for-tests-only"
    base_dn = BASE
    people_dn = f"ou=people,{BASE}"
    groups_dn = f"ou=groups,{BASE}"
    imap_host = "127.0.0.1"

    def __init__(self) -> None:
        self.port, self.imap_port = free_port(), free_port()
        self.url = f"ldap://127.0.0.1:{self.port}"
        folder = scratch("directory")
        (folder / "data").mkdir()
        words = {"folder": folder, "base": BASE, "password": self.password}
        (folder / "slapd.conf").write_text(SLAPD.format(**words), encoding="utf-8")
        slapd: list[str | Path] = [
            program("slapd"),
            "-h",
            f"{self.url}/",
            "-d",
            "0",
            "-f",
            folder / "slapd.conf",
        ]
        self._slapd = Part("slapd", slapd)
        asks = Asked(self.url, self.bind_dn, self.password, BASE)
        self._dovecot = dovecot(
            scratch("mail"), self.imap_port, name="dovecot", mechanisms="plain", asks=asks
        )

    @property
    def options(self) -> str:
        """For systems.options."""
        return msgspec.json.encode({"bind_dn": self.bind_dn, "base_dn": self.base_dn}).decode()

    @property
    def add_words(self) -> list[str]:
        """What follows `ngomon systems add NAME`."""
        found = {"--kind": "ldap", "--url": self.url, "--bind-dn": self.bind_dn, "--token": self.password}
        return [word for pair in (found | {"--base-dn": self.base_dn}).items() for word in pair]

    def start(self) -> None:
        """Both, with an empty tree."""
        self.ldap_up()
        self._fill()
        self._dovecot.start(lambda: listens(self.imap_port))

    def stop(self) -> None:
        """Both."""
        self._dovecot.stop()
        self._slapd.stop()

    def reset(self) -> None:
        """Up and empty, whatever the last test did."""
        self.ldap_up()
        names = [entry["dn"][0] for entry in self.entries("(objectClass=*)")]
        self._run("ldapdelete", "-M", *sorted(names, key=len, reverse=True))
        self._fill()

    def ldap_up(self) -> None:
        """The directory is there (again), with what it held."""
        if not self._slapd.is_running:
            self._slapd.start(lambda: listens(self.port))

    def ldap_down(self) -> None:
        """The directory is out of reach."""
        self._slapd.stop()

    def add(self, ldif: str) -> None:
        """Entries, behind the product's back."""
        self._run("ldapadd", "-M", typed=ldif)

    def modify(self, ldif: str) -> None:
        """Changes (`changetype: …`), behind the product's back."""
        self._run("ldapmodify", "-M", typed=ldif)

    def add_mail_user(
        self, address: str, password: str | None = None, *, name: str = "Nguyễn Thị Ánh"
    ) -> str:
        """Somebody who has a mailbox under that address; the DN."""
        uid = address.partition("@")[0]
        dn = f"uid={uid},{self.people_dn}"
        lines = [f"dn: {dn}", "objectClass: inetOrgPerson", f"uid: {uid}", f"mail: {address}"]
        self.add("\n".join([*lines, f"cn: {name}", f"sn: {name.split(maxsplit=1)[0]}", ""]))
        if password is not None:
            self._run("ldappasswd", "-s", password, dn)
        return dn

    def imap_sign_in(self, user: str, password: str) -> bool:
        """Whether the mail server lets somebody in, by address or uid; UTF-8 wants AUTHENTICATE PLAIN."""
        client = imaplib.IMAP4(self.imap_host, self.imap_port, timeout=10)
        try:
            client.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
            client.select("INBOX")
        except imaplib.IMAP4.error as error:
            if "AUTHENTICATIONFAILED" in str(error):
                return False
            raise
        finally:
            client.logout()
        return True

    def entries(self, filter_: str, *attributes: str) -> list[dict[str, list[str]]]:
        """What is held, read by another program than the product uses; `dn` is one of the keys."""
        text = self._run("ldapsearch", "-LLL", "-M", "-o", "ldif-wrap=no", "-b", BASE, filter_, *attributes)
        return [_entry(block) for block in re.split(r"\n\n+", text.strip()) if block]

    def entry(self, address: str) -> dict[str, list[str]]:
        """The one with that mail address."""
        (found,) = self.entries(f"(mail={address})")
        return found

    def members(self, code: str) -> list[str]:
        """The DNs in a unit's group; none when there is no group."""
        return next(
            (entry["member"] for entry in self.entries(f"(&(objectClass=groupOfNames)(cn={code}))")), []
        )

    def _fill(self) -> None:
        self.add(WHOLE.format(base=BASE, password=self.password))

    def _run(self, program: str, *words: str, typed: str = "") -> str:
        who = ("-x", "-H", self.url, "-D", f"cn=admin,{BASE}", "-w", self.password)
        done = subprocess.run(
            [program, *who, *words], input=typed, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{program}: {done.stderr}"
        return done.stdout


def _entry(block: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in block.splitlines():
        name, _, value = line.partition(":")
        plain = base64.b64decode(value[1:]).decode() if value.startswith(":") else value.strip()
        found.setdefault(name, []).append(plain)
    return found

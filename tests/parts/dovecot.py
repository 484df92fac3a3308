"""A mail server for IMAP, real and on loopback, in the words of the Dovecot that the machine has (2.3 or 2.4)."""

from __future__ import annotations

import grp
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.parts.processes import Part

# Debian 12 brings 2.3, Debian 13 brings 2.4, which wants its version named first and knows other names.
OLD = """
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail/%u
"""
NEW = """
dovecot_config_version = {version}
dovecot_storage_version = {version}
ssl = no
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = {folder}/mail/%{{user}}
"""
BOTH = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
auth_mechanisms = {mechanisms}
auth_failure_delay = 0 secs
default_internal_user = {internal}
default_login_user = {login}
default_internal_group = {group}
first_valid_uid = 0
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""
OLD_USERS = """
userdb {{
  driver = static
  args = uid={user} gid={group_of_user} home={folder}/mail/%u
}}
"""
NEW_USERS = """
userdb static {{
  fields {{
    uid = {user}
    gid = {group_of_user}
    home = {folder}/mail/%{{user}}
  }}
}}
"""
OLD_FILE = """
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
"""
NEW_FILE = """
passdb passwd-file {{
  passwd_file_path = {folder}/users
}}
"""
OLD_LDAP = """
passdb {{
  driver = ldap
  args = {folder}/ldap.conf
}}
"""
OLD_LDAP_FILE = """
uris = {url}
dn = {bind_dn}
dnpass = {password}
base = ou=people,{base}
auth_bind = yes
pass_filter = (&(objectClass=inetOrgPerson)(|(uid=%u)(mail=%u)))
"""
NEW_LDAP = """
ldap_uris = {url}
ldap_auth_dn = {bind_dn}
ldap_auth_dn_password = {password}
ldap_base = ou=people,{base}
passdb ldap {{
  bind = yes
  filter = (&(objectClass=inetOrgPerson)(|(uid=%{{user}})(mail=%{{user}})))
}}
"""


class Asked(NamedTuple):
    """The directory that knows the passwords."""

    url: str
    bind_dn: str
    password: str
    base: str


def dovecot(folder: Path, port: int, *, name: str, mechanisms: str, asks: Asked | None = None) -> Part:
    """The server over a folder of its own; passwords stand in the folder's file `users`, or `asks` knows them."""
    folder.chmod(0o755)  # its unprivileged parts look into it
    for part in ("run", "state", "mail"):
        (folder / part).mkdir()
    words: dict[str, object] = {"folder": folder, "port": port, "mechanisms": mechanisms}
    words |= _users(folder / "mail")
    words |= asks._asdict() if asks else {}
    version = _version()
    if asks and version < (2, 4):
        (folder / "ldap.conf").write_text(OLD_LDAP_FILE.format(**words), encoding="utf-8")
    text = configuration(version, words, asks=asks)
    (folder / "dovecot.conf").write_text(text, encoding="utf-8")
    return Part(name, [program("dovecot"), "-F", "-c", folder / "dovecot.conf"])


def configuration(version: tuple[int, ...], words: Mapping[str, object], *, asks: Asked | None) -> str:
    """The text for a Dovecot of that version."""
    if version >= (2, 4):
        text = NEW + BOTH + NEW_USERS + (NEW_LDAP if asks else NEW_FILE)
    else:
        text = OLD + BOTH + OLD_USERS + (OLD_LDAP if asks else OLD_FILE)
    return text.strip().format(**words, version=".".join(map(str, version))) + "\n"


@cache
def _version() -> tuple[int, ...]:
    said = subprocess.run(
        [program("dovecot"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", said)
    assert found, f"dovecot --version said {said!r}"
    return tuple(map(int, found.groups()))


def _users(mail: Path) -> dict[str, str]:
    """Who its parts run as: Debian's users when we are root, else whoever we are."""
    me = pwd.getpwuid(os.geteuid())
    if me.pw_uid != 0:
        own = me.pw_name, grp.getgrgid(me.pw_gid).gr_name
        return {"internal": own[0], "login": own[0], "group": own[1], "user": own[0], "group_of_user": own[1]}
    shutil.chown(mail, "mail", "mail")
    return {
        "internal": "dovecot",
        "login": "dovenull",
        "group": "dovecot",
        "user": "mail",
        "group_of_user": "mail",
    }


def program(name: str) -> str:
    """Where a daemon lies; an ordinary user's path has no /usr/sbin."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")
    assert found, f"no {name} on this machine: `make test` installs it or says how"
    return found

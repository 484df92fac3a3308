"""Copies what the browser runs from node_modules into the workspace's static files.

Nothing of others is committed: the folder is ignored, and each file has to be, byte for byte, the
one that was reviewed. Fonts are the system's own: they carry Vietnamese and weigh nothing.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "workspace/static/vendor"

# where it lies in node_modules -> the SHA-256 of the reviewed file
ASSETS = {
    "htmx.org/dist/htmx.min.js": "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
    "htmx.org/dist/ext/hx-sse.min.js": "18ef2761356ec1fe0bb6d92612315b37517a7c1e9856b661c5ae81fef239d103",
    "htmx.org/dist/ext/hx-csp.min.js": "a7e1e6711ae6c3e50ad300fba7936cbe8d07599cdae313414a179ddd6b26e143",
}


def main() -> int:
    """Copy all or nothing; a file that differs from the reviewed one is named with its own digest."""
    contents = {name: (ROOT / "node_modules" / name).read_bytes() for name in ASSETS}
    for name, content in contents.items():
        digest = hashlib.sha256(content).hexdigest()
        if digest != ASSETS[name]:
            print(f"{name} is not the reviewed file: its SHA-256 is {digest}", file=sys.stderr)
            return 1
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (TARGET / Path(name).name).write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())

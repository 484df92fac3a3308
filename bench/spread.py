"""Sees to it that connections reach every server process: they share one socket, and one may take a burst alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from bench.cpu import tree
from bench.wire import Wire

TRIES = 400


def server_processes(pid: int) -> list[int]:
    """The children that answer, of uvicorn's supervisor `pid`; itself where there are none."""
    found = [child for child in tree(pid) if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
    return found or [pid]


async def spread(wires: list[Wire], pid: int) -> dict[int, int]:
    """Open the wires so that each process holds at least two thirds of an even share; how many each holds."""
    processes = server_processes(pid)
    least = max(1, len(wires) // len(processes) * 2 // 3)
    for wire in wires:
        await wire.open()
    shares: dict[int, int] = {}
    for _ in range(TRIES):
        holds = _holders(wires, processes)
        counts = Counter(holds.values())
        shares = {process: counts[process] for process in processes}
        if min(shares.values()) >= least:
            return shares
        fullest = max(shares, key=lambda process: shares[process])
        wire = next(wire for wire in wires if holds.get(wire.own_port) in {fullest, None})
        wire.close()
        await wire.open()
        await wire.ask("GET", "/health/live")
    raise RuntimeError(f"one process takes every connection: {shares}")


def _holders(wires: list[Wire], processes: list[int]) -> dict[int, int]:
    """Which process accepted each of our connections, by our own port."""
    owners = {_inode(fd): process for process in processes for fd in _open_files(process)}
    found, ours = {}, {wire.own_port for wire in wires}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        local, remote = (int(fields[place].rpartition(":")[2], 16) for place in (1, 2))
        if local == wires[0].port and remote in ours and fields[9] in owners:
            found[remote] = owners[fields[9]]
    return found


def _open_files(process: int) -> list[Path]:
    """None when the process has just ended."""
    folder = Path(f"/proc/{process}/fd")
    return list(folder.iterdir()) if folder.exists() else []


def _inode(fd: Path) -> str:
    try:
        return str(fd.readlink()).removeprefix("socket:[").removesuffix("]")
    except OSError:
        return ""

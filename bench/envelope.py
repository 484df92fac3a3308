"""Whether the time that a sealed VNeID envelope takes to fail tells if its RSA padding was good (RFC 3218).

All kinds in random order, each envelope a fresh one, through the very code that opens them. For each kind the
median, and the AUC against wrong padding: 0.5 means that nobody can guess from the time. Which kinds are held
against each other matters: `right` and `not_base64` show what anybody sees anyway; `tampered_data` and
`wrong_key_length` are good padding that fails later, and must look like `wrong_padding`, as must a second lot
of the same kind, which shows what the machine's noise makes of nothing.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import statistics
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from backend.outside.eid.eid_envelope import Envelope, NotOpened
from bench.results import record
from bench.timing import auc
from demo.eid_simulator_sealing import SPOILS, Spoil, seal

PLAIN = '{"citizenPid":"000197000101","fullName":"Nguyễn Thị An"}'.encode()
AGAINST = "wrong_padding"
KINDS = {
    "right": Spoil(),
    AGAINST: SPOILS["rsa_bit_flipped"],
    "wrong_padding_again": SPOILS["rsa_bit_flipped"],
    "wrong_block_type": SPOILS["rsa_block_type_1"],
    "wrong_key_length": SPOILS["aes_key_of_15"],
    "tampered_data": SPOILS["data_last_block_flipped"],
    "not_base64": SPOILS["key_not_base64"],
}


def opened(envelope: Envelope, sealed: dict[str, Any]) -> tuple[float, str]:
    """Microseconds, and what came of it in a word."""
    started = time.perf_counter_ns()
    try:
        plain = envelope.opened(sealed["key"], sealed["data"])
    except NotOpened as error:
        told = f"not opened {error}".strip()
    else:
        told = "opened" if plain == PLAIN else "noise"
    return (time.perf_counter_ns() - started) / 1000, told


def measure(*, calls: int, bits: int, cipher: str, seed: int) -> dict[str, Any]:
    """`calls` of each kind."""
    key, chance = rsa.generate_private_key(public_exponent=65537, key_size=bits), random.Random(seed)
    envelope = Envelope(key, cipher=cipher, raw_code=False)
    waiting = [
        (kind, seal(PLAIN, key.public_key(), cipher, spoil))
        for kind, spoil in KINDS.items()
        for _ in range(calls)
    ]
    for _, sealed in chance.sample(waiting, min(200, len(waiting))):  # the first calls of a key are slow
        opened(envelope, sealed)
    chance.shuffle(waiting)
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    words: dict[str, dict[str, int]] = {kind: {} for kind in KINDS}
    gc.disable()
    try:
        for kind, sealed in waiting:
            took, told = opened(envelope, sealed)
            times[kind].append(took)
            words[kind][told] = words[kind].get(told, 0) + 1
    finally:
        gc.enable()
    return {
        kind: {
            "median_us": round(statistics.median(times[kind]), 2),
            "auc": round(auc(times[kind], times[AGAINST]), 4),
            "answers": words[kind],
        }
        for kind in KINDS
    }


def main(words: list[str]) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench envelope", description=__doc__)
    parser.add_argument("--calls", type=int, default=5000, help="of each kind")
    parser.add_argument("--bits", type=int, default=2048, help="of our RSA key")
    parser.add_argument("--cipher", choices=["ecb", "cbc"], default="ecb")
    parser.add_argument("--seed", type=int, default=11)
    options = vars(parser.parse_args(words))
    load = [round(one, 1) for one in os.getloadavg()]
    record("envelope", **options, load=load, **measure(**options))

"""Runs bench/torch/ours.cpp and theirs.py in turns, on the same inputs from the same weights, and prints one table.

A round is some steps of one and then some of the other, the first to go alternating; ratios are medians over the rounds.
A row passes if both its ratio of wall-clock time and that of processor time reach what it must, and its memory too.
"""
import dataclasses
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np

TICKS, HOP, RATE = 1000, 64, 16000


@dataclasses.dataclass
class Row:
    name: str
    job: str
    clips: int
    threads: int
    faster: float = 0  # times, at least; 0: nothing is asked
    memory: float = 0  # times less
    steps: int = 3     # of ours and of theirs in a round
    their_steps: int = 3
    rounds: int = 9


ROWS = [
    Row("DDSP training step, 4 x 4 s, two threads", "training", 4, 2, faster=4, memory=4),
    Row("DDSP training step, 4 x 4 s, one thread", "training", 4, 1),
    Row("DDSP training step, 1 x 4 s, two threads", "training", 1, 2),
    Row("the paper's decoder, 4 x 4 s, two threads", "paper", 4, 2, faster=2.5, memory=2, steps=1, their_steps=1),
    Row("GRU of 512 units, 4 x 250 ticks, gradient", "recurrent", 4, 1, faster=1.2),
    Row("seed patch and spectrum, 4096 frames", "patch", 1, 1, faster=1000, steps=200, their_steps=1),
    Row("spectral loss, 6 scales, 4 x 4 s, gradient", "loss", 4, 1, faster=3),
    Row("60 harmonics, 4 x 4 s, gradient", "bank", 4, 1, faster=8),
]


def write_inputs(folder, clips):
    """[tick or sample][clip]: tones with vibrato and ten harmonics, each clip with a pitch of its own."""
    tick, sample = np.arange(TICKS)[:, None], np.arange(TICKS * HOP)[:, None]
    clip, random = np.arange(clips), np.random.default_rng(0)
    f0 = 220 * 1.2 ** clip * (1 + 0.02 * np.sin(2 * np.pi * 5 * tick * HOP / RATE))
    turns = np.cumsum(np.repeat(f0, HOP, 0), 0) / RATE
    inputs = {
        "f0": f0,
        "loudness": -25 + 10 * np.sin(2 * np.pi * (tick * HOP / RATE + clip / 4)),
        "sound": 0.3 * sum(np.sin(2 * np.pi * k * turns) / k for k in range(1, 11)),
        "noise": random.uniform(-1, 1, sample.shape[:1] + (clips,)),
        "features": random.uniform(-1, 1, (250, clips, 512)),
        "amplitudes": random.uniform(0, 1, (TICKS, clips, 60)),
    }
    for name, values in inputs.items():
        values.astype("<f4").tofile(folder / name)


class Side:
    """A process that does steps when told how many."""

    def __init__(self, command, row, folder):
        arguments = [row.job, folder, str(row.clips), str(row.threads)]
        # OpenMP's threads spin while they wait, by default, which makes torch two to ten times slower here; OpenBLAS has its own
        # number of threads.
        settings = os.environ | {"OMP_WAIT_POLICY": "passive", "OPENBLAS_NUM_THREADS": str(row.threads)}
        self.process = subprocess.Popen(command + arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=settings)
        if self.process.stdout.readline() != "ready\n":
            sys.exit(f"{command[-1]} {row.job} ended before its first step; its message is above")
        self.wall, self.processor, self.values, self.memory = [], [], [], 0

    def run(self, steps):
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.process.args[0]} ended in a step; its message is above")
        return [float(word) for word in line.split()]

    def measure(self, steps):
        wall, processor, value, self.memory = self.run(steps)
        self.wall.append(wall / steps)
        self.processor.append(processor / steps)
        self.values.append(value)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def measure(row, commands):
    with tempfile.TemporaryDirectory() as name:
        write_inputs(pathlib.Path(name), row.clips)
        # Ours first: it writes the weights that theirs begins with.
        ours, theirs = sides = [Side(command, row, name) for command in commands]
        first = [side.run(1)[2] for side in sides]
        for side in sides:
            side.run(1)
        for i in range(row.rounds):
            turns = [(ours, row.steps), (theirs, row.their_steps)]
            for side, steps in turns if i % 2 == 0 else turns[::-1]:
                side.measure(steps)
        for side in sides:
            side.end()
    return first, ours, theirs


def seconds(t):
    return f"{t * 1e3:.3g} ms" if t >= 1e-3 else f"{t * 1e6:.3g} us"


def mib(b):
    return f"{b / 2**20:.0f} MiB"


def ratio(theirs, ours):
    return statistics.median(t / o for t, o in zip(theirs, ours))


def cells(row, first, ours, theirs):
    wall, processor = ratio(theirs.wall, ours.wall), ratio(theirs.processor, ours.processor)
    less = theirs.memory / ours.memory
    wanted = [f"{row.faster:g}x"] * bool(row.faster) + [f"{row.memory:g}x less memory"] * bool(row.memory)
    reached = min(wall, processor) >= row.faster and less >= row.memory
    return [row.name, seconds(statistics.median(ours.wall)), seconds(statistics.median(theirs.wall)), f"{wall:.3g}x", f"{processor:.3g}x",
            ", ".join(wanted) or "-", mib(ours.memory), mib(theirs.memory), f"{less:.2g}x",
            f"{first[0]:.5g} / {first[1]:.5g}", f"{ours.values[-1]:.5g} / {theirs.values[-1]:.5g}",
            ("pass" if reached else "short") if wanted else "-"]


def blas():
    """The library that torch's products come from."""
    maps = "import torch, re; print(*sorted(set(re.findall(r'\\S*/lib\\S*(?:blas|mkl)\\S*', open('/proc/self/maps').read()))))"
    return subprocess.run([sys.executable, "-c", maps], capture_output=True, text=True, check=True).stdout.strip()


def main(commands, wanted):
    print("torch's products:", blas())
    table = [["row", "ours", "torch", "wall", "processor", "must reach", "ours", "torch", "less", "first value", "last value", "verdict"]]
    for row in ROWS:
        if wanted in row.name:
            print("==", row.name, flush=True)
            table.append(cells(row, *measure(row, commands)))
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    for row in table:
        print("  ".join([row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]))


if __name__ == "__main__":
    main([[sys.argv[1]], [sys.executable, "bench/torch/theirs.py"]], sys.argv[2] if len(sys.argv) > 2 else "")

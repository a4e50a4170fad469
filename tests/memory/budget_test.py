"""Gradients through a long sound in processes of their own: a memory budget bounds their peak and changes no bit.

    budget_test.py LONG_GRADIENT          5 s of audio
    budget_test.py LONG_GRADIENT --long   10 minutes, within 512 MiB with their inputs; 6 GB and two minutes to compare
"""
import re
import subprocess
import sys

LONG = "--long" in sys.argv
SECONDS = 600 if LONG else 5
SHORT = 0.1                  # what a process needs without a long stream
BUDGET = 512 if LONG else 8  # MiB
INPUTS = 2                   # MiB, two channels of 5 s: the caller holds them and the run copies them
SLACK = 4                    # MiB, of the allocator and of kernels that only a long stream needs


def run(program, seconds, budget):
    """The lines of gradients with their bits, and the peak memory in MiB."""
    text = subprocess.run([program, str(seconds), str(budget)], capture_output=True, text=True, check=True).stdout
    return re.findall(r"d/d .*", text), int(re.search(r"peak memory of the process (\d+) MiB", text)[1])


program = sys.argv[1]
_, base = run(program, SHORT, 0)
stored, all_stored = run(program, SECONDS, 0)
recomputed, peak = run(program, SECONDS, BUDGET)
print(f"peak {peak} MiB with a budget of {BUDGET} MiB, {all_stored} MiB without, {base} MiB for {SHORT} s")
assert len(stored) == 4 and stored == recomputed, f"the budget changed the gradients:\n{stored}\n{recomputed}"
limit = BUDGET if LONG else base + BUDGET + 2 * INPUTS + SLACK
assert peak <= limit, f"a budget of {BUDGET} MiB allows {limit} MiB"
assert all_stored > limit, "the run without a budget fits too: the test shows nothing"

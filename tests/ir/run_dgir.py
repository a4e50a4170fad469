"""Runs the `; RUN:` lines of .dgir files through dgen-opt and compares with the `; CHECK:` lines below each.

    run_dgir.py [--update] DGEN_OPT FILE...

  ; RUN: --pass clocks            options of dgen-opt; the file itself is its last argument
  ; RUN: fails --pass clocks      must exit with 1; what it says is compared
  ; RUN: --plan | region          only lines that match the regular expression are compared
  ; CHECK: a line of the output

All lines must be equal. --update writes the CHECK lines anew; read the difference before committing it.
"""
import re
import subprocess
import sys


def run(tool, path, command):
    options, _, pattern = command.partition(" | ")
    words = options.split()
    fails = words[:1] == ["fails"]
    done = subprocess.run([tool, *words[fails:], path], capture_output=True, text=True, timeout=60)
    if done.returncode != (1 if fails else 0):
        return None, [f"exit code {done.returncode}", *done.stderr.splitlines()]
    lines = (done.stderr if fails else done.stdout).splitlines()
    return [line.rstrip() for line in lines if not pattern or re.search(pattern.strip(), line)], []


def check_line(line):
    return f"; CHECK: {line}".rstrip()


def process(tool, path):
    """The file as it should read, and what went wrong."""
    with open(path) as file:
        lines = file.read().splitlines()
    result, errors = [], []
    i = 0
    while i < len(lines):
        result.append(lines[i])
        match = re.match(r"; RUN: (.*)", lines[i])
        i += 1
        if not match:
            continue
        old = []
        while i < len(lines) and lines[i].startswith("; CHECK:"):
            old.append(lines[i].rstrip())
            i += 1
        output, failure = run(tool, path, match[1])
        new = old if output is None else [check_line(line) for line in output]
        result += new
        where = f"{path}: {match[1]}"
        if failure:
            errors.append("\n".join([where, *failure]))
        elif new != old:
            first = next((k for k, (a, b) in enumerate(zip(old + [""], new + [""])) if a != b), min(len(old), len(new)))
            wanted = old[first] if first < len(old) else "nothing more"
            found = new[first] if first < len(new) else "nothing more"
            errors.append(f"{where}\n  expected {wanted}\n  found    {found}")
    return "\n".join(result) + "\n", errors


def main(arguments):
    update = "--update" in arguments
    tool, *paths = [a for a in arguments if a != "--update"]
    bad = 0
    for path in paths:
        text, errors = process(tool, path)
        if update:
            with open(path, "w") as file:
                file.write(text)
            errors = [e for e in errors if "exit code" in e]
        bad += bool(errors)
        print("\n".join(errors) if errors else f"{path}: ok")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

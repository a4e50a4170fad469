"""The code in the documents: every C++ block compiles and runs, and prints what the page shows.

    blocks.py extract FOLDER FILE.md...            writes the pages' programs, PAGE.cpp, and prints their names
    blocks.py check BUILD FILE.md...               runs BUILD/tests/doc_PAGE and compares
    blocks.py --update check BUILD FILE.md...      writes what they print into the page; read it before committing

- A ```cpp block with a main of its own is a program, its file name patch.cpp. The other blocks of a page are one
  program from top to bottom, as the body of main unless one of them opens it.
- A block that begins with "// FILE", a file of the repository, is a quotation and must stand there word for word.
- A ```sh block that mentions ./patch is run by bash, ./patch being the last program above it.
- A ```text block right below a program's block or such a command is what it prints; "..." stands for anything, on a
  line of its own for any lines.
- Links to other files must lead somewhere.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER = "#include <dgen/dgen.h>\n\n#include <cmath>\n#include <cstdio>\n#include <numbers>\n\nusing namespace dgen;\n\n"
MARK = "\x1e"


class Block:
    def __init__(self, kind, text, line):
        self.kind, self.text, self.line = kind, text, line
        self.shown = None    # the ```text block below
        self.program = None  # which runs it
        self.part = 0        # its number in that program

    def whole(self):
        return "int main(" in self.text and self.text.count("{") == self.text.count("}")

    def quoted_file(self):
        match = re.match(r"// (\S+/\S+)\n", self.text)
        return ROOT / match[1] if match and (ROOT / match[1]).is_file() else None


class Program:
    def __init__(self, name):
        self.name, self.blocks = name, []

    def add(self, block):
        block.program, block.part = self, len(self.blocks)
        self.blocks.append(block)

    def source(self, page):
        if self.blocks[0].whole():
            return f'#line 1 "patch.cpp"\n{self.blocks[0].text}'
        mark = f'  std::puts("\\{ord(MARK):o}");\n'
        text = mark.join(f'#line {block.line} "{page.name}"\n{block.text}' for block in self.blocks)
        if "int main(" in text:
            return text
        includes = "".join(line + "\n" for line in text.splitlines() if line.startswith("#include"))
        body = "".join(line + "\n" for line in text.splitlines() if not line.startswith("#include"))
        return f"{includes}{HEADER}int main() {{\n{body}}}\n"


def parse(page):
    """The page's lines, its blocks and its programs."""
    lines = page.read_text().splitlines()
    blocks, i = [], 0
    while i < len(lines):
        match = re.match(r"```(\w*)$", lines[i])
        i += 1
        if not match:
            continue
        start = i
        while lines[i] != "```":
            i += 1
        blocks.append(Block(match[1], "".join(line + "\n" for line in lines[start:i]), start + 1))
        i += 1
    for above, below in zip(blocks, blocks[1:]):
        if below.kind == "text":
            above.shown = below
    return lines, blocks, programs_of(blocks, str(page.resolve().relative_to(ROOT).with_suffix("")).replace("/", "_"))


def programs_of(blocks, name):
    programs, whole_page, last = [], None, None
    for block in blocks:
        if block.kind == "sh":
            block.program = last
        if block.kind != "cpp" or block.quoted_file():
            continue
        if block.whole() or whole_page is None:
            last = Program(name + (f"_{len(programs) + 1}" if programs else ""))
            programs.append(last)
            whole_page = whole_page if block.whole() else last
            last.add(block)
        else:
            last = whole_page
            last.add(block)
    return programs


def extract(folder, pages):
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for page in pages:
        for program in parse(page)[2]:
            path, text = folder / f"{program.name}.cpp", program.source(page)
            if not path.exists() or path.read_text() != text:
                path.write_text(text)
            names.append(program.name)
    print(";".join(names), end="")


# ---- running ----


def environment(build):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("DGEN_") or k == "DGEN_CACHE_DIR"}
    return clean | {"PATH": f"{build}:{clean['PATH']}", "LC_ALL": "C"}


def run(command, build):
    with tempfile.TemporaryDirectory() as folder:
        program, words = command
        os.symlink(program, pathlib.Path(folder) / "patch")
        done = subprocess.run(words, cwd=folder, env=environment(build), timeout=300, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def near(number):
    """A pattern of a decimal number as shown, one more or one less in its last place: machines' vectors differ in length."""
    mantissa, exponent = re.fullmatch(r"([^e]+)(e.*)?", number).groups()
    places = len(mantissa.partition(".")[2])
    beside = [f"{float(mantissa) + step * 10 ** -places:.{places}f}{exponent or ''}" for step in (-1, 1)]
    return "(?:" + "|".join(re.escape(text) for text in [number] + beside) + ")"


def line_pattern(line):
    parts = re.split(r"(-?\d+\.\d+(?:e[-+]\d+)?)", line)
    return "".join(near(part) if i % 2 else re.escape(part).replace(r"\.\.\.", ".*") for i, part in enumerate(parts)) + "\n"


def matches(shown, printed):
    """printed, trailing spaces and last places aside, is what a page shows."""
    pattern = ""
    for line in shown.splitlines():
        line = line.rstrip()
        pattern += r"(?:.*\n)*?" if line == "..." else line_pattern(line)
    return re.fullmatch(pattern, "".join(line.rstrip() + "\n" for line in printed.strip("\n").splitlines())) is not None


class Check:
    def __init__(self, build, page):
        self.build, self.page, self.errors, self.news = build, page, [], {}
        self.lines, self.blocks, self.programs = parse(page)

    def fail(self, block, what):
        self.errors.append(f"{self.page.name}:{block.line}: {what}")

    def compare(self, block, printed):
        if block.shown and not matches(block.shown.text, printed):
            self.fail(block, f"the page shows\n{block.shown.text}but it prints\n{printed}")
            self.news[block.shown.line] = [line.rstrip() for line in printed.strip("\n").splitlines()]

    def program(self, program):
        path = self.build / "tests" / f"doc_{program.name}"
        code, printed = run((path, [path]), self.build)
        if code != 0:
            return self.fail(program.blocks[-1], f"the program ends with {code}\n{printed}")
        for part, text in enumerate(printed.split(MARK + "\n")):
            self.compare(program.blocks[part], text)

    def command(self, block):
        if "./patch" not in block.text:
            return
        path = self.build / "tests" / f"doc_{block.program.name}"
        self.compare(block, run((path, ["bash", "-c", block.text]), self.build)[1])

    def quotation(self, block):
        source = block.quoted_file()
        if block.kind == "cpp" and source and block.text.split("\n", 1)[1] not in source.read_text():
            self.fail(block, f"this does not stand in {source.relative_to(ROOT)}")

    def links(self):
        inside = {i for block in self.blocks for i in range(block.line, block.line + block.text.count("\n"))}
        for number, line in enumerate(self.lines, 1):
            for to in re.findall(r"\]\(([^)#:]+)\)", line) if number not in inside else []:
                if not (self.page.parent / to).exists():
                    self.errors.append(f"{self.page.name}:{number}: no file {to}")

    def all(self):
        for program in self.programs:
            self.program(program)
        for block in self.blocks:
            self.quotation(block)
            if block.kind == "sh":
                self.command(block)
        self.links()
        return self.errors

    def update(self):
        for line, news in sorted(self.news.items(), reverse=True):
            end = self.lines.index("```", line - 1)
            self.lines[line - 1:end] = news
        self.page.write_text("\n".join(self.lines) + "\n")


def main(arguments):
    update = "--update" in arguments
    command, *paths = [a for a in arguments if a != "--update"]
    folder, *pages = [pathlib.Path(p).resolve() for p in paths]
    if command == "extract":
        return extract(folder, pages)
    bad = False
    for page in pages:
        check = Check(folder, page)
        errors = check.all()
        if update:
            check.update()
        print("\n".join(errors) if errors else f"{page.name}: {len(check.programs)} programs")
        bad = bad or bool(errors)
    return bad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What DGEN_DEBUG, DGEN_DUMP and DGEN_TRACE show of a program that dgen-opt runs.

    debug_test.py DGEN_OPT FILE.dgir
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

tool = patch = None


def run(*options, expect=0, **environment):
    """dgen-opt's (stdout, stderr)."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DGEN_") or name == "DGEN_CACHE_DIR"}
    done = subprocess.run([tool, *options], env=clean | environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == expect, done.stderr
    return done.stdout, done.stderr


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)


class Debug(Case):
    def test_prints_nothing_unless_asked(self):
        self.assertEqual(run("--backend", "cpu", "--run", "64", patch)[1], "")

    def test_levels(self):
        shown = [run("--backend", "cpu", "--run", "64", patch, DGEN_DEBUG=str(level))[1] for level in range(1, 7)]
        marks = ["program of", "ms in kernels", "region 0", "DG_FN", "== clocks: ", "[gradients] transpose:"]
        for level, text in enumerate(shown, 1):
            for mark_level, mark in enumerate(marks, 1):
                self.assertEqual(mark in text, mark_level <= level, f"{mark!r} at level {level}")


class Dump(Case):
    def dump(self, *options):
        """The one sub-folder that a run writes."""
        run(*options, patch, DGEN_DUMP=str(self.folder / "dump"))
        (program,) = (self.folder / "dump").iterdir()
        self.assertRegex(program.name, r"^001_[0-9a-f]{16}$")
        return program

    def test_every_stage_reads_back(self):
        program = self.dump("--backend", "cpu", "--run", "64")
        stages = sorted(program.glob("*.dgir"))
        self.assertEqual([s.name for s in stages], ["00_captured.dgir", "01_clocks.dgir", "02_gradients.dgir", "03_recompute.dgir", "04_recurrences.dgir"])
        for stage in stages:
            self.assertEqual(run(str(stage))[0], stage.read_text())

    def test_kernels_and_plan(self):
        program = self.dump("--backend", "cpu", "--run", "64")
        self.assertIn("region 0", (program / "plan.txt").read_text())
        self.assertIn("recompute", (program / "rewrites.txt").read_text())
        self.assertIn("void k0(", (program / "k0.c").read_text())
        self.assertIn("kernel k0", (program / "k0.txt").read_text())
        self.assertIn((program / "k0.c").read_text(), (program / "program.c").read_text())

    def test_without_optimisation_ticks_run_in_order(self):
        example = pathlib.Path(tool).parent / "examples" / "train_filter"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DGEN_") or name == "DGEN_CACHE_DIR"}
        for opt, strategies in (("1", {"Scan"}), ("0", {"Serial"})):
            folder = self.folder / opt
            subprocess.run([example], env=clean | {"DGEN_OPT": opt, "DGEN_DUMP": str(folder)}, check=True, capture_output=True, timeout=60)
            plans = "".join(plan.read_text() for plan in folder.glob("*/plan.txt"))
            self.assertEqual({s for s in ("Scan", "Serial") if f"  {s}: " in plans}, strategies)
            kernels = "".join(kernel.read_text() for kernel in folder.glob("*/k*.c"))
            self.assertEqual("dg_vf" in kernels, opt == "1")

    def test_interpreter_has_stages_only(self):
        program = self.dump("--backend", "interpreter", "--run", "64")
        files = sorted(f.name for f in program.iterdir())
        self.assertEqual(files, ["00_captured.dgir", "01_clocks.dgir", "02_gradients.dgir", "index.html", "rewrites.txt"])

    def test_page_stands_alone(self):
        program = self.dump("--backend", "cpu", "--run", "64")
        page = xml.fromstring((program / "index.html").read_text().replace("<!DOCTYPE html>", ""))
        self.assertEqual([h.get("id") for h in page.iter("h2")], ["graph", "passes", "regions", "kernels", "buffers"])
        anchors = {e.get("id") for e in page.iter() if e.get("id")}
        for link in page.iter("a"):
            to = link.get("href")
            self.assertTrue(to[1:] in anchors if to.startswith("#") else (program / to).is_file(), to)
        self.assertFalse([e.tag for e in page.iter() if e.tag in ("script", "link", "img", "iframe") or e.get("src")])
        self.assertNotRegex((program / "index.html").read_text(), r"https?:|@import|url\(")
        self.assertTrue(any(e.get("class") == "feedback" for e in page.iter("path")))

    def test_names_repeat_themselves(self):
        self.assertEqual(self.dump("--run", "64").name, self.dump("--run", "64").name)

    def test_folder_that_cannot_be_made(self):
        (self.folder / "file").touch()
        text = run("--run", "64", patch, expect=1, DGEN_DUMP=str(self.folder / "file"))[1]
        self.assertRegex(text, r"^dgen-opt: \[dump\] cannot make the folder \S+: Not a directory; DGEN_DUMP names a folder "
                               "that can be written$")


class Trace(Case):
    def spans(self, *options):
        """Every span as the names of those around it and its own, which must nest on each thread."""
        path = self.folder / "trace.json"
        run(*options, "--run", "64", patch, DGEN_TRACE=str(path))
        stacks, found = {}, []
        for event in json.loads(path.read_text()):
            stack = stacks.setdefault(event["tid"], [])
            if event["ph"] == "B":
                stack.append((event["name"], event["ts"]))
                found.append("/".join(name for name, _ in stack))
            else:
                self.assertLessEqual(stack.pop()[1], event["ts"])
        self.assertFalse(any(stacks.values()))
        return found

    def test_compile_and_run(self):
        spans = self.spans("--backend", "cpu")
        # Passes that nothing in the graph concerns do not run.
        stages = ["clocks", "gradients", "recompute", "banks", "recurrences", "products", "plan", "lower", "render", "cc"]
        self.assertEqual([s for s in spans if s.startswith("compile/")], ["compile/" + s for s in stages])
        for span in ["run/tile/k1", "run/reverse tile/k5", "run/static/k6"]:
            self.assertIn(span, spans)

    def test_interpreter(self):
        spans = self.spans("--backend", "interpreter")
        self.assertEqual(spans[:4], ["compile", "compile/clocks", "compile/gradients", "run"])

    def test_every_thread_shows_its_part(self):
        wide = self.folder / "wide.dgir"
        wide.write_text("%0 = input {channel=0,shape=[8192],period=1}\n%1 = sin %0\noutput %1\n")
        run("--backend", "cpu", "--run", "64", str(wide), DGEN_TRACE=str(self.folder / "wide.json"))
        events = json.loads((self.folder / "wide.json").read_text())
        threads = {e["tid"] for e in events if e["name"] == "k0"}
        self.assertEqual(len(threads) > 1, len(os.sched_getaffinity(0)) > 1)

    def test_file_that_cannot_be_made(self):
        text = run("--run", "64", patch, expect=1, DGEN_TRACE=str(self.folder / "none" / "trace.json"))[1]
        self.assertRegex(text, r"^dgen-opt: cannot write the trace \S+: No such file or directory; DGEN_TRACE names a file "
                               "that can be written$")


if __name__ == "__main__":
    tool, patch = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1], verbosity=0)

"""Prints "PASSED FAILED" from a folder of GoogleTest reports and ctest's own report of the same run.

A ctest entry that wrote no report (another kind of test, or a program that crashed) counts as one.
"""
import pathlib
import sys
import xml.etree.ElementTree as xml


def count(folder):
    passed = failed = 0
    reported = set()
    for path in folder.glob("*.xml"):
        suites = xml.parse(path).getroot()
        reported.add(path.stem.removeprefix("test_"))
        for case in suites.iter("testcase"):
            if case.get("status") != "run" or case.get("result") == "skipped":
                continue
            if case.find("failure") is not None:
                failed += 1
            else:
                passed += 1
    for entry in xml.parse(folder / "ctest.junit").getroot().iter("testcase"):
        if entry.get("name") in reported:
            continue
        if entry.get("status") == "fail":
            failed += 1
        elif entry.get("status") == "run":
            passed += 1
    return passed, failed


if __name__ == "__main__":
    print(*count(pathlib.Path(sys.argv[1])))

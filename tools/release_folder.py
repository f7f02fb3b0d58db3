"""Turns practice.toml and template.yaml into those of a build that is downloaded. Started by tools/release."""

import pathlib
import re
import sys

# Who and where a practice is that was not told yet. Name, phone and time zone come from the deployment.
CONTACT = '''[practice]
name = "The practice"
trade = "massage therapist"
address = "Address on request"
phone = "01632 960123"
reference_prefix = "ED"
time_zone = "Europe/London"

'''


def once(pattern, replacement, text, what):
    changed, times = re.subn(pattern, lambda _: replacement, text, flags=re.S | re.M)
    if times != 1:
        sys.exit(f"{what}: expected it once, found it {times} times")
    return changed


def practice(text):
    text = once(r"^\[practice\]\n.*?(?=^# ── When you work)", CONTACT, text, "practice.toml: the section [practice]")
    return once(r"^#:schema [^\n]*\n", "", text, "practice.toml: the line with the schema")


def template(text, processor):
    metadata = r"^      BuildMethod: rust-cargolambda\n      BuildProperties:\n        Binary: enquiry-desk\n"
    text = once(metadata, "", text, "template.yaml: how the function is built")
    text = once(r"^      CodeUri: \.$", "      CodeUri: function.zip", text, "template.yaml: CodeUri")
    text = once(r"^        - !Ref Architecture$", f"        - {processor}", text, "template.yaml: Architectures")
    text = once(r"^  Architecture:\n    Type: String\n.*?(?=^  [A-Z])", "", text, "template.yaml: the parameter Architecture")
    text = once(r"^      Architecture: [^\n]*\n", "", text, "template.yaml: the label of Architecture")
    text = once(r", Architecture(?=[,\]])", "", text, "template.yaml: the group of Architecture")
    for name in ("PracticeName", "PracticePhone"):
        text = once(rf'^  {name}:\n    Type: String\n    Default: ""\n', f"  {name}:\n    Type: String\n    MinLength: 1\n", text, name)
    for line in (" Leave empty when you build from source with a practice.toml of your own.", " Leave empty when you gave no name for the practice."):
        text = once(re.escape(line), "", text, "template.yaml: what a build from source leaves empty")
    return text


def main():
    what, source, target, *rest = sys.argv[1:]
    text = pathlib.Path(source).read_text(encoding="utf-8")
    text = practice(text) if what == "practice" else template(text, *rest)
    target = pathlib.Path(target)
    # A file that is as it was keeps its time, by which Cargo knows that nothing is to be compiled.
    if not target.exists() or target.read_text(encoding="utf-8") != text:
        target.write_text(text, encoding="utf-8")


main()

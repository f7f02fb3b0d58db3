"""Checks a bill of materials and writes it: sbom_check.py DOCUMENT TREE LOCK OUT.

DOCUMENT must keep to CycloneDX's schema, name every crate of TREE (`cargo tree`), and give each its package URL, its licence
and the checksum that the lock file holds it to. What it names beyond TREE is left out: features that a build script alone
switches on.
"""

import json
import re
import sys
import tomllib
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def main(document: str, tree: str, lock: str, out: str) -> int:
    text = Path(document).read_text(encoding="utf-8")
    # The path of the copy that the document was made from means nothing elsewhere.
    text = re.sub(r'path\+file://[^"#]*#|\?download_url=file://[^"]*', "", text)
    bill = json.loads(text)
    errors = []

    ours = bill["metadata"]["component"]
    built = set()
    for line in Path(tree).read_text(encoding="utf-8").splitlines():
        name, version = line.split()[:2]
        built.add((name, version.removeprefix("v")))
    built.discard((ours["name"], ours["version"]))
    foreign = {part["bom-ref"] for part in bill["components"] if (part["name"], part["version"]) not in built}
    bill["components"] = [part for part in bill["components"] if part["bom-ref"] not in foreign]
    bill["dependencies"] = [entry for entry in bill["dependencies"] if entry["ref"] not in foreign]
    for entry in bill["dependencies"]:
        if "dependsOn" in entry:
            entry["dependsOn"] = [reference for reference in entry["dependsOn"] if reference not in foreign]

    text = json.dumps(bill, indent=2, ensure_ascii=False) + "\n"
    invalid = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
    if invalid is not None:
        errors.append(f"the document is not CycloneDX 1.5: {invalid}")
    listed = [(part["name"], part["version"]) for part in bill["components"]]
    errors += [f"listed twice: {part}" for part in set(listed) if listed.count(part) > 1]
    errors += [f"in the binary and not listed: {name} {version}" for name, version in sorted(built - set(listed))]

    locked = {
        (package["name"], package["version"]): package.get("checksum")
        for package in tomllib.loads(Path(lock).read_text(encoding="utf-8"))["package"]
    }
    for part in bill["components"]:
        name, version = part["name"], part["version"]
        if part.get("purl") != f"pkg:cargo/{name}@{version}".replace("+", "%2B"):
            errors.append(f"{name} {version}: package URL {part.get('purl')}")
        if not all("expression" in licence for licence in part.get("licenses", [])) or not part.get("licenses"):
            errors.append(f"{name} {version}: no licence that a machine can read")
        checksums = [entry["content"] for entry in part.get("hashes", []) if entry["alg"] == "SHA-256"]
        # The repository's own crates have none.
        expected = locked.get((name, version))
        if checksums != ([expected] if expected else []):
            errors.append(f"{name} {version}: another checksum than in the lock file")

    known = {part["bom-ref"] for part in bill["components"]} | {ours["bom-ref"]}
    for entry in bill["dependencies"]:
        for reference in [entry["ref"], *entry.get("dependsOn", [])]:
            if reference not in known:
                errors.append(f"depends on what is not listed: {reference}")

    for error in errors:
        print(f"error: {error}", file=sys.stderr)
    if errors:
        return 1
    Path(out).write_text(text, encoding="utf-8")
    print(f"{len(listed)} components of {ours['name']} {ours['version']}: {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

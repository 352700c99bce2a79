#!/usr/bin/env python3
"""Checks the dependencies in Cargo.lock against deny.toml: licences, bans and sources.

Needs Python 3.11 and what `cargo fetch` has brought; nothing is built and nothing is asked of the network. Prints
every finding and ends with 1 if there is one.
"""

import json
import pathlib
import re
import subprocess
import sys
import tomllib
from collections import defaultdict

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Licence:
    """An SPDX licence expression (SPDX 2.3, annex D), judged against a set of accepted licences."""

    def __init__(self, expression, accepted):
        # Before SPDX, "/" stood for OR.
        self.tokens = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))
        self.accepted = accepted

    def holds(self):
        held = self.alternatives()
        if self.tokens:
            raise ValueError(f"unexpected {self.tokens[0]!r}")
        return held

    def alternatives(self):
        held = self.conjunction()
        while self.skip("OR"):
            held = self.conjunction() or held
        return held

    def conjunction(self):
        held = self.single()
        while self.skip("AND"):
            held = self.single() and held
        return held

    def single(self):
        if not self.tokens:
            raise ValueError("the expression ends early")
        token = self.tokens.pop(0)
        if token == "(":
            held = self.alternatives()
            if not self.skip(")"):
                raise ValueError("a parenthesis is not closed")
            return held
        if token in (")", "OR", "AND", "WITH"):
            raise ValueError(f"unexpected {token!r}")
        if self.skip("WITH"):
            if not self.tokens:
                raise ValueError("WITH without an exception")
            token = f"{token} WITH {self.tokens.pop(0)}"
        return token in self.accepted

    def skip(self, token):
        if self.tokens[:1] == [token]:
            self.tokens.pop(0)
            return True
        return False


def licences(packages, policy):
    accepted = set(policy["allow"])
    for package in packages:
        expression = package["license"]
        if not expression:
            yield f"{label(package)} names no licence"
            continue
        try:
            if not Licence(expression, accepted).holds():
                yield f"{label(package)}: licence {expression!r} is not accepted"
        except ValueError as error:
            yield f"{label(package)}: licence {expression!r} cannot be read: {error}"


def bans(packages, policy):
    reasons = {ban["crate"]: ban["reason"] for ban in policy["deny"]}
    for package in packages:
        if package["name"] in reasons:
            yield f"{label(package)} is banned: {reasons[package['name']]}"
        if policy["wildcards"] == "deny":
            for dependency in package["dependencies"]:
                if dependency["req"] == "*" and not dependency.get("path") and package["source"] is None:
                    yield f"{label(package)} takes any version of {dependency['name']}"


def sources(packages, root):
    """Cargo writes null for the registry of a dependency that comes from the default one."""
    origins = set()
    for package in packages:
        source = package["source"]
        if source is None:
            if package["id"] != root:
                yield f"{label(package)} comes from a folder"
        elif not source.startswith("registry+"):
            yield f"{label(package)} comes from {source}"
        else:
            origins.add(source)
        for dependency in package["dependencies"]:
            if dependency["registry"] is not None:
                yield f"{label(package)} takes {dependency['name']} from another registry"
    if len(origins) > 1:
        yield f"packages come from {len(origins)} registries"


def repeated(packages):
    versions = defaultdict(list)
    for package in packages:
        versions[package["name"]].append(package["version"])
    return {name: found for name, found in versions.items() if len(found) > 1}


def unlocked(lock):
    """Everything but this crate itself is locked with a checksum."""
    for package in lock["package"]:
        if "source" in package and "checksum" not in package:
            yield f"{package['name']} {package['version']} has no checksum in Cargo.lock"


def label(package):
    return f"{package['name']} {package['version']}"


def self_check():
    """A check that cannot fail proves nothing."""
    accepted = {"MIT", "ISC", "Apache-2.0 WITH LLVM-exception"}
    for expression, expected in [
        ("MIT", True),
        ("GPL-3.0", False),
        ("GPL-3.0 OR MIT", True),
        ("GPL-3.0/MIT", True),
        ("GPL-3.0 AND MIT", False),
        ("MIT AND (GPL-3.0 OR ISC)", True),
        ("(MIT OR ISC) AND GPL-3.0", False),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("Apache-2.0", False),
    ]:
        assert Licence(expression, accepted).holds() is expected, expression
    example = {"name": "x", "version": "1.0.0", "id": "x", "license": None, "dependencies": []}
    assert list(licences([example], {"allow": ["MIT"]}))
    assert list(bans([example], {"deny": [{"crate": "x", "reason": "test"}], "wildcards": "deny"}))
    for source in [None, "git+https://example.org/x"]:
        assert list(sources([example | {"source": source}], root="y")), source
    dependency = {"name": "y", "req": "*", "registry": "https://example.org/index"}
    assert list(sources([example | {"source": "registry+a", "dependencies": [dependency]}], root="y"))
    assert list(unlocked({"package": [{"name": "x", "version": "1.0.0", "source": "registry+a"}]}))


def main():
    self_check()
    policy = tomllib.loads((ROOT / "deny.toml").read_text())
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--offline", "--all-features"]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    packages = metadata["packages"]
    findings = [
        *licences(packages, policy["licenses"]),
        *bans(packages, policy["bans"]),
        *sources(packages, metadata["resolve"]["root"]),
        *unlocked(tomllib.loads((ROOT / "Cargo.lock").read_text())),
    ]
    for name, versions in sorted(repeated(packages).items()):
        print(f"warning: {name} in {len(versions)} versions: {', '.join(versions)}")
    for finding in findings:
        print(f"error: {finding}")
    print(f"{len(packages)} packages, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

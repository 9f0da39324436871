"""Which crates are in the binary, and which only helped to build it.

Cargo is asked twice. `cargo metadata` knows what a crate is, but says of every feature
that it is on if anything in the workspace turns it on, tests too. `cargo tree` goes
by what is built, and so its answer is the list.
"""

import json
import re
from pathlib import Path

from binary import said

# Libraries in C that crates bring along: name, where their version stands, and their
# licence if it is not the crate's.
WITHIN = {
    "aws-lc-sys": (
        "aws-lc", "aws-lc/include/openssl/base.h", r'AWSLC_VERSION_NUMBER_STRING "(.+)"', None,
    ),
    "libsqlite3-sys": ("sqlite", "sqlite3/sqlite3.h", r'SQLITE_VERSION +"(.+)"', "blessing"),
}


class Crates:
    """Crates by name and version, and who uses whom."""

    def __init__(self, root, toolchain):
        self._root, self._toolchain = root, toolchain
        facts = json.loads(
            said("cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform",
                 toolchain.target, cwd=root)
        )
        self._facts = {(it["name"], it["version"]): it for it in facts["packages"]}
        self.target_folder = Path(facts["target_directory"])
        self._checksums = dict(self._locked())
        self.uses = self._tree("normal,no-proc-macro")
        self.linked = sorted(self.uses)
        everything = self._tree("normal,build")
        self.built_with = sorted(set(everything) - set(self.linked))
        (self.root_key,) = [it for it in self.linked if it[0] == "entente"]
        self.root = self._facts[self.root_key]

    def _tree(self, edges):
        tree = said(
            *self._toolchain.cargo("tree"), "--target", self._toolchain.target, "--edges", edges,
            "--prefix", "depth", "--format", "|{p}", cwd=self._root,
        )
        uses, above = {}, []
        for line in tree.splitlines():
            found = re.match(r"(\d+)\|(\S+) v(\S+)", line)
            if not found:
                continue
            depth, crate = int(found[1]), (found[2], found[3])
            uses.setdefault(crate, set())
            del above[depth:]
            if above:
                uses[above[-1]].add(crate)
            above.append(crate)
        return uses

    def _locked(self):
        lock = (self._root / "Cargo.lock").read_text()
        for package in lock.split("[[package]]")[1:]:
            fields = dict(re.findall(r'^(\w+) = "(.*)"$', package, re.MULTILINE))
            yield (fields["name"], fields["version"]), fields.get("checksum")

    def checksum(self, crate):
        """SHA-256 of its package; nothing of a crate of this workspace."""
        return self._checksums.get(crate)

    def licence(self, crate):
        """As an SPDX expression; nothing if it says none."""
        said_so = self._facts[crate]["license"]
        return said_so.replace("/", " OR ") if said_so else None

    def description(self, crate):
        return " ".join((self._facts[crate]["description"] or "").split())

    def is_ours(self, crate):
        return self._facts[crate]["source"] is None

    def folder(self, crate):
        return Path(self._facts[crate]["manifest_path"]).parent

    def libraries_within(self):
        """Crate, name, version, licence of libraries that are no crates."""
        for crate in self.linked:
            if crate[0] in WITHIN:
                name, header, version, licence = WITHIN[crate[0]]
                text = (self.folder(crate) / header).read_text(errors="replace")
                found = re.search(version, text)
                yield crate, name, found[1] if found else None, licence or self.licence(crate)

"""The binary: how it is built, and what was linked into it besides crates."""

import os
import re
import shutil
import struct
import subprocess
from pathlib import Path


class Problem(Exception):
    """What is wrong, and what to do about it."""


def said(*command, **options):
    """What a program prints."""
    return subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, **options
    ).stdout.strip()


def ask(*command):
    """What a program prints; nothing if there is no such program, or it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


class Toolchain:
    """Rust and the C library that are linked against."""

    def __init__(self, root, target, features, at):
        self.root, self.features, self._at = root, features, at
        facts = dict(
            line.split(": ", 1)
            for line in said("rustc", "-vV", cwd=root).splitlines()
            if ": " in line
        )
        self.release, self._commit = facts["release"], facts["commit-hash"]
        self._sysroot = said("rustc", "--print", "sysroot", cwd=root)
        self.target = target or self._best(facts["host"])

    def _best(self, host):
        """musl is made to be linked statically, under MIT; it takes both a standard
        library and a C compiler for it."""
        musl = host.replace("-gnu", "-musl")
        library = Path(self._sysroot, "lib", "rustlib", musl, "lib")
        compiler = f"{musl.split('-')[0]}-linux-musl-gcc"
        there = library.is_dir() and (shutil.which(compiler) or shutil.which("musl-gcc"))
        return musl if there else host

    def cargo(self, *what):
        """A command about the product, its features and its target."""
        features = ["--features", self.features] if self.features else []
        return ["cargo", *what, "--locked", "--package", "entente", *features]

    def build(self, profile, target_folder):
        """The binary, static. Neither the folder that it is built in nor the user who
        builds it is in it."""
        home = os.environ.get("CARGO_HOME") or Path.home() / ".cargo"
        sources = f"{self._sysroot}/lib/rustlib/src/rust"
        # Of several that fit, the last one counts.
        named = [
            (str(self.root), "/entente"),
            (str(target_folder), "/entente/target"),
            (str(Path(home).resolve()), "/cargo"),
            (sources, f"/rustc/{self._commit}"),
        ]
        flags = ["-Ctarget-feature=+crt-static"]
        flags += [f"--remap-path-prefix={place}={name}" for place, name in named]
        of_c = " ".join(f"-ffile-prefix-map={place}={name}" for place, name in named)
        name = "CFLAGS_" + self.target.replace("-", "_")
        environment = {
            **os.environ,
            "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags),
            "CARGO_INCREMENTAL": "0",
            name: f"{os.environ.get(name, '')} {of_c}".strip(),
            "SOURCE_DATE_EPOCH": str(self._at),
        }
        build = self.cargo("rustc", "--bin", "entente", "--profile", profile)
        build += ["--target", self.target, "--target-dir", str(target_folder)]
        # Said to the linker: a profile's `strip` does not reach packages that the
        # workspace's profile names one by one.
        build += ["--", "-Cstrip=symbols"]
        subprocess.run(build, cwd=self.root, env=environment, stdout=2, check=True)
        folder = {"dev": "debug", "test": "debug", "bench": "release"}.get(profile, profile)
        return target_folder / self.target / folder / "entente"


class Binary:
    """What the image runs."""

    def __init__(self, path, toolchain):
        self.path, self._toolchain = path, toolchain
        self.contents = path.read_bytes()
        self.shared_objects = []

    @property
    def is_static(self):
        """Whether no interpreter loads it (System V ABI, program headers)."""
        if self.contents[:6] != b"\x7fELF\x02\x01":
            raise Problem(f"{self.path} is no 64-bit little-endian program of Linux")
        (offset,) = struct.unpack_from("<Q", self.contents, 32)
        size, count = struct.unpack_from("<HH", self.contents, 54)
        interpreter = 3
        kinds = (
            struct.unpack_from("<I", self.contents, offset + number * size)[0]
            for number in range(count)
        )
        return interpreter not in kinds

    def check(self):
        if not (self.is_static or self.shared_objects):
            raise Problem(
                f"{self.path} is not static, and there is nothing else in the image: build it "
                "without --binary, or add --with-shared-objects"
            )

    def take_shared_objects(self):
        """What it loads on this machine, for the same places in the image."""
        if self.is_static:
            return
        for line in said("ldd", str(self.path)).splitlines():
            found = re.search(r"(/\S+) \(0x", line)
            if found:
                path = Path(found[1])
                self.shared_objects.append((str(path)[1:], path.read_bytes()))

    @property
    def is_musl(self):
        return self._toolchain.target.endswith("-musl")

    @property
    def licences(self):
        """Of what stands in the image beside Rust, and is not as free."""
        return [] if self.is_musl else ["LGPL-2.1-or-later"]

    @property
    def libraries(self):
        """Name, version, licence, package: what no crate is."""
        rust = ("rust-std", self._toolchain.release, "MIT OR Apache-2.0", None)
        if self.is_musl:
            return [rust, ("musl", None, "MIT", None)]
        version = ask("getconf", "GNU_LIBC_VERSION").rpartition(" ")[2]
        glibc = ("glibc", version, "LGPL-2.1-or-later", debian("libc6-dev"))
        version = ask("cc", "-dumpfullversion")
        runtime = "GPL-3.0-or-later WITH GCC-exception-3.1"
        libgcc = ("libgcc", version, runtime, debian(f"libgcc-{version.split('.')[0]}-dev"))
        return [rust, glibc, libgcc]


def debian(package):
    """A package as purl, where there is one."""
    form = "${Version} ${Architecture}"
    version, _, architecture = ask("dpkg-query", "-W", "-f", form, package).partition(" ")
    if not version:
        return None
    vendor = "debian" if Path("/etc/debian_version").is_file() else "unknown"
    return f"pkg:deb/{vendor}/{package}@{version}?arch={architecture}"

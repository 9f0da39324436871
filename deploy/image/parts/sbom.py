"""The bill of materials: CycloneDX 1.5, as JSON.

It is about this binary: its SHA-256 is in it. What is linked in is `required`, what
only ran while it was built (build scripts, macros) `excluded`.
"""

import hashlib
import json
import uuid


def sbom(crates, binary, created):
    """The document."""
    root = component(crates, crates.root_key, "required")
    root["type"] = "application"
    root["hashes"] = [sha256(hashlib.sha256(binary.contents).hexdigest())]
    components = [
        component(crates, crate, "required") for crate in crates.linked if crate != crates.root_key
    ]
    components += [component(crates, crate, "excluded") for crate in crates.built_with]
    depends = {
        reference(crate): {reference(used) for used in crates.uses[crate]}
        for crate in crates.linked
    }
    for crate, name, version, licence in crates.libraries_within():
        add_library(components, depends, reference(crate), (name, version, licence, None))
    for library in binary.libraries:
        add_library(components, depends, root["bom-ref"], library)
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": created,
            "tools": {"components": [{"type": "application", "name": "deploy/image/build"}]},
            "component": root,
        },
        "components": components,
        "dependencies": [
            {"ref": ref, "dependsOn": sorted(depends[ref])} for ref in sorted(depends)
        ],
    }
    named = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(document, sort_keys=True))
    document["serialNumber"] = f"urn:uuid:{named}"
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def reference(crate):
    return f"{crate[0]}@{crate[1]}"


def sha256(digits):
    return {"alg": "SHA-256", "content": digits}


def component(crates, crate, scope):
    made = {
        "type": "library",
        "bom-ref": reference(crate),
        "name": crate[0],
        "version": crate[1],
        "scope": scope,
    }
    if crates.description(crate):
        made["description"] = crates.description(crate)
    if crates.licence(crate):
        made["licenses"] = [{"expression": crates.licence(crate)}]
    if not crates.is_ours(crate):
        made["purl"] = f"pkg:cargo/{crate[0]}@{crate[1]}"
    if crates.checksum(crate):
        made["hashes"] = [sha256(crates.checksum(crate))]
    return made


def add_library(components, depends, by, library):
    name, version, licence, package = library
    made = {"type": "library", "bom-ref": f"library/{name}", "name": name, "scope": "required"}
    if version:
        made["version"] = version
    made["licenses"] = [{"expression": licence}]
    if package:
        made["purl"] = package
    components.append(made)
    depends[by].add(made["bom-ref"])
    depends[made["bom-ref"]] = set()

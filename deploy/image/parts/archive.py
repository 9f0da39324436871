"""An image, byte by byte: a layer, its configuration, its manifest, in one archive.

    entente-0.1.0-amd64.tar
      oci-layout, index.json       for whoever reads OCI layouts (skopeo, podman, containerd)
      manifest.json                for `docker load`
      blobs/sha256/...             manifest, configuration, layer

Nothing is compressed: what a compressor makes hangs on its version, and so would the
digest. Registries and engines compress by themselves.
"""

import hashlib
import io
import json
import tarfile


def digest(contents):
    """As manifests say it."""
    return "sha256:" + hashlib.sha256(contents).hexdigest()


def encoded(document):
    """One way to write a document, whichever way it was made."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


class Tar:
    """A tar of known order, times and owners."""

    def __init__(self, at):
        self._at = at
        self._entries = {}

    def folder(self, path, mode=0o755, owner=0):
        """With those above it, the superuser's unless they are there."""
        above = path.rpartition("/")[0]
        if above and above not in self._entries:
            self.folder(above)
        self._entries[path] = (self._info(path, mode, owner, tarfile.DIRTYPE), b"")

    def file(self, path, contents, mode=0o444, owner=0):
        """With the folders above it."""
        contents = contents.encode() if isinstance(contents, str) else contents
        above = path.rpartition("/")[0]
        if above and above not in self._entries:
            self.folder(above)
        info = self._info(path, mode, owner, tarfile.REGTYPE)
        info.size = len(contents)
        self._entries[path] = (info, contents)

    def _info(self, path, mode, owner, kind):
        info = tarfile.TarInfo(path)
        info.mode, info.uid, info.gid, info.type = mode, owner, owner, kind
        info.mtime = self._at
        return info

    def write(self, out):
        """By path: a folder stands before what is in it."""
        with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for path in sorted(self._entries):
                info, contents = self._entries[path]
                tar.addfile(info, io.BytesIO(contents))


class Layer(Tar):
    """The files of the image."""

    def _finished(self):
        out = io.BytesIO()
        self.write(out)
        return out.getvalue()

    @property
    def contents(self):
        """Made once; nothing is added afterwards."""
        if not hasattr(self, "_contents"):
            self._contents = self._finished()
        return self._contents

    @property
    def digest(self):
        return digest(self.contents)

    @property
    def bytes(self):
        return len(self.contents)


class Image:
    """A layer and what says how to run it."""

    def __init__(self, layer, configuration, labels):
        self._layer = layer
        self._configuration = encoded(configuration)
        self._platform = {key: configuration[key] for key in ("architecture", "os")}
        kind = "application/vnd.oci.image"
        self._manifest = encoded(
            {
                "schemaVersion": 2,
                "mediaType": f"{kind}.manifest.v1+json",
                "config": self._described(self._configuration, f"{kind}.config.v1+json"),
                "layers": [self._described(layer.contents, f"{kind}.layer.v1.tar")],
                "annotations": labels,
            }
        )

    @staticmethod
    def _described(contents, kind):
        return {"mediaType": kind, "digest": digest(contents), "size": len(contents)}

    @property
    def id(self):
        """What engines call it."""
        return digest(self._configuration)

    @property
    def digest(self):
        """What registries call it."""
        return digest(self._manifest)

    def write(self, path, tag, at):
        out = Tar(at)
        blobs = [self._manifest, self._configuration, self._layer.contents]
        places = [f"blobs/{digest(blob).replace(':', '/')}" for blob in blobs]
        for place, blob in zip(places, blobs):
            out.file(place, blob)
        known = self._described(self._manifest, "application/vnd.oci.image.manifest.v1+json")
        known["platform"] = self._platform
        known["annotations"] = {
            "io.containerd.image.name": f"docker.io/library/{tag}",
            "org.opencontainers.image.ref.name": tag.rpartition(":")[2],
        }
        index = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [known],
        }
        loaded = [{"Config": places[1], "Layers": [places[2]], "RepoTags": [tag]}]
        out.file("oci-layout", encoded({"imageLayoutVersion": "1.0.0"}))
        out.file("index.json", encoded(index))
        out.file("manifest.json", encoded(loaded))
        with open(path, "wb") as file:
            out.write(file)

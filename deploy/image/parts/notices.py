"""What the licences of others ask to be handed on: their texts, each once."""

from pathlib import Path

NAMES = ("licen", "copying", "notice", "copyright", "unlicense")
RULE = "=" * 78
# Debian's; other systems keep them elsewhere.
OF_GLIBC = ["/usr/share/doc/libc6-dev/copyright", "/usr/share/common-licenses/LGPL-2.1"]


def notices(crates, binary):
    """One file: every text, and above it whose it is."""
    texts, without = {}, []
    for crate in crates.linked:
        if crates.is_ours(crate):
            continue
        folder = crates.folder(crate)
        found = list(texts_in(folder)) + list(texts_in(folder / "aws-lc"))
        for text in found:
            texts.setdefault(text, []).append(" ".join(crate))
        if not found:
            without.append(f"{' '.join(crate)}: {crates.licence(crate)}")
    if not binary.is_musl:
        for path in map(Path, OF_GLIBC):
            if path.is_file():
                text = path.read_text(errors="replace")
                texts.setdefault(text.strip(), []).append(f"GNU C Library ({path.name})")
    parts = ["What entente is made of besides its own source, and under which licences.\n"]
    if without:
        parts.append("No text is in the packages of these; they declare:\n\n" + "\n".join(without))
    for text, whose in sorted(texts.items(), key=lambda it: it[1]):
        parts.append(f"{RULE}\n{', '.join(whose)}\n{RULE}\n\n{text}")
    return "\n\n".join(parts) + "\n"


def texts_in(folder):
    """Of one package; nothing below its own folder."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name.lower().startswith(NAMES):
            yield path.read_text(errors="replace").strip()

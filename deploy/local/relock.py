"""`make lock-servers`: resolves pom.xml with Maven, and writes the list of files to artifacts.lock.

Run it after changing a version in pom.xml; nothing else in the project runs Maven.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import httpx

from deploy.local import maven, preflight

_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
_REGISTRY = "io/apicurio/apicurio-registry-app/{0}/apicurio-registry-app-{0}-all.tar.gz"


def main() -> int:
    """Write the list. Raises CalledProcessError, OSError and httpx.HTTPError."""
    with tempfile.TemporaryDirectory(prefix="careline-relock-") as fresh:
        pom, files = Path(fresh, "pom.xml"), Path(fresh, "files")
        shutil.copy(preflight.HERE / "pom.xml", pom)
        options = ["-DincludeScope=runtime", "-Dmdep.useRepositoryLayout=true", f"-DoutputDirectory={files}"]
        subprocess.run(["mvn", "-q", "-B", "-f", str(pom), f"{_PLUGIN}:copy-dependencies", *options], check=True)
        version = ElementTree.parse(pom).findtext(".//{*}apicurio.version")
        _registry(files / _REGISTRY.format(version), files)
        lines = [_line(path, files) for path in sorted(files.rglob("*")) if path.suffix in (".jar", ".gz")]
        preflight.LOCK.write_text("".join(lines))
    print(f"{preflight.LOCK.name}: {len(lines)} files")
    return 0


def _registry(target: Path, files: Path) -> None:
    target.parent.mkdir(parents=True)
    address = f"{maven.repository(os.environ)}/{target.relative_to(files).as_posix()}"
    with httpx.stream("GET", address, follow_redirects=True) as answer, target.open("wb") as archive:
        answer.raise_for_status()
        for chunk in answer.iter_raw():
            archive.write(chunk)


def _line(path: Path, files: Path) -> str:
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return f"{digest}  {path.stat().st_size:>9}  {path.relative_to(files).as_posix()}\n"


if __name__ == "__main__":
    sys.exit(main())

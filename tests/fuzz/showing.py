"""Runs ``careline customer`` for each id on standard input, and prints exit code and error as JSON lines."""

from __future__ import annotations

import json
import sys

from typer.testing import CliRunner

from processors.cli import app

_WORDS = 400


def main() -> None:
    """Run each as a page for a person and as JSON for a program."""
    runner = CliRunner()
    for customer in json.load(sys.stdin):
        for options in ([], ["--json", "--limit", "500"]):
            result = runner.invoke(app, ["customer", *options, "--", customer])
            error = (
                "" if result.exception is None or isinstance(result.exception, SystemExit) else repr(result.exception)
            )
            said = {"customer": customer, "options": options, "code": result.exit_code, "error": error[:_WORDS]}
            print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()

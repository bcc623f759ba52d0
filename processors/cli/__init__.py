"""The command line: `careline`. Every command is thin; the work is done elsewhere."""

from __future__ import annotations

import typer

from processors.cli.deferring import deferring, loaded

with deferring():
    from processors.cli import dlq, outreach, playbook, run, schemas, stack, topics
    from processors.cli.customer import customer
    from processors.cli.demo import demo
    from processors.cli.experiments import experiments
    from processors.cli.publish import publish
    from processors.cli.replay import replay_command
    from processors.cli.status import status
    from processors.cli.tail import tail
    from processors.cli.tasks import tasks
from processors.terminal import never_fails_on_encoding

app = typer.Typer(
    name="careline",
    help="Turns customers' touchpoints on Kafka into outreach, before they have to ask.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for group in (stack, topics, schemas, playbook, run, dlq, outreach):
    for command in group.app.registered_commands:
        if command.callback is not None:
            command.callback = loaded(command.callback)
app.add_typer(stack.app, name="stack")
app.add_typer(topics.app, name="topics")
app.add_typer(schemas.app, name="schemas")
app.add_typer(playbook.app, name="playbook")
app.add_typer(run.app, name="run")
app.add_typer(dlq.app, name="dlq")
app.add_typer(outreach.app, name="outreach")
app.command()(loaded(status))
app.command()(loaded(publish))
app.command()(loaded(tail))
app.command()(loaded(customer))
app.command()(loaded(experiments))
app.command("replay")(loaded(replay_command))
app.command()(loaded(tasks))
app.command()(loaded(demo))


def main() -> None:
    """The console script."""
    never_fails_on_encoding()
    app()

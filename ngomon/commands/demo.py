"""`ngomon demo`: a province of invented people on one port."""

from __future__ import annotations

import rich_click as click

from ngomon.commands import out


@click.command(help="Migrate, seed a province, and start everything with stand-ins on one port.")
@click.option("--port", default=8000, show_default=True)
@click.option("--fresh", is_flag=True, help="Forget the earlier demo first.")
@click.option(
    "--people", default=0, help="So many more people with a role: a province as large as a real one."
)
@click.option("--open", "waiting", default=0, help="So many more requests that wait.")
@click.option("--seed-only", is_flag=True, help="Fill the database and end.")
def demo(port: int, fresh: bool, people: int, waiting: int, seed_only: bool) -> None:
    """What `make run` starts."""
    from ngomon import stand_ins

    stand_ins.part("start").run(
        port=port, fresh=fresh, out=out, people=people, waiting=waiting, seed_only=seed_only
    )

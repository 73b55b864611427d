"""How fast callbot is, on the machine at hand: `python -m bench [--quick]`. `README.md` says what is measured, and how.

__main__.py          measures every row, prints the table, exits with 1 when a goal is missed
table.py             a row of the table: its goal, what was measured, the verdict

acknowledgements.py  a command acknowledged, beside aiohttp alone and @slack/bolt on Node (anchors/)
large_floor.py       10,000 live calls (floor.py): `/calls`, the event loop, scans with 20 rules
interventions.py     from the command to the PUT; the processor time of one intervention
alert_cards.py       from a change in the PBX to the changed card, with the sandbox and Slack's rates
start_and_memory.py  start to ready, memory

servers.py           starts what is measured, each in a process of its own
door.py              callbot's HTTP door with nothing behind it
unlimited.py         the whole bot without Slack's rates, with a record of long turns of its event loop
world.py             the load, in one process with the stand-ins for Slack and the PBX (stand_ins.py)
load.py              requests over HTTP, at a rate or as fast as they are answered; commands.py writes them

path.py              no times: which functions one request and one alert go through (`python -m bench.path`)
"""

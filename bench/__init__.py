"""How fast callbot is, measured on the machine at hand. No test asserts a time; these print them.

    look.py     one look at 10,000 live calls: read, and judged by 20 rules. `python -m bench.look [--quick]`
    changes.py  how soon a change in the PBX is on an alert's card. `python -m bench.changes`
    floors.py   the calls that are looked at, as the PBX would send them
    figures.py  what was measured, and the table of it
    pbx.py      a PBX of prepared answers, in a process of its own

`README.md` says where the time went, before and after.
"""

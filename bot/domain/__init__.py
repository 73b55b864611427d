"""The words of the field, pure and synchronous: calls, actions, commands, permissions, the states of an intervention.

Read in this order:

    errors.py         every expected failure, drawn as a tree; str(error) is what the person may read
    reading.py        how much of the same is read quickly, and kept small
    foreign_text.py   text of any script, without what could deceive
    phone_numbers.py  one phone number in all its spellings
    calls.py          PhoneCall, PhoneCallView: what the PBX shows
    presence.py       what the PBX knows of a phone beside calls
    actions.py        PhoneCallAction = Monitor | Whisper | BargeIn | PickUp | StartRecording | StopRecording
    typed.py          a line as a person meant it
    commands.py       what is typed → Command
    directory.py      agents.csv: names, teams and owners of extensions
    buttons.py        what a button carries ⇄ Command
    permissions.py    AuthorizationMap: who may do what to whom
    legs.py           which views are supervisors' legs, or may be; the call as others may see it
    intervention.py   Intervention and its states: one look at the call → the next truth
    clock.py          time that no step of the wall clock changes, and how far the PBX's clock is off
    search.py         the words of /calls
"""

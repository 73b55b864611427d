"""The words of the field, pure and synchronous: calls, actions, commands, permissions, the states of an intervention.

Read in this order:

    errors.py         every expected failure, drawn as a tree; str(error) is what the person may read
    calls.py          PhoneCall, PhoneCallView, Presence: what the PBX shows
    actions.py        PhoneCallAction = Monitor | Whisper | BargeIn | PickUp | StartRecording | StopRecording
    commands.py       what a person can ask callbot for: Command = Intervene | ListCalls | Help | …; Offer (a button), Request
    directory.py      agents.csv: names, teams and owners of extensions
    permissions.py    who may do what to whom
    legs.py           which views came with an intervention, or may have; the call as others may see it
    intervention.py   Intervention and its states: one poll of the call → the next state
    clock.py          a steady clock, how far the clocks of others are off, and dates as the wall clock has them
    phone_numbers.py  one phone number in all its spellings
    foreign_text.py   text of any script, without what could deceive
"""

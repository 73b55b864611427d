"""callbot: interventions on live phone calls, from Slack."""

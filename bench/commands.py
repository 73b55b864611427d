"""The commands that are sent, signed as Slack signs them ("Verifying requests from Slack")."""

import hashlib
import hmac
import time
from urllib.parse import urlencode

SECRET = "not-a-secret-of-anybody"  # noqa: S105  of the bench alone
ENVIRONMENT = {"SLACK_BOT_TOKEN": "xoxb-bench", "SLACK_SIGNING_SECRET": SECRET}
"""The settings that every server gets."""
TEAM = "T0LOCAL"


def command(number: int, api: str, user: str, text: str, name: str = "/monitor") -> bytes:
    """The whole HTTP request of one command, ready to be written to a connection.

    No two have the same trigger ("Enabling interactivity with slash commands"). `number` stands in the response_url, by which
    the private answer is recognised.
    """
    body = urlencode(
        {
            "token": "deprecated",
            "team_id": TEAM,
            "team_domain": "example",
            "channel_id": "C0FLOOR",
            "channel_name": "support-floor",
            "user_id": user,
            "user_name": user.lower(),
            "command": name,
            "text": text,
            "api_app_id": "A0LOCAL",
            "is_enterprise_install": "false",
            "response_url": f"{api.removesuffix('/api/')}/respond/{number}",
            "trigger_id": f"{time.monotonic_ns()}.{number}",
        }
    ).encode()
    timestamp = str(int(time.time()))
    signature = hmac.new(SECRET.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    head = (
        "POST /slack/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json,*/*\r\n"
        "User-Agent: Slackbot 1.0 (+https://api.slack.com/robots)\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\nX-Slack-Request-Timestamp: {timestamp}\r\nX-Slack-Signature: v0={signature}\r\n\r\n"
    )
    return head.encode() + body

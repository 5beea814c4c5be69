"""An hour of the day and when a job was last done -> whether it is to be done now."""

from datetime import datetime, time, timedelta


def is_due(last: datetime | None, now: datetime, at: time) -> bool:
    """Once for each time the hour (UTC) has come; whoever was down then does it when it comes up. None: it was never done."""
    today = now.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    newest = today if today <= now else today - timedelta(days=1)
    return last is None or last < newest

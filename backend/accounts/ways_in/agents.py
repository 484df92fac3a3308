"""Which browser it is, in words of ours: what a browser says of itself is a stranger's text, and is shown to people."""

from __future__ import annotations

BROWSERS = (  # the first that is named: most name others beside themselves
    ("coc_coc_browser", "Cốc Cốc"),
    ("edg", "Edge"),
    ("opr/", "Opera"),
    ("samsungbrowser", "Samsung Internet"),
    ("firefox/", "Firefox"),
    ("fxios/", "Firefox"),
    ("crios/", "Chrome"),
    ("chrome/", "Chrome"),
    ("safari/", "Safari"),
)
SYSTEMS = (
    ("windows", "Windows"),
    ("android", "Android"),
    ("iphone", "iOS"),
    ("ipad", "iPadOS"),
    ("mac os x", "macOS"),
    ("cros", "ChromeOS"),
    ("linux", "Linux"),
)


def name_of(user_agent: str) -> str:
    """Such as "Firefox, Linux"; empty where nothing is known."""
    said = user_agent.lower()
    found = (next((name for mark, name in kinds if mark in said), "") for kinds in (BROWSERS, SYSTEMS))
    return ", ".join(filter(None, found))

"""Keys, tokens and passwords, by the forms that those who issue them have given them.

The forms are those that secret scanners look for (gitleaks, detect-secrets, GitHub's secret scanning name them in
their rules). A secret in no form of its own is known by what stands before it: `password = …`, `api_key: …`.
"""

from __future__ import annotations

import re

#: Issuer → what its keys look like. A key stands within a run of at least `_SHORTEST` characters without a space.
_FORMS = {
    "OpenAI, Anthropic, Stripe and others": r"(?:sk|pk|rk)[-_](?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{16,}",
    "Stripe webhooks": r"whsec_[A-Za-z0-9+/=]{24,}",
    "Groq, xAI, Perplexity, Replicate": r"(?:gsk_|xai-|pplx-|r8_)[A-Za-z0-9]{32,}",
    "Hugging Face": r"(?:hf_|api_org_)[A-Za-z0-9]{30,}",
    "GitHub": r"gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}",
    "GitLab": r"gl(?:pat|dt|rt|ptt|cbt|soat|imt|agent|ft|ffct|oas)-[\w-]{20,}|GR1348941[\w-]{20,}",
    "Atlassian, Bitbucket": r"AT(?:ATT|BB|CTT)[A-Za-z0-9_=-]{24,}",
    "AWS": r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",
    "Google": r"AIza[\w-]{30,}|GOCSPX-[\w-]{20,}|ya29\.[\w-]{20,}",
    "Azure": r"(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/=]{40,}|sig=[A-Za-z0-9%+/=]{40,}",
    "DigitalOcean": r"do[opr]_v1_[0-9a-f]{60,}",
    "Databricks": r"dapi[0-9a-f]{32}",
    "HashiCorp Vault, Doppler": r"hv[sbr]\.[\w-]{24,}|dp\.(?:pt|st|sa|ct)\.[\w.-]{40,}",
    "Tailscale, Cloudflare": r"tskey-[a-z]+-[\w-]{16,}|v1\.0-[0-9a-f]{24}-[0-9a-f]{100,}",
    "Heroku, New Relic, Postman, Sentry": r"HRKU-[\w-]{30,}|NRAK-[A-Z0-9]{20,}|PMAK-[\w-]{30,}|sntry[su]_[\w=+/-]{40,}",
    "Grafana, Linear, Notion, Figma": (
        r"gl(?:sa|c)_[A-Za-z0-9+/=_]{30,}|lin_api_[A-Za-z0-9]{30,}|ntn_[A-Za-z0-9]{40,}|fig[du]_[\w-]{30,}"
    ),
    "Slack": r"xox[a-z]-[A-Za-z0-9-]{10,}|xapp-\d-[A-Za-z0-9-]{10,}|hooks\.slack\.com/\w+/[\w/+-]{20,}",
    "Discord": r"discord(?:app)?\.com/api/webhooks/\d+/[\w-]{20,}|[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,}",
    "Telegram": r"\d{8,10}:AA[\w-]{30,}",
    "Twilio": r"(?:AC|SK)[0-9a-f]{32}\b",
    "SendGrid, Mailgun, Mailchimp": r"SG\.[\w-]{16,}\.[\w-]{16,}|key-[0-9a-f]{32}\b|[0-9a-f]{32}-us\d{1,2}\b",
    "Shopify, Square": r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|sq0(?:atp|csp)-[\w-]{20,}",
    "npm, PyPI, RubyGems, Docker": r"npm_[A-Za-z0-9]{30,}|pypi-[\w-]{50,}|rubygems_[0-9a-f]{40,}|dckr_pat_[\w-]{20,}",
    "age, wallets": r"AGE-SECRET-KEY-1[A-Z0-9]{50,}|[xyz]prv[A-Za-z0-9]{100,}",
    "JSON web tokens": r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    "user:password@ in addresses": r"(?<=://)[^\s/:@\[\]]{1,100}:[^\s/\[\]]{1,200}(?=@)",
}
_FORM = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(_FORMS.values())})")
_SHORTEST = 12
_LONG_RUN = re.compile(rf"(?<!\S)\S{{{_SHORTEST},}}")

_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?"
    r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)

#: What a password is called, in some languages.
_LOGIN_WORDS = "passw|passphrase|passord|pwd|kennwort|contraseña|mot de passe|senha|wachtwoord|lösenord|пароль"
_KEY_WORDS = "secret|token|credential|api[_ -]?key|access[_ -]?key|account[_ -]?key|private[_ -]?key|auth[_ -]?key"
_VALUE = r"[^\s\"'`<>\[\]{}(),;]"
_NAME = rf"(?P<name>(?:{_LOGIN_WORDS})\w{{0,10}}|(?:{_KEY_WORDS})(?:[_-]\w{{1,20}})?|\bpin\b)"
_EQUALS = r"""(?:["'`]?\s{0,3}(?:[:=]>?|:=)\s{0,3}(?P<quote>["'`]?)|\s(?:is|ist|er|es|est):?\s(?P<is>))"""
_SCHEME = r"\b(?P<scheme>Bearer|Basic)\s+(?P<credential>(?=[\w.~+/=-]*\d)[\w.~+/=-]{16,})"
_ASSIGNED = re.compile(rf"{_NAME}{_EQUALS}(?P<value>{_VALUE}{{4,200}})|{_SCHEME}", re.IGNORECASE)
#: Without any of these _ASSIGNED cannot match: it is too slow to be tried on everything.
_NEEDED = (
    *_LOGIN_WORDS.split("|"),
    "secret",
    "token",
    "credential",
    "key",
    "bearer",
    "basic ",
    "pin ",
    "pin:",
    "pin=",
)


def mask_keys(text: str, placeholder: str) -> tuple[str, int]:
    """Return the text with a placeholder for each key, token and password, and how many there were."""
    count = 0
    if "-----BEGIN" in text:
        text, count = _PRIVATE_KEY.subn(placeholder, text)

    def in_run(run: re.Match[str]) -> str:
        nonlocal count
        masked, found = _FORM.subn(placeholder, run.group())
        count += found
        return masked

    def assigned(match: re.Match[str]) -> str:
        nonlocal count
        group = "credential" if match["scheme"] else "value"
        if group == "value" and not _is_secret(match):
            return match.group()
        count += 1
        return match.group()[: match.start(group) - match.start()] + placeholder

    if _LONG_RUN.search(text):
        text = _LONG_RUN.sub(in_run, text)
    lower = text.lower()
    if any(word in lower for word in _NEEDED):
        text = _ASSIGNED.sub(assigned, text)
    return text, count


def _is_secret(match: re.Match[str]) -> bool:
    """Tell a value from prose: `password: hunter2`, `password: swordfish` at a line's end; not `the secret: try`."""
    value = match["value"].rstrip(".!?:")
    name = match["name"].lower()
    if len(value) < 4:
        return False
    if name == "pin":
        return value.isdigit() and len(value) <= 8
    if any(c.isdigit() for c in value):
        return True
    if match["is"] is not None:
        return False
    ends_line = match.string[match.end() : match.end() + 1] in ("", "\n")
    is_password = re.match(_LOGIN_WORDS, name) is not None
    return bool(match["quote"]) or (is_password and ends_line) or (not value.isalpha() and len(value) >= 8)

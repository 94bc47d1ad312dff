"""What keys and tokens look like, by those who issue them.

The forms are those that secret scanners look for (gitleaks, detect-secrets, GitHub's secret scanning name them in
their rules).
"""

from __future__ import annotations

#: Issuer → what its keys look like. A key stands within a run of at least twelve characters without a space.
FORMS = {
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
    "Telegram": r"(?:bot)?\d{8,10}:AA[\w-]{30,}",
    "RunPod, Supabase, Vercel, PlanetScale": (
        r"rpa_\w{20,}|sbp_\w{20,}|sb_secret_[\w-]{20,}|vercel_\w{20,}|pscale_(?:tkn|pw|oauth)_[\w.-]{20,}"
    ),
    "Airtable, Mapbox, Terraform, Dropbox": (
        r"pat[A-Za-z0-9]{14}\.[0-9a-f]{60,}|[ps]k\.eyJ[\w-]{20,}\.[\w-]{10,}|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,}"
        r"|sl\.(?=[\w-]{0,60}\d)[\w-]{60,}"
    ),
    "Facebook, X": r"EAA(?=[A-Za-z0-9]{0,30}\d)[A-Za-z0-9]{30,}|A{20,}[A-Za-z0-9%]{30,}",
    "Pulumi, Sonar, CircleCI, Buildkite, Netlify, Fly, Plaid": (
        r"pul-[0-9a-f]{40}|sq[apu]_[0-9a-f]{40}|CCIPAT_\w{20,}|bk[a-z]{2}_[0-9a-f]{40}|nfp_\w{30,}|fo1_[\w-]{30,}"
        r"|FlyV1[ ]fm2_[\w+/=]{30,}|access-(?:sandbox|development|production)-[0-9a-f-]{36}"
    ),
    "wallets": (
        r"[5KL][1-9A-HJ-NP-Za-km-z]{50,51}(?![A-Za-z0-9])|nsec1[02-9ac-hj-np-z]{50,}|S[A-Z2-7]{55}(?![A-Za-z0-9])"
        r"|(?=[1-9A-HJ-NP-Za-km-z]{0,80}\d)[1-9A-HJ-NP-Za-km-z]{87,88}(?![A-Za-z0-9])"
    ),
    # Many issuers have taken up GitHub's way: a short name, an underscore, and what is too long and mixed for a word.
    "name_secret, whoever issues it": (
        r"(?!sha|commit|img|file|id_)[a-z]{2,12}(?:[_-][a-z0-9]{2,10}){0,2}_"
        r"(?=[A-Za-z0-9]{0,40}\d)(?=[A-Za-z0-9]{0,40}[A-Za-z])[A-Za-z0-9]{30,}"
    ),
    "Twilio": r"(?:AC|SK)[0-9a-f]{32}\b",
    "SendGrid, Mailgun, Mailchimp": r"SG\.[\w-]{16,}\.[\w-]{16,}|key-[0-9a-f]{32}\b|[0-9a-f]{32}-us\d{1,2}\b",
    "Shopify, Square": r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|sq0(?:atp|csp)-[\w-]{20,}",
    "npm, PyPI, RubyGems, Docker": r"npm_[A-Za-z0-9]{30,}|pypi-[\w-]{50,}|rubygems_[0-9a-f]{40,}|dckr_pat_[\w-]{20,}",
    "age, wallets": r"AGE-SECRET-KEY-1[A-Z0-9]{50,}|[xyz]prv[A-Za-z0-9]{100,}",
    "JSON web tokens": r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    "user:password@ in addresses": r"(?<=://)[^\s/:@\[\]]{1,100}:[^\s/\[\]]{1,200}(?=@)",
}

window.YTD.account.part0 = [
  {
    "account": {
      "email": "ada@example.org",
      "createdVia": "web",
      "username": "ada_l",
      "accountId": "5",
      "createdAt": "2010-01-01T00:00:00.000Z",
      "accountDisplayName": "Ada"
    }
  }
]
window.YTD.direct_messages.part0 = [
  {
    "dmConversation": {
      "conversationId": "5-9",
      "messages": [
        {
          "messageCreate": {
            "recipientId": "9",
            "reactions": [],
            "urls": [
              {
                "url": "https://t.co/d",
                "expanded": "https://example.org",
                "display": "example.org"
              }
            ],
            "text": "gladly https://t.co/d",
            "mediaUrls": [],
            "senderId": "5",
            "id": "22",
            "createdAt": "2024-03-05T13:02:03.000Z",
            "editHistory": []
          }
        },
        {
          "messageCreate": {
            "recipientId": "9",
            "reactions": [],
            "urls": [],
            "text": "Friday?",
            "mediaUrls": [],
            "senderId": "9",
            "id": "21",
            "createdAt": "2024-03-05T13:01:03.000Z",
            "editHistory": []
          }
        }
      ]
    }
  }
]
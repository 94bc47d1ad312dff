window.YTD.direct_messages_group.part0 = [
  {
    "dmConversation": {
      "conversationId": "777",
      "messages": [
        {
          "messageCreate": {
            "recipientId": "9",
            "reactions": [],
            "urls": [],
            "text": "me too",
            "mediaUrls": [],
            "senderId": "5",
            "id": "32",
            "createdAt": "2024-03-05T14:02:03.000Z",
            "editHistory": []
          }
        },
        {
          "joinConversation": {
            "initiatingUserId": "9",
            "participantsSnapshot": [
              "5",
              "9",
              "11"
            ],
            "createdAt": "2024-03-05T14:00:00.000Z"
          }
        },
        {
          "messageCreate": {
            "recipientId": "9",
            "reactions": [],
            "urls": [],
            "text": "I am in",
            "mediaUrls": [],
            "senderId": "11",
            "id": "31",
            "createdAt": "2024-03-05T14:01:03.000Z",
            "editHistory": []
          }
        }
      ]
    }
  }
]
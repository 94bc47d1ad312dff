window.YTD.tweets.part0 = [
  {
    "tweet": {
      "edit_info": {},
      "retweeted": false,
      "source": "x",
      "entities": {
        "hashtags": [],
        "symbols": [],
        "user_mentions": [],
        "urls": []
      },
      "display_text_range": [
        "0",
        "9"
      ],
      "favorite_count": "0",
      "id_str": "3",
      "id": "3",
      "created_at": "Tue Mar 05 13:04:03 +0000 2024",
      "full_text": "RT @anna: her words",
      "lang": "en"
    }
  },
  {
    "tweet": {
      "edit_info": {},
      "retweeted": false,
      "source": "x",
      "entities": {
        "hashtags": [],
        "symbols": [],
        "user_mentions": [],
        "urls": [
          {
            "url": "https://t.co/a",
            "expanded_url": "https://example.org/rye",
            "display_url": "example.org/rye"
          }
        ],
        "media": [
          {
            "url": "https://t.co/b",
            "expanded_url": "https://x.com/p"
          }
        ]
      },
      "display_text_range": [
        "0",
        "9"
      ],
      "favorite_count": "0",
      "id_str": "2",
      "id": "2",
      "created_at": "Tue Mar 05 13:03:03 +0000 2024",
      "full_text": "@anna @bob Rye &amp; salt, see https://t.co/a https://t.co/b",
      "lang": "en",
      "in_reply_to_status_id_str": "77",
      "in_reply_to_screen_name": "anna"
    }
  },
  {
    "tweet": {
      "edit_info": {},
      "retweeted": false,
      "source": "x",
      "entities": {
        "hashtags": [],
        "symbols": [],
        "user_mentions": [],
        "urls": []
      },
      "display_text_range": [
        "0",
        "9"
      ],
      "favorite_count": "0",
      "id_str": "1",
      "id": "1",
      "created_at": "Tue Mar 05 13:02:03 +0000 2024",
      "full_text": "@anna I thought of you",
      "lang": "en"
    }
  },
  {
    "tweet": {
      "edit_info": {},
      "retweeted": false,
      "source": "x",
      "entities": {
        "hashtags": [],
        "symbols": [],
        "user_mentions": [],
        "urls": [],
        "media": [
          {
            "url": "https://t.co/c",
            "expanded_url": "https://x.com/p"
          }
        ]
      },
      "display_text_range": [
        "0",
        "9"
      ],
      "favorite_count": "0",
      "id_str": "0",
      "id": "0",
      "created_at": "Tue Mar 05 13:01:03 +0000 2024",
      "full_text": "https://t.co/c",
      "lang": "en"
    }
  }
]